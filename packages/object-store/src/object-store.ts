import type { Readable } from 'node:stream';

/** What was stored, as it was counted and hashed on its way out. */
export interface StoredObject {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface PutOptions {
  readonly contentType: string;
  /**
   * Exact size of the body. Up to 8 MiB it is held in memory, eight of them at once, and a failed request is repeated up to twice; larger ones, and
   * those that find no memory within a second, stream as one request. Without it parts of 5 MiB are held in memory, one at a time.
   */
  readonly contentLength?: number;
  /** Ends the upload; nothing half-done stays in the store. */
  readonly signal?: AbortSignal;
  /** A body that is larger is refused as `too_large`, as soon as that is known. */
  readonly maxBytes?: number;
  /** Nobody else looks at a chunk of the body once it was taken: its memory is given back as soon as it was copied. */
  readonly ownsChunks?: boolean;
}

export interface PutBytesOptions {
  readonly contentType: string;
  readonly signal?: AbortSignal;
  /** Where others wait for the event loop: asked while the bytes are hashed, which takes some ms for each MiB. */
  readonly slices?: { over(): boolean; next(): Promise<void> };
}

export interface FetchedObject {
  /** Must be read to its end or destroyed, else its connection is not given back. What breaks it while reading is the stream's own error. */
  readonly body: Readable;
  readonly contentType?: string;
  readonly bytes?: number;
}

export interface SignedLink {
  readonly url: string;
  /** When it stops working, in ms since 1970. */
  readonly expiresAt: number;
}

/**
 * Objects in a bucket. Keys are whole, as they stand in the bucket. Every method rejects with an `ObjectStoreError` and nothing else.
 * A put that resolved is proven: the store has held what it got against the digest in the signature, or its own digest, or the object read back,
 * equals what was sent.
 */
export interface ObjectStore {
  /**
   * Puts `body` under `key`, replacing what was there. Takes the body one chunk after another, and where it streams no faster than the store does;
   * the body's iterator is closed in every case.
   */
  put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject>;
  /** The same for bytes in memory; a failed request is repeated up to twice. After an abort the bytes may still have arrived. */
  putBytes(key: string, bytes: Uint8Array, options: PutBytesOptions): Promise<StoredObject>;
  /** Rejects with `not_found` when there is no such object. */
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<FetchedObject>;
  /** A link that anyone can GET for `ttlSeconds` (1 s to 7 days), or until the credentials that sign it end. No request is made. */
  signedUrl(key: string, ttlSeconds: number): Promise<SignedLink>;
  /** When the credentials end that sign links now, in ms since 1970; `null` when they do not. */
  signsUntil(): Promise<number | null>;
  /** Keys that begin with `prefix`, all of them: for the few objects of one job. `denied` where the credentials may not list. */
  list(prefix: string): Promise<string[]>;
  /** Removes objects; one that is not there counts as removed. Tries all before it rejects with the first failure. */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * Resolves when a small object could be written under the prefix, proven, and removed. `written` is called with the
   * first half: a store that keeps what it was given, whatever else it refuses.
   */
  probe(written?: () => void): Promise<void>;
  /** Gives the connections back. The store is of no use afterwards. */
  close(): void;
}
