import type { Digest } from './digest.ts';
import { ObjectStoreError } from './errors.ts';
import { letGo } from './let-go.ts';

export interface FeedOptions {
  readonly contentLength?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A reason of its own, since the signal would make an error with a stack for each feed that all went well with. */
const CLOSED = 'closed';

/**
 * Stands between a body and the SDK: counts and hashes what passes, and holds the limits.
 *
 * When the body breaks, a limit is crossed or the caller aborts, `failure` says so and `signal` fires, *before* the stream ends. The
 * stream itself ends quietly: the SDK hands no stream error on (`send()` would hang), and its checksum stream would even let one
 * escape as an uncaught exception (both tried with client-s3 3.1169). So every request has to be sent with `signal`.
 */
export class Feed {
  failure: ObjectStoreError | undefined;
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #digest: Digest;
  readonly #options: FeedOptions;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<undefined>;
  readonly #onAbort = (): void => this.#fail('aborted', 'aborted by the caller', this.#options.signal?.reason);

  constructor(body: AsyncIterable<Uint8Array>, digest: Digest, options: FeedOptions) {
    this.#body = body;
    this.#source = body[Symbol.asyncIterator]();
    this.#digest = digest;
    this.#options = options;
    this.#stopped = new Promise((resolve) => {
      this.#stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { contentLength, maxBytes } = options;
    if (contentLength !== undefined && maxBytes !== undefined && contentLength > maxBytes) this.#tooLarge(maxBytes);
  }

  /** Fires when the feed has failed, or is closed. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * The body, chunk by chunk. Ends early when the feed fails. The chunk that completes an announced length is handed on only when the
   * body has ended behind it, so that a store cannot have a whole object of a body that goes on or breaks.
   */
  async *chunks(): AsyncGenerator<Buffer> {
    while (!this.#stop.signal.aborted) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      const last = this.#digest.bytes === this.#options.contentLength;
      if (last && ((await this.#next()) !== undefined || this.#stop.signal.aborted)) return;
      yield chunk;
    }
  }

  /** Lets go of the body and of the caller's signal. What is still open on `signal` is cut. */
  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop.abort(CLOSED);
    letGo(this.#body, this.#source);
  }

  async #next(): Promise<Buffer | undefined> {
    const step = await Promise.race([this.#pull(), this.#stopped]);
    if (step === undefined) return undefined;
    const { contentLength, maxBytes } = this.#options;
    if (step.done) {
      const short = contentLength !== undefined && this.#digest.bytes < contentLength;
      if (short) this.#fail('source', `the body ended after ${this.#digest.bytes} of ${contentLength} bytes`);
      return undefined;
    }
    const chunk = Buffer.from(step.value.buffer, step.value.byteOffset, step.value.byteLength);
    if (chunk.byteLength === 0) return this.#next();
    const bytes = this.#digest.bytes + chunk.byteLength;
    if (maxBytes !== undefined && bytes > maxBytes) return this.#tooLarge(maxBytes);
    if (contentLength !== undefined && bytes > contentLength)
      return this.#fail('source', `the body is longer than its ${contentLength} bytes`);
    this.#digest.update(chunk);
    return chunk;
  }

  async #pull(): Promise<IteratorResult<Uint8Array> | undefined> {
    try {
      return await this.#source.next();
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      return this.#fail('source', `the body broke after ${this.#digest.bytes} bytes: ${said}`, cause);
    }
  }

  #tooLarge(maxBytes: number): undefined {
    return this.#fail('too_large', `the body is larger than ${maxBytes} bytes`);
  }

  #fail(code: 'source' | 'too_large' | 'aborted', message: string, cause?: unknown): undefined {
    this.failure ??= new ObjectStoreError(code, message, { cause });
    this.#stop.abort(this.failure);
    return undefined;
  }
}
