const FIRST_BYTES = 1_024;

/** The beginning of a body, copied into a buffer of its own: no buffer of the network is kept alive, however small the chunks were. */
export class Kept {
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** What has been kept. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What it takes in memory. */
  get capacity(): number {
    return this.#bytes.buffer.byteLength;
  }

  /** Keeps of a chunk what fits below `limit` bytes in all. */
  add(chunk: Uint8Array, limit: number): void {
    const part = chunk.subarray(0, Math.max(0, limit - this.#length));
    this.#grow(this.#length + part.length, limit);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  #grow(needed: number, limit: number): void {
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
