import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { type Payload, Upload } from './body.ts';
import type { CallerWords } from './caller-words.ts';
import { ContentCodingError, decode, unlessPacked } from './coding/index.ts';
import { Deadline, type Limits, type Stop } from './deadline.ts';
import { GrsaiAnswerError, GrsaiConnectionError, GrsaiError, type GrsaiErrorCode, type Outcome } from './errors.ts';
import { WireLimitError, type WireLimits } from './wire-guard/index.ts';

type Answer = Awaited<ReturnType<typeof request>>;

/** One HTTP exchange with one base. */
export interface ExchangeRequest {
  readonly dispatcher: Dispatcher;
  readonly base: string;
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly payload?: Payload | undefined;
  readonly limits: Limits;
  /** What the answer may have on the wire; the client's own dispatchers hold to it. */
  readonly wire: WireLimits;
  readonly signal?: AbortSignal | undefined;
  /** Fires when the client closes: what is read in the background then ends. */
  readonly closing: AbortSignal;
  /** The call can be made twice without a second paid task: an unknown outcome is `retryable`. */
  readonly repeatable: boolean;
  readonly words?: (() => CallerWords) | undefined;
}

/** The head of an answer. The body has to be read with `chunks()`: leaving that loop ends the exchange. */
export interface Response {
  readonly base: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly repeatable: boolean;
  /** What the caller wrote of this call, which proves nothing in its answer. */
  readonly words: (() => CallerWords) | undefined;
  /** `not_sent` when upstream answered before the whole body had been taken; asking ends the upload, so that it stays true. */
  readonly lost: Outcome;
  /** From now on the end of the answer is waited for no longer than this; `undefined`: as long as pieces come. */
  endWithin(ms: number | undefined): void;
  /** Gives up an answer of which nothing was read. */
  drop(): void;
  /**
   * The bytes without their content codings; throws a `GrsaiConnectionError` when the answer breaks off, a `GrsaiAnswerError` when it
   * cannot be decoded. Leaving the loop early drops the connection, unless
   * `rest` is `read_off`: then a short rest is read in the background so that the connection can be kept.
   */
  chunks(rest?: 'drop' | 'read_off'): AsyncGenerator<Uint8Array>;
}

/**
 * Errors of the connection that came before anything was written. For a body the upload itself knows; this is for calls
 * without one. Matched on codes, never on messages.
 */
const BEFORE_SENDING =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  const { code, errors } = cause as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) ? codeOf(errors[0]) : '';
}

/**
 * Sends one request and resolves at the head of the answer, whatever its status. Rejects with a `GrsaiConnectionError`,
 * whose `outcome` is `not_sent` until the last chunk of the body was taken and `unknown` after (design.md §4).
 */
export async function exchange(ask: ExchangeRequest): Promise<Response> {
  const deadline = new Deadline(ask.limits, ask.signal);
  const upload = ask.payload && new Upload(ask.payload, (complete) => deadline.uploaded(complete));
  const lost = (): Outcome => (upload === undefined || upload.complete ? 'unknown' : 'not_sent');
  const fail = (cause: unknown, began: boolean): GrsaiError => {
    deadline.clear();
    upload?.stop();
    return failure(ask, cause, deadline.stop, began || upload !== undefined ? lost() : beforeSending(cause));
  };

  try {
    const answer = await start(ask, deadline, upload);
    deadline.received();
    const over = (rest: 'drop' | 'read_off') => {
      deadline.clear();
      leave(answer.body, rest, ask.closing);
    };
    return {
      base: ask.base,
      path: ask.path,
      status: answer.statusCode,
      headers: answer.headers,
      repeatable: ask.repeatable,
      words: ask.words,
      get lost() {
        upload?.stop();
        return lost();
      },
      endWithin: (ms) => deadline.last(ms),
      drop: () => over('drop'),
      async *chunks(rest = 'drop') {
        try {
          const coding = answer.headers['content-encoding'];
          const bytes = wire(answer, deadline);
          yield* unlessPacked(decode(bytes, coding));
        } catch (cause) {
          throw fail(cause instanceof ContentCodingError ? undecodable(ask, cause, answer.statusCode, lost()) : cause, true);
        } finally {
          over(rest);
        }
      },
    };
  } catch (cause) {
    throw fail(cause, false);
  }
}

/** The bytes as they arrive. The reader's time, decoding included, is not held against upstream. */
async function* wire({ body }: Answer, deadline: Deadline): AsyncGenerator<Uint8Array> {
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    deadline.pause();
    yield chunk as Uint8Array;
    deadline.received();
  }
}

/** A coded answer that was cut is one that broke off; what it is else may be the same the next time. */
function undecodable(ask: ExchangeRequest, cause: ContentCodingError, status: number, outcome: Outcome): GrsaiError {
  const facts = {
    outcome,
    retryable: outcome === 'not_sent' || ask.repeatable,
    message: `${ask.method} ${ask.path.split('?')[0]}: ${cause.message}`,
    base: ask.base,
    status,
    cause,
  };
  return cause.problem === 'truncated'
    ? new GrsaiConnectionError({ ...facts, code: 'connection_lost' })
    : new GrsaiAnswerError({ ...facts, code: 'unreadable_answer' });
}

/** The request, given up as soon as the deadline says so: undici itself notices an abort only once it is connected. */
async function start(ask: ExchangeRequest, deadline: Deadline, upload: Upload | undefined): Promise<Answer> {
  const { signal } = deadline;
  if (deadline.stop !== undefined) throw deadline.stop;
  if (upload === undefined) deadline.uploaded(true);
  else deadline.connecting();
  const answer = request(new URL(ask.base + ask.path), {
    dispatcher: ask.dispatcher,
    method: ask.method,
    headers: ask.payload === undefined ? ask.headers : { ...ask.headers, 'content-length': String(ask.payload.length) },
    // undici takes any async iterable; its types know only streams, and a stream would read ahead of the connection.
    ...(upload === undefined ? {} : { body: upload as unknown as Readable }),
    ...{ wire: ask.wire },
    signal,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  answer.catch(() => undefined);
  return Promise.race([answer, stopped]);
}

/**
 * How much of an answer nobody waits for any more is still read: its connection can be used again then, and upstream does not see
 * a caller hang up on the answer that took a task.
 */
const REST = { bytes: 64 * 1024, ms: 1000 };

function leave(body: Answer['body'], rest: 'drop' | 'read_off', closing: AbortSignal): void {
  if (body.readableEnded || body.destroyed) return;
  body.on('error', () => undefined);
  if (rest === 'drop' || closing.aborted) {
    body.destroy();
    return;
  }
  // Not AbortSignal.any and timeout: those of thousands of polls stay in memory for seconds after their answers have ended.
  const cut = () => body.destroy();
  const timer = setTimeout(cut, REST.ms).unref();
  closing.addEventListener('abort', cut, { once: true });
  body.once('close', () => {
    clearTimeout(timer);
    closing.removeEventListener('abort', cut);
  });
  body.dump({ limit: REST.bytes }).catch(() => undefined);
}

/** An answer that nobody reads to its end. It may be another the next time. */
const tooMuch = (ask: ExchangeRequest, cause: WireLimitError, outcome: Outcome): GrsaiError =>
  new GrsaiAnswerError({
    code: 'unreadable_answer',
    outcome,
    retryable: outcome === 'not_sent' || ask.repeatable,
    message: `${ask.method} ${ask.path.split('?')[0]}: ${cause.message}`,
    base: ask.base,
    cause,
  });

const beforeSending = (cause: unknown): Outcome => (BEFORE_SENDING.test(codeOf(cause)) ? 'not_sent' : 'unknown');

function failure(ask: ExchangeRequest, cause: unknown, stop: Stop | undefined, outcome: Outcome): GrsaiError {
  if (cause instanceof GrsaiError) return cause;
  if (stop === undefined && cause instanceof WireLimitError) return tooMuch(ask, cause, outcome);
  const code: GrsaiErrorCode = stop?.kind ?? (outcome === 'not_sent' ? 'connection_failed' : 'connection_lost');
  const what = stop?.message ?? describe(cause);
  return new GrsaiConnectionError({
    code,
    outcome,
    retryable: code !== 'aborted' && (outcome === 'not_sent' || ask.repeatable),
    message: `${ask.method} ${ask.path.split('?')[0]}: ${what}`,
    base: ask.base,
    cause: stop === undefined ? cause : stop.cause,
  });
}

function describe(cause: unknown): string {
  const code = codeOf(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}
