import {
  type CallOptions,
  type ChatCompletion,
  type ChatRequest,
  CompletionAssembler,
  type GenerationsRequest,
  type Grsai,
  GrsaiError,
  isEmptyCompletion,
  type StreamedBody,
} from '@grsai-jobs/grsai';
import type { JobDoc } from '@grsai-jobs/jobs';
import type { InputObjects } from './input-objects.ts';
import { chatBody, generationsBody } from './upstream-bodies.ts';

/** What a held call brought. */
export type Held = { kind: 'completion'; completion: ChatCompletion } | { kind: 'links'; urls: readonly string[] };

export interface HeldCallOptions {
  signal: AbortSignal;
  inputs: InputObjects;
  /** Called while the answer comes in, 0–99, never falling. */
  onProgress: (progress: number) => void;
}

/** Makes the held call that a job asks for: plain chat, streamed chat read to its end, or images/generations. */
export async function heldCall(grsai: Pick<Grsai, 'chat' | 'images'>, doc: JobDoc, o: HeldCallOptions): Promise<Held> {
  if (doc.type === 'image') {
    const body = await o.inputs.into<GenerationsRequest>(generationsBody(doc), { response_format: 'url' });
    return { kind: 'links', urls: (await grsai.images.generations(body, { signal: o.signal, supplied: doc.input })).urls };
  }
  const stream = doc.input.stream === true;
  const body = await o.inputs.into<ChatRequest>(chatBody(doc), { stream });
  const options = { signal: o.signal, supplied: doc.input };
  const completion = stream ? await streamed(grsai, body, options, o) : await grsai.chat.complete(body, options);
  return { kind: 'completion', completion: notEmpty(completion) };
}

async function streamed(
  grsai: Pick<Grsai, 'chat'>,
  body: ChatRequest | StreamedBody,
  options: CallOptions,
  { onProgress }: HeldCallOptions,
): Promise<ChatCompletion> {
  const assembler = new CompletionAssembler();
  let chunks = 0;
  for await (const chunk of grsai.chat.stream(body, options)) {
    assembler.add(chunk);
    chunks += 1;
    onProgress(progressAfter(chunks));
  }
  return assembler.completion();
}

/** Nobody knows how long an answer will be, so each chunk brings it nearer to an end that it never reaches. */
const progressAfter = (chunks: number): number => Math.min(99, Math.floor(100 * (1 - Math.exp(-chunks / 200))));

/** A 200 with empty content is seen in the wild (grsai-api §12 T20); each one is an attempt (design §3). */
function notEmpty(completion: ChatCompletion): ChatCompletion {
  if (!isEmptyCompletion(completion)) return completion;
  throw new GrsaiError({
    code: 'refused',
    outcome: 'refused',
    category: 'failed',
    status: 200,
    retryable: true,
    message: 'upstream answered with an empty completion',
  });
}
