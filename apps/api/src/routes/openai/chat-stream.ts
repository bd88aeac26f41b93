import { anySignal } from 'any-signal';
import type { Response } from 'express';
import { openPacedStream, type PacedStream } from '../../http/event-stream.ts';
import type { FollowStream, StreamEvent } from '../../use-cases/stream/follow-stream.ts';
import { type CompletionFallbacks, hasUsage, openAiChunk, Said, usageChunk } from './chat-answer.ts';
import { asOpenAiError, errorInStream, type OpenAiError, sendFinal } from './errors.ts';
import {
  endError,
  grsaiOf,
  type HeldJobs,
  type HeldJobsDeps,
  holdJobs,
  unreadable,
  type Wanted,
  whyUnanswered,
} from './held-jobs.ts';

export interface ChatStreamDeps extends HeldJobsDeps {
  followStream: FollowStream;
  heartbeatMs: number;
  /** How long a job may wait until its stream is opened for it, so that nothing on the way gives it up; what fails before has its own status. */
  opensAfterMs: number;
}

/** When a stream is opened for a job that has said nothing yet. */
export const OPENS_AFTER_MS = 10_000;

/** Answers with the pieces of a chat as they come. */
export async function streamCompletion(
  o: ChatStreamDeps,
  wanted: Wanted,
  { includeUsage }: { includeUsage: boolean },
  response: Response,
): Promise<void> {
  const held = await holdJobs(o, wanted, response);
  const job = held?.jobs[0];
  if (held === null || job === undefined) return;
  const out = new ChunkWriter(response, {
    heartbeatMs: o.heartbeatMs,
    includeUsage,
    fallbacks: { id: job.id, model: job.doc.input.model, created: Math.floor(job.created_at / 1000) },
    onShown: () => held.answer?.shown(),
  });
  const gone = anySignal([held.gone, held.keyEnded]);
  const opening = setTimeout(() => out.open(), o.opensAfterMs);
  try {
    for await (const event of o.followStream(job, { after: 0, ms: held.waitMs(job), gone }))
      if ((await tell(event, out, held, response)) === 'over') return;
  } finally {
    gone.clear();
    clearTimeout(opening);
  }
  if (held.gone.aborted) return;
  const problem = await whyUnanswered(held, response);
  if (!out.isOpen) throw problem;
  await out.fail(asOpenAiError(problem, response));
}

async function tell(event: StreamEvent, out: ChunkWriter, held: HeldJobs, response: Response): Promise<'on' | 'over'> {
  if (event.kind === 'piece') {
    await out.piece(event.chunk);
    return 'on';
  }
  if (event.kind === 'reset') {
    // What was shown cannot be taken back; the job goes on for a while, in case its caller comes back.
    await held.answer?.settle('left');
    await out.fail(RESET);
    return 'over';
  }
  const { job } = event;
  const error = job.status !== 'succeeded' ? endError(job) : event.complete ? null : unreadable(job.id);
  if (error === null) await out.finish();
  else if (out.isOpen) await out.fail(error, { grsai: grsaiOf([job]) });
  else sendFinal(response, error, { grsai: grsaiOf([job]) });
  return 'over';
}

const RESET: OpenAiError = {
  status: 400,
  code: 'stream_reset',
  message:
    'The answer broke off upstream after some of it was shown, and begins anew. Read it under /v1/jobs, or send the request again.',
};

interface WriterOptions {
  heartbeatMs: number;
  includeUsage: boolean;
  fallbacks: CompletionFallbacks;
  /** Called when the first piece is written. */
  onShown: () => void;
}

/** Writes chunks as the clients of OpenAI read them. */
class ChunkWriter {
  readonly #response: Response;
  readonly #o: WriterOptions;
  readonly #said = new Said();
  #stream: PacedStream | undefined;
  #shown = false;
  #ended = false;
  #usage: Record<string, unknown> | undefined;

  constructor(response: Response, o: WriterOptions) {
    this.#response = response;
    this.#o = o;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  open(): PacedStream {
    this.#stream ??= openPacedStream(this.#response, this.#o.heartbeatMs);
    return this.#stream;
  }

  async piece(chunk: Record<string, unknown>): Promise<void> {
    if (hasUsage(chunk)) this.#usage = chunk;
    const told = openAiChunk(chunk, this.#o.fallbacks, !this.#shown, this.#said);
    if (told === null) return;
    if (!this.#shown) this.#o.onShown();
    this.#shown = true;
    this.#ended ||= told.choices.some((choice) => choice['finish_reason'] !== null);
    await this.#write(told);
  }

  async finish(): Promise<void> {
    if (!this.#ended) await this.piece({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    const usage = this.#o.includeUsage ? usageChunk(this.#usage, this.#o.fallbacks) : null;
    if (usage !== null) await this.#write(usage);
    await this.open().write('data: [DONE]\n\n');
    this.open().end();
  }

  async fail(error: OpenAiError, more: object = {}): Promise<void> {
    await this.#write(errorInStream(this.#response, error, more));
    this.open().end();
  }

  #write(data: object): Promise<void> {
    return this.open().write(`data: ${JSON.stringify(data)}\n\n`);
  }
}
