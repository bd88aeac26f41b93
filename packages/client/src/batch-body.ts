import { type Bytes, chunksOf, gzip, streamOf } from './bytes.ts';
import { untilAborted } from './deadline.ts';
import { InvalidRequestError } from './errors.ts';
import type { RepeatableBody } from './transport.ts';
import type { BatchItem } from './types.ts';

/**
 * What a batch is made of: items, or bytes of NDJSON (packed by gzip or not) as a file has them. Read once, as fast as it is sent.
 */
export type BatchSource =
  | Iterable<BatchItem | Uint8Array>
  | AsyncIterable<BatchItem | Uint8Array>
  | ReadableStream<BatchItem | Uint8Array>;

/** How far the source has been read. */
export interface SendProgress {
  /** 0 where the source has bytes. */
  items: number;
  /** Before they are packed. */
  bytes: number;
}

/** The body of a batch, and what goes with it. */
export interface BatchBody extends RepeatableBody {
  headers: Readonly<Record<string, string>>;
  /** Lets go of the source. */
  close(): void;
}

/** What can be done here. */
export interface Abilities {
  gzip: boolean;
  streams: boolean;
}

/** Text of items is collected up to this size before it is encoded. */
const PIECE_CHARS = 64 * 1024;

/** The service takes no more of one batch, unpacked. */
const MOST_BYTES = 200_000_000;

/**
 * The first try is sent while the source is read; what was sent is kept, packed, so that any other try sends the same bytes, all
 * at once and with their length: a source that is slow, or a way that takes no streams, fails no more than once.
 */
export async function batchBody(
  source: BatchSource,
  signal: AbortSignal,
  onProgress: ((progress: SendProgress) => void) | undefined,
  can: Abilities,
): Promise<BatchBody> {
  let failure: { error: unknown } | undefined;
  const plain = watched(piecesOf(source, onProgress ?? (() => undefined)), (error) => {
    failure ??= { error };
  });
  const first = await untilAborted(plain.next(), signal).catch((error: unknown) => {
    letGo(plain);
    throw error;
  });
  if (failure !== undefined) throw failure.error;
  const packedAlready = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  const all = startingWith(first, plain);
  const bytes = keep(can.gzip && !packedAlready ? gzip(all) : all);
  let tries = 0;
  return {
    headers: {
      'content-type': 'application/x-ndjson',
      ...(can.gzip || packedAlready ? { 'content-encoding': 'gzip' } : {}),
    },
    get failure() {
      return failure;
    },
    open: async () => {
      tries += 1;
      return can.streams && tries === 1 ? bytes.stream() : await bytes.whole();
    },
    close: bytes.close,
  };
}

/** The source as bytes: each item a line, several lines in a piece. */
async function* piecesOf(
  source: BatchSource,
  onProgress: (progress: SendProgress) => void,
): AsyncGenerator<Bytes, void, undefined> {
  const encoder = new TextEncoder();
  const progress: SendProgress = { items: 0, bytes: 0 };
  const read = (piece: Bytes): Bytes => {
    progress.bytes += piece.length;
    if (progress.bytes > MOST_BYTES) throw tooLarge();
    onProgress({ ...progress });
    return piece;
  };
  let text = '';
  for await (const each of iterable(source)) {
    if (each instanceof Uint8Array) {
      if (each.length > 0) yield read(each as Bytes);
      continue;
    }
    progress.items += 1;
    text += lineOf(each, progress.items);
    if (text.length < PIECE_CHARS) continue;
    yield read(encoder.encode(text));
    text = '';
  }
  if (text !== '') yield read(encoder.encode(text));
}

function iterable(source: BatchSource): AsyncIterable<BatchItem | Uint8Array> | Iterable<BatchItem | Uint8Array> {
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) return source;
    if ('getReader' in source) return chunksOf(source as ReadableStream<BatchItem | Uint8Array>);
  }
  throw new InvalidRequestError({
    code: 'invalid_items',
    detail: 'A batch is made of an iterable of items, or of a stream of the bytes of NDJSON.',
  });
}

const tooLarge = (): InvalidRequestError =>
  new InvalidRequestError({
    code: 'invalid_items',
    detail: `A batch is limited to ${MOST_BYTES} bytes; send the rest as another batch.`,
  });

function lineOf(item: unknown, number: number): string {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return `${JSON.stringify(item)}\n`;
  throw new InvalidRequestError({
    code: 'invalid_items',
    detail: `Item ${number} of the batch is ${item === null ? 'null' : `a ${typeof item}`}: each is an object with a custom_id, or bytes.`,
  });
}

/** Tells what `source` fails with. */
async function* watched<T>(source: AsyncIterable<T>, onError: (error: unknown) => void): AsyncGenerator<T, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
    throw error;
  }
}

async function* startingWith<T>(first: IteratorResult<T, void>, rest: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  if (!first.done) yield first.value;
  yield* rest;
}

/** Ends a source without waiting for it: one that does not answer must not hold the caller. */
function letGo(source: AsyncGenerator<unknown, void, undefined>): void {
  source.return().catch(() => undefined);
}

/** Reads `source` once and keeps it: as a stream that goes on with what was not read yet, or as a whole. */
function keep(source: AsyncGenerator<Bytes, void, undefined>) {
  const kept: Bytes[] = [];
  let ended = false;
  let reading: Promise<void> | undefined;
  const readOn = (): Promise<void> => {
    reading ??= source
      .next()
      .then(({ done, value }) => {
        if (done) ended = true;
        else kept.push(value);
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  async function* fromStart(): AsyncGenerator<Bytes, void, undefined> {
    for (let i = 0; ; i += 1) {
      while (i >= kept.length && !ended) await readOn();
      const chunk = kept[i];
      if (chunk === undefined) return;
      yield chunk;
    }
  }
  return {
    stream: () => streamOf(fromStart()),
    whole: async (): Promise<Blob> => {
      while (!ended) {
        await readOn();
        // A source that never waits would hold the event loop, and with it every deadline.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return new Blob(kept);
    },
    close: () => letGo(source),
  };
}
