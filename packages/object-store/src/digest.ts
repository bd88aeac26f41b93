import { createHash, type Hash } from 'node:crypto';

/**
 * Counts and hashes a body: SHA-256, and where it is asked for MD5, because that is the ETag of an object that was sent in one request
 * (S3 user guide, "Checking object integrity"; with KMS keys it is not).
 */
export class Digest {
  bytes = 0;
  readonly #sha256 = createHash('sha256');
  readonly #md5: Hash | undefined;
  #done: { sha256: string; md5: string | undefined } | undefined;

  constructor(o: { md5?: boolean } = {}) {
    this.#md5 = o.md5 ? createHash('md5') : undefined;
  }

  update(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    this.#sha256.update(chunk);
    this.#md5?.update(chunk);
  }

  /** Both in lower-case hex. Ends the digest; a second call answers the same. */
  finish(): { sha256: string; md5: string | undefined } {
    this.#done ??= { sha256: this.#sha256.digest('hex'), md5: this.#md5?.digest('hex') };
    return this.#done;
  }
}
