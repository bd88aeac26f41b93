import { inspect } from 'node:util';
import type { ChatCompletion } from './chat-schema.ts';
import type { Category, Suspect } from './classify.ts';
import type { Problem } from './models/problem.ts';
import { redact } from './redact.ts';

/**
 * What the call left behind upstream.
 * `not_sent`: the last byte of the body was never handed to the connection, so nothing can exist.
 * `refused`: upstream said no, in words or by status; no task is running.
 * `unknown`: the body may have arrived whole and the answer is lost: a task may exist, and be paid for.
 */
export type Outcome = 'not_sent' | 'refused' | 'unknown';

/** What went wrong, in one word. Match on this, never on a message. */
export type GrsaiErrorCode =
  /** The caller's own mistake, found before anything was sent. */
  | 'invalid_request'
  /** No connection (DNS, refused, TLS, time limit), or it broke while the body was going out. */
  | 'connection_failed'
  /** The connection broke, or the answer was cut short, after the body had gone out. */
  | 'connection_lost'
  /** A time limit passed. */
  | 'timeout'
  /** The caller's signal fired. */
  | 'aborted'
  /** The caller's own source of body bytes failed. */
  | 'body_failed'
  /** Upstream answered no; `category` says why. */
  | 'refused'
  /** HTTP 429. */
  | 'rate_limited'
  /** HTTP 408 or 5xx: the front of upstream gave up, what is behind it may go on. */
  | 'server_error'
  /** An answer that is neither the expected JSON nor a refusal: HTML, empty, cut short, without an id. */
  | 'unreadable_answer'
  /** A streamed answer that came to its end and names no `finish_reason`: it may be whole, or cut short. */
  | 'no_finish_reason';

/** One base that was tried before the one that the error is about. */
export interface Tried {
  readonly base: string;
  readonly code: GrsaiErrorCode;
}

export interface GrsaiErrorInit {
  readonly code: GrsaiErrorCode;
  readonly outcome: Outcome;
  readonly message: string;
  readonly retryable?: boolean | undefined;
  readonly category?: Category | undefined;
  readonly suspect?: Suspect | undefined;
  readonly busy?: true | undefined;
  readonly status?: number | undefined;
  readonly raw?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly base?: string | undefined;
  readonly taskId?: string | undefined;
  readonly needsKeyProbe?: boolean | undefined;
  readonly cause?: unknown;
}

/** How much of upstream's text an error or a task state keeps, in characters. */
export const RAW_LIMIT = 16_384;

/** Upstream's text as it may be kept: cut to `RAW_LIMIT`, keys blanked. */
export const keepRaw = (text: string): string => redact(text.slice(0, RAW_LIMIT + KEY_LENGTH)).slice(0, RAW_LIMIT);

/** No key is longer, so none is cut in two before it is blanked. */
const KEY_LENGTH = 256;

/**
 * Every failure of this package but a wrong constructor argument. Nothing printable of it holds a key: not the message,
 * the raw text, `JSON.stringify` or `inspect`, causes included.
 */
export class GrsaiError extends Error {
  override readonly name: string = 'GrsaiError';
  readonly code: GrsaiErrorCode;
  readonly outcome: Outcome;
  /** The same call again is safe, makes no second paid task, and may work. */
  readonly retryable: boolean;
  /** Why upstream refused, by its text and status (upstream.md §11.1); `unknown` when nothing shows it. */
  readonly category: Category;
  /**
   * What a refusal of category `unknown` may be about: the key or the credits, in words that the caller wrote as well, or an address
   * at which there is no API.
   */
  readonly suspect: Suspect | undefined;
  /** Upstream refused since it is overloaded: nothing was made, and it passes. */
  readonly busy: boolean;
  /** HTTP status of the answer, when one began. */
  readonly status: number | undefined;
  /** What upstream sent, as text, keys blanked, at most 16 384 characters. */
  readonly raw: string | undefined;
  /** How long to wait before the next call, when upstream or the table of texts says so. */
  readonly retryAfterMs: number | undefined;
  /** The base that was called last. */
  readonly base: string | undefined;
  /** The task that the answer names although the call failed. A secret: the result query checks no key (upstream.md §12 T18). */
  readonly taskId: string | undefined;
  /** A 200 without a body or an id (upstream.md §12 T2): `probeKey()` shows whether the key was refused or an answer was lost. */
  readonly needsKeyProbe: boolean;
  /** Bases that were tried before `base`, where no task can exist. */
  tried: readonly Tried[] = [];

  constructor(init: GrsaiErrorInit) {
    super(redact(init.message), init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.outcome = init.outcome;
    this.retryable = init.retryable ?? init.outcome === 'not_sent';
    this.category = init.category ?? 'unknown';
    this.suspect = init.outcome === 'refused' && this.category === 'unknown' ? init.suspect : undefined;
    this.busy = init.busy === true && init.outcome === 'refused';
    this.status = init.status;
    this.raw = init.raw === undefined ? undefined : keepRaw(init.raw);
    this.retryAfterMs = init.retryAfterMs;
    this.base = init.base;
    this.taskId = init.taskId;
    this.needsKeyProbe = init.needsKeyProbe ?? false;
  }

  /** Plain facts, for a log line. The task id stays out, being a secret, though `raw` may hold it. */
  toJSON(): Record<string, unknown> {
    const { name, message, code, outcome, retryable, category, status, raw, retryAfterMs, base, needsKeyProbe, tried } = this;
    return { name, message, code, outcome, retryable, category, status, raw, retryAfterMs, base, needsKeyProbe, tried };
  }

  [inspect.custom](): string {
    const { name: _name, message: _message, ...rest } = this.toJSON();
    const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const facts = inspect(known, { compact: true, breakLength: Infinity });
    const cause = this.cause === undefined ? '' : `\n  [cause]: ${redact(inspect(this.cause))}`;
    return `${redact(this.stack ?? `${this.name}: ${this.message}`)} ${redact(facts)}${cause}`;
  }
}

/** The network failed: no connection, a broken one, a time limit, the caller's signal. */
export class GrsaiConnectionError extends GrsaiError {
  override readonly name = 'GrsaiConnectionError';
}

/** Upstream answered, and the answer is no, or a status that says that it gave up. */
export class GrsaiRefusedError extends GrsaiError {
  override readonly name = 'GrsaiRefusedError';
}

/** Upstream answered something that cannot be read as what was asked for. */
export class GrsaiAnswerError extends GrsaiError {
  override readonly name = 'GrsaiAnswerError';
}

/** A chat answer that ended without a `finish_reason`. What a stream brought has been handed over; it may be all there is. */
export class GrsaiUnfinishedError extends GrsaiError {
  override readonly name = 'GrsaiUnfinishedError';
  /** What came, of a call that was not read as a stream. */
  completion: ChatCompletion | undefined;
}

/** The request is wrong, and nothing was sent. `problems` lists all that was found. */
export class GrsaiInvalidRequestError extends GrsaiError {
  override readonly name = 'GrsaiInvalidRequestError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
    super({
      code: 'invalid_request',
      outcome: 'not_sent',
      retryable: false,
      category: 'input',
      message: `invalid request: ${list}`,
    });
    this.problems = problems;
  }
}
