import { EgressError } from './errors.ts';

/**
 * The clocks of one download behind one signal: whichever limit runs out first, or the caller's signal, aborts it with an
 * {@link EgressError} as the reason. Its timers are gone once it is aborted or done.
 */
export class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #total: NodeJS.Timeout;
  readonly #stopped = Promise.withResolvers<never>();
  #done = false;

  constructor(totalMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#total = setTimeout(() => this.abort(new EgressError('timeout', `not finished within ${totalMs} ms`)), totalMs);
    this.#stopped.promise.catch(() => undefined);
    outer?.addEventListener('abort', this.#onOuterAbort);
    if (outer?.aborted) this.#onOuterAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The promise's value, unless `ms` pass first: that aborts the whole download. Rejects at once when it is aborted. */
  async within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.abort(new EgressError('timeout', `${what} for ${ms} ms`)), ms);
    try {
      // undici itself answers an abort only after the connection stands or has failed.
      return await Promise.race([promise, this.#stopped.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Only the first reason counts; after {@link Watch.done} there is none. */
  abort(reason: EgressError): void {
    if (this.#done) return;
    this.done();
    this.#stopped.reject(reason);
    this.#controller.abort(reason);
  }

  /** The rest of it will not be read. An error is dear, and when all went well nobody needs one. */
  giveUp(): void {
    if (!this.#done) this.abort(new EgressError('aborted', 'the download was given up'));
  }

  /** All went well: stops the clocks. */
  done(): void {
    this.#done = true;
    clearTimeout(this.#total);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  readonly #onOuterAbort = (): void => this.abort(new EgressError('aborted', 'the download was cut short on our side'));
}
