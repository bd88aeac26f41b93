import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { retryAfterMs } from '@grsai-jobs/grsai/retry-after';
import { WireLimitError } from '@grsai-jobs/grsai/wire-guard';
import type { Dispatcher } from 'undici';
import { type AnswerHead, answerText, keptBytes } from './answer-text.ts';
import type { Guard } from './egress.ts';
import { EgressError, type EgressErrorCode, type Phase, reasonOf } from './errors.ts';
import { Kept } from './kept.ts';
import { USER_AGENT } from './user-agent.ts';
import { asEgress, DRAIN_BYTES } from './wire-limits.ts';

const SLICE_BYTES = 65_536;

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Limit for the whole attempt, 15 s by default; the connection has its own (`connectMs` of the egress). */
  readonly totalMs?: number;
  /** Ends the attempt at once, as `aborted`. */
  readonly signal?: AbortSignal;
}

/** The outcome of one webhook attempt. */
export interface PostResult {
  /** Whether the receiver took it: the status is a 2xx, even if the rest of the answer never came. */
  readonly ok: boolean;
  readonly status?: number;
  /** How far it came; `response` when there is a status. */
  readonly phase: Phase;
  /** Set when there is no status. */
  readonly code?: EgressErrorCode;
  /** Why there is no status, in words fit for the tenant. */
  readonly error?: string;
  /** The first 2 KiB of the answer as text, whatever its coding and character set. */
  readonly answer: string;
  readonly retryAfterMs?: number;
  readonly durationMs: number;
}

/**
 * POSTs once. Follows no redirect, repeats nothing, leaves no body unread, and never throws for what the network,
 * the receiver, the URL or the signal does.
 */
export function postOnce(egress: Pick<Guard, 'dispatcher' | 'admit'>, request: PostRequest): Promise<PostResult> {
  return new Promise((resolve) => {
    const exchange = new Exchange(request, resolve);
    try {
      const url = egress.admit(request.url);
      const body = Buffer.from(request.body);
      const options: Dispatcher.DispatchOptions = {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': USER_AGENT,
          ...request.headers,
          'content-length': String(body.length),
        },
        body: bodyOf(body),
      };
      if (!exchange.over) egress.dispatcher.dispatch(options, exchange);
    } catch (error) {
      exchange.fail(error);
    }
  });
}

/**
 * As a stream of slices a body counts as sent when the socket has taken it; as a buffer, as soon as undici has. One slice
 * fits into the buffer of the socket, so for it there is no difference but the cost (*measured*: 29 µs of CPU a post, not 39).
 */
const bodyOf = (body: Buffer): Buffer | Readable =>
  body.length <= SLICE_BYTES ? body : Readable.from(slices(body), { objectMode: false });

function* slices(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) yield body.subarray(at, at + SLICE_BYTES);
}

/** The undici side of an attempt. Settles once; later events only release the connection. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #settle: (result: PostResult) => void;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #kept = new Kept();
  #received = 0;
  #head: AnswerHead = { contentType: undefined, contentEncoding: undefined };
  #keep = 0;
  #phase: Phase = 'connect';
  #status: number | undefined;
  #retryAfterMs: number | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  over = false;

  constructor({ totalMs = 15_000, signal }: PostRequest, settle: (result: PostResult) => void) {
    this.#settle = settle;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.fail(new EgressError('timeout', `no answer within ${totalMs} ms`)), totalMs);
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  readonly #onAbort = (): void => this.fail(new EgressError('aborted', 'the attempt was cut short on our side'));

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.over) controller.abort(new Error('too late'));
    else this.#phase = 'write';
  }

  onRequestSent(): void {
    this.#phase = 'response';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#phase = 'response';
    this.#status = status;
    this.#retryAfterMs = retryAfterMs(headers['retry-after'], Date.now());
    this.#head = { contentType: [headers['content-type']].flat()[0], contentEncoding: headers['content-encoding'] };
    this.#keep = keptBytes(this.#head);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#kept.add(chunk, this.#keep);
    this.#received += chunk.length;
    if (this.#received > DRAIN_BYTES) this.#end({});
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    this.#end({});
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#controller = undefined;
    this.fail(error);
  }

  /** Ends the attempt; a status that has arrived still counts. */
  fail(cause: unknown): void {
    this.#end(this.#status === undefined ? describe(cause, this.#phase) : {});
  }

  #end(failure: Partial<PostResult>): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#controller?.abort(new Error('no longer needed'));
    const status = this.#status;
    const result = {
      ok: status !== undefined && status >= 200 && status < 300,
      phase: this.#phase,
      durationMs: Math.round(performance.now() - this.#startedAt),
      ...(status === undefined ? {} : { status }),
      ...(this.#retryAfterMs === undefined ? {} : { retryAfterMs: this.#retryAfterMs }),
      ...failure,
    };
    const answer = answerText(this.#kept.bytes, this.#head);
    if (typeof answer === 'string') this.#settle({ ...result, answer });
    else void answer.then((text) => this.#settle({ ...result, answer: text }));
  }
}

function describe(cause: unknown, phase: Phase): Partial<PostResult> {
  const known = cause instanceof WireLimitError ? asEgress(cause) : cause;
  const error = known instanceof EgressError ? known : new EgressError('connect', `the connection broke (${reasonOf(cause)})`);
  return { code: error.code, error: error.message, phase: error.phase ?? phase };
}
