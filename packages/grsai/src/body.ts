import { GrsaiError } from './errors.ts';

/** A body made by the caller, for requests too large to build in memory: `chunks` must add up to `length` bytes. */
export interface StreamedBody {
  /** Bytes in all, sent as `content-length`. */
  readonly length: number;
  /**
   * Asked for an iterator once for each base that is tried. A source that can begin only once (a generator, a stream)
   * works as well, but after its first chunk there is no second base.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A whole request body as JSON text or its bytes, sent as it is, or a streamed one. */
export type RawBody = string | Uint8Array | StreamedBody;

export const isRawBody = (body: unknown): body is RawBody =>
  typeof body === 'string' ||
  body instanceof Uint8Array ||
  (typeof body === 'object' && body !== null && 'chunks' in body && 'length' in body);

/** Pieces small enough that a slow upload shows progress. */
const PIECE = 64 * 1024;

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** A body that can be sent, once for each base. */
export interface Payload {
  readonly length: number;
  /** Whether an upload begun now would start with the first byte. */
  fresh(): boolean;
  chunks(): AsyncIterable<Uint8Array>;
}

export function payloadOf(body: RawBody): Payload {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return { length: bytes.length, fresh: () => true, chunks: () => pieces(bytes) };
  }
  const { length, chunks } = body;
  const once = 'next' in chunks || 'readableFlowing' in chunks;
  let begun = false;
  return {
    length,
    fresh: () => !(once && begun),
    chunks: () => {
      begun = true;
      return chunks;
    },
  };
}

/**
 * One upload: hands the chunks to the connection and knows how far it got. As long as `complete` is false the last byte was
 * never given away, so no task can exist (design.md §4). It is set just before the last chunk is handed over.
 */
export class Upload implements AsyncIterable<Uint8Array> {
  readonly #payload: Payload;
  readonly #onProgress: (complete: boolean) => void;
  #taken = 0;
  #stopped = false;

  constructor(payload: Payload, onProgress: (complete: boolean) => void) {
    this.#payload = payload;
    this.#onProgress = onProgress;
  }

  get complete(): boolean {
    return this.#taken >= this.#payload.length;
  }

  /** From now on nothing is handed over. What was said about the upload stays true. */
  stop(): void {
    this.#stopped = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { length } = this.#payload;
    try {
      for await (const chunk of this.#payload.chunks()) {
        if (chunk.length === 0) continue;
        if (this.#stopped) return;
        if (this.#taken + chunk.length > length) throw new RangeError(`the body is longer than the ${length} bytes announced`);
        this.#taken += chunk.length;
        this.#onProgress(this.complete);
        yield chunk;
        if (this.complete) return;
      }
    } catch (cause) {
      throw bodyFailed(cause);
    }
    if (!this.complete) throw bodyFailed(new RangeError(`the body is shorter than the ${length} bytes announced`));
  }
}

const bodyFailed = (cause: unknown): GrsaiError =>
  new GrsaiError({
    code: 'body_failed',
    outcome: 'not_sent',
    retryable: true,
    message: 'the source of the request body failed',
    cause,
  });
