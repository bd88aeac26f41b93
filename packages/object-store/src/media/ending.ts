/** So much of the end of a file is looked at: some have padding behind it. */
const TAIL_BYTES = 4096;

/** Signs that stand at the end of a whole file, as latin1. */
const SIGNS: Readonly<Record<string, string>> = {
  'image/png': 'IEND',
  'image/jpeg': '\xff\xd9',
  'image/gif': '\x3b',
};

/** Whether a file that passes by came to its own end. Formats without a sign of it are taken for whole. */
export class Ending {
  readonly #sign: string | undefined;
  #tail = '';

  constructor(contentType: string) {
    this.#sign = SIGNS[contentType];
  }

  feed(chunk: Uint8Array): void {
    if (this.#sign === undefined) return;
    const end = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).subarray(-TAIL_BYTES);
    this.#tail = (this.#tail + end.toString('latin1')).slice(-TAIL_BYTES);
  }

  get reached(): boolean {
    return this.#sign === undefined || this.#tail.includes(this.#sign);
  }
}
