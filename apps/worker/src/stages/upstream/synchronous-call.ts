import {
  type CallOptions,
  type ChatChunk,
  type ChatCompletion,
  type ChatRequest,
  CompletionAssembler,
  type GenerationsRequest,
  type GrsaiApi,
  GrsaiError,
  GrsaiUnfinishedError,
  meaningOf,
  type Output,
  type StreamedBody,
} from '@grsai-jobs/grsai';
import type { JobDoc } from '@grsai-jobs/jobs';
import type { InputObjects } from './input-objects.ts';
import { chatBody, generationsBody } from './upstream-bodies.ts';

/** What a synchronous call brought. */
type Brought = SynchronousAnswer | { kind: 'outputs'; outputs: readonly Output[] };

export interface SynchronousAnswer {
  kind: 'completion';
  completion: ChatCompletion;
  /** Upstream said why it stopped; without that the answer may be cut short. */
  finished: boolean;
}

interface SynchronousCallOptions {
  signal: AbortSignal;
  inputs: Pick<InputObjects, 'into'>;
  /** Called while the answer comes in, 0–99, never falling. */
  onProgress: (progress: number) => void;
  /** Called with each piece of an answer that comes as a stream. */
  onPiece: (chunk: ChatChunk) => void;
}

/** Makes the synchronous call that a job asks for: plain chat, streamed chat read to its end, or images/generations. */
export async function synchronousCall(
  grsai: Pick<GrsaiApi, 'chat' | 'images'>,
  doc: JobDoc,
  o: SynchronousCallOptions,
): Promise<Brought> {
  if (doc.type === 'image') {
    const body = await o.inputs.into<GenerationsRequest>(generationsBody(doc), { response_format: 'url' });
    const { outputs } = await grsai.images.generations(body, { signal: o.signal, supplied: doc.input });
    return { kind: 'outputs', outputs };
  }
  const stream = doc.input.stream === true;
  const body = await o.inputs.into<ChatRequest>(chatBody(doc), { stream });
  const options = { signal: o.signal, supplied: doc.input };
  const answer = stream ? await streamed(grsai, body, options, o) : await plain(grsai, body, options);
  return { kind: 'completion', ...answer, completion: notEmpty(answer.completion) };
}

type Answer = Omit<SynchronousAnswer, 'kind'>;

async function plain(grsai: Pick<GrsaiApi, 'chat'>, body: ChatRequest | StreamedBody, options: CallOptions): Promise<Answer> {
  try {
    return { completion: await grsai.chat.complete(body, options), finished: true };
  } catch (error) {
    if (!(error instanceof GrsaiUnfinishedError) || error.completion === undefined) throw error;
    return { completion: error.completion, finished: false };
  }
}

async function streamed(
  grsai: Pick<GrsaiApi, 'chat'>,
  body: ChatRequest | StreamedBody,
  options: CallOptions,
  { onProgress, onPiece }: SynchronousCallOptions,
): Promise<Answer> {
  const assembler = new CompletionAssembler();
  let chunks = 0;
  try {
    for await (const chunk of grsai.chat.stream(body, options)) {
      assembler.add(chunk);
      onPiece(chunk);
      chunks += 1;
      onProgress(progressAfter(chunks));
    }
  } catch (error) {
    if (!(error instanceof GrsaiUnfinishedError)) throw error;
    return { completion: assembler.completion(), finished: false };
  }
  return { completion: assembler.completion(), finished: true };
}

/** Nobody knows how long an answer will be, so each chunk brings it nearer to an end that it never reaches. */
const progressAfter = (chunks: number): number => Math.min(99, Math.floor(100 * (1 - Math.exp(-chunks / 200))));

/** A 200 without content is an answer, a refusal of the policy or a failed attempt, by the reason for which it ended. */
function notEmpty(completion: ChatCompletion): ChatCompletion {
  const meaning = meaningOf(completion);
  if (meaning.kind === 'answer') return completion;
  const filtered = meaning.kind === 'filtered';
  throw new GrsaiError({
    code: 'refused',
    outcome: 'refused',
    category: filtered ? 'moderation' : 'failed',
    status: 200,
    retryable: !filtered,
    message: filtered
      ? `upstream answered with nothing but the finish_reason ${meaning.reason}`
      : 'upstream answered with an empty completion',
  });
}
