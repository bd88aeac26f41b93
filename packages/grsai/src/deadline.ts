/** Time limits of one call, in milliseconds. */
export interface Limits {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** Between two chunks of the body being taken. */
  readonly uploadIdleMs: number;
  /** From the last byte of the body to the answer: to its headers when `idleMs` is set, else to its end. */
  readonly answerMs: number;
  /** Between two chunks of the answer. */
  readonly idleMs?: number;
  /** The whole call. */
  readonly totalMs?: number;
}

/** Which limit passed. */
export type Phase = 'connect' | 'upload' | 'answer' | 'idle' | 'total';

const WORDS: Readonly<Record<Phase, string>> = {
  connect: 'no connection',
  upload: 'the upload stood still',
  answer: 'no answer',
  idle: 'the answer stood still',
  total: 'the call was not done',
};

/** Why a call is over before upstream ended it. */
export class Stop {
  readonly kind: 'timeout' | 'aborted';
  readonly phase: Phase | undefined;
  readonly message: string;
  readonly cause: unknown;

  private constructor(kind: 'timeout' | 'aborted', phase: Phase | undefined, message: string, cause?: unknown) {
    this.kind = kind;
    this.phase = phase;
    this.message = message;
    this.cause = cause;
  }

  static timeout = (phase: Phase, ms: number): Stop => new Stop('timeout', phase, `${WORDS[phase]} within ${ms} ms`);
  static aborted = (cause: unknown): Stop => new Stop('aborted', undefined, 'aborted by the caller', cause);
}

/** The clock of one call: one limit for the phase that it is in and one for all of it, and the caller's signal. */
export class Deadline {
  readonly #abort = new AbortController();
  readonly #limits: Limits;
  readonly #caller: AbortSignal | undefined;
  #phase: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  #last = false;

  constructor(limits: Limits, caller: AbortSignal | undefined) {
    this.#limits = limits;
    this.#caller = caller;
    if (caller?.aborted === true) this.#onCallerAbort();
    else caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (limits.totalMs !== undefined) this.#total = this.#timer('total', limits.totalMs);
  }

  /** Fires with a `Stop` as its reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stop(): Stop | undefined {
    return this.#abort.signal.aborted ? (this.#abort.signal.reason as Stop) : undefined;
  }

  connecting(): void {
    this.#enter('connect', this.#limits.connectMs);
  }

  uploaded(complete: boolean): void {
    if (complete) this.#enter('answer', this.#limits.answerMs);
    else this.#enter('upload', this.#limits.uploadIdleMs);
  }

  received(): void {
    if (this.#limits.idleMs !== undefined && !this.#last) this.#enter('idle', this.#limits.idleMs);
  }

  /** The reader is busy with what came: its time is not upstream's. */
  pause(): void {
    if (this.#limits.idleMs !== undefined && !this.#last) clearTimeout(this.#phase);
  }

  /** The rest has to come within `ms`, whatever else comes; `undefined`: it may take its time after all. */
  last(ms: number | undefined): void {
    this.#last = ms !== undefined;
    if (ms === undefined) clearTimeout(this.#phase);
    else this.#enter('idle', ms);
  }

  /** The call is over: no timer and no listener is left. */
  clear(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }

  #enter(phase: Phase, ms: number): void {
    clearTimeout(this.#phase);
    if (!this.signal.aborted) this.#phase = this.#timer(phase, ms);
  }

  #timer(phase: Phase, ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#abort.abort(Stop.timeout(phase, ms)), ms);
  }

  readonly #onCallerAbort = (): void => {
    this.#abort.abort(Stop.aborted(this.#caller?.reason));
  };
}
