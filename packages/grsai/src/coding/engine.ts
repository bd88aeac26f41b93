import type { Transform } from 'node:stream';
import type { ByteReader } from './byte-reader.ts';
import { ContentCodingError } from './error.ts';

/** What is used of the streams of `node:zlib`. `bytesWritten` counts the bytes that were really decoded. */
type ZlibStream = Transform & { readonly bytesWritten: number };

/**
 * Runs one zlib stream up to the end of its format, and leaves in `input` what stands behind it. All that can be made of a chunk is handed
 * over before the next is asked for, so an event comes through as soon as its bytes have; nothing is decoded faster than it is taken.
 */
export async function* run(coding: string, stream: ZlibStream, input: ByteReader): AsyncGenerator<Buffer> {
  const engine = new Engine(coding, stream);
  try {
    for (let chunk = await input.take(); chunk !== undefined; chunk = await input.take()) {
      const before = stream.bytesWritten;
      yield* engine.feed(chunk);
      const used = stream.bytesWritten - before;
      if (used === chunk.length) continue;
      input.untake(chunk.subarray(used));
      return;
    }
    yield* engine.finish();
  } finally {
    stream.destroy();
  }
}

class Engine {
  readonly #coding: string;
  readonly #stream: ZlibStream;
  #wake: () => void = () => undefined;
  #error: unknown;
  #taken = true;
  #ended = false;

  constructor(coding: string, stream: ZlibStream) {
    this.#coding = coding;
    this.#stream = stream;
    stream.on('readable', () => this.#wake());
    stream.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    stream.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
  }

  /** Ends when the chunk has been taken in, or the format has ended in the middle of it. */
  feed(chunk: Buffer): AsyncGenerator<Buffer> {
    this.#taken = false;
    this.#stream.write(chunk, () => {
      this.#taken = true;
      this.#wake();
    });
    return this.#drain();
  }

  finish(): AsyncGenerator<Buffer> {
    this.#taken = false;
    this.#stream.end();
    return this.#drain();
  }

  async *#drain(): AsyncGenerator<Buffer> {
    for (;;) {
      const change = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const piece = this.#stream.read() as Buffer | null;
      if (piece !== null) {
        yield piece;
        continue;
      }
      if (this.#error !== undefined) throw failure(this.#coding, this.#error);
      if (this.#ended || this.#taken) return;
      await change;
    }
  }
}

function failure(coding: string, cause: unknown): ContentCodingError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (code === 'Z_BUF_ERROR') return truncated(coding, cause);
  return new ContentCodingError('corrupt', `the body is not what its coding ${coding} says (${String(message)})`, cause);
}

export const truncated = (coding: string, cause?: unknown): ContentCodingError =>
  new ContentCodingError('truncated', `the body ends before its coding ${coding} does`, cause);
