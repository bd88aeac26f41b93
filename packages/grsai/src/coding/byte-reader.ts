const NOTHING = Buffer.alloc(0);

/** Bytes that come in chunks split anywhere, with a look ahead. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #ready: Buffer = NOTHING;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What has come and was not taken yet. */
  get ready(): Buffer {
    return this.#ready;
  }

  /** Waits until so many bytes are ready; `false` when the source ends before. */
  async need(count: number): Promise<boolean> {
    while (this.#ready.length < count) {
      const chunk = await this.#pull();
      if (chunk === undefined) return false;
      this.#ready = this.#ready.length === 0 ? chunk : Buffer.concat([this.#ready, chunk]);
    }
    return true;
  }

  skip(count: number): void {
    this.#ready = this.#ready.subarray(count);
  }

  /** Takes what is ready, or else the next chunk; `undefined` at the end. */
  async take(): Promise<Buffer | undefined> {
    if (this.#ready.length === 0) return this.#pull();
    const chunk = this.#ready;
    this.#ready = NOTHING;
    return chunk;
  }

  /** Puts back what a taker had no use for. */
  untake(bytes: Buffer): void {
    this.#ready = bytes;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #pull(): Promise<Buffer | undefined> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done === true) return undefined;
      if (value.byteLength > 0) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }
}
