import { constants, createBrotliDecompress, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { run, truncated } from './engine.ts';
import { ContentCodingError } from './error.ts';
import { GZIP_HEAD, gunzip, isGzip, isSurelyGzip } from './gzip.ts';
import { isPlain } from './plain.ts';

export { ContentCodingError, type ContentCodingProblem } from './error.ts';
export { unlessGzip, unlessPacked } from './unnamed.ts';

/** More codings over each other than anybody needs are an attack. */
export const MAX_CODINGS = 3;

/** From here on a body that is packed tighter than any picture or text is taken for a bomb. */
export const BOMB = { fromBytes: 16 * 1024 * 1024, ratio: 256 };

export interface DecodeOptions {
  /** The most that a body may hold, in bytes, decoded; without it only what is packed too tightly is refused. */
  readonly maxBytes?: number;
}

type Header = string | readonly string[] | undefined;
type Decoder = (input: ByteReader) => AsyncGenerator<Buffer>;

const CHUNK = { chunkSize: 64 * 1024 };
/** RFC 9659: no more than 8 MiB of window may be asked of a reader. */
const ZSTD = { ...CHUNK, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', deflate],
  ['br', brotli],
  ['zstd', zstd],
]);

/** The codings in the order in which they were applied (RFC 9110 §8.4): in any letter case, without those that change nothing. */
function codingsOf(header: Header): string[] {
  const names = [header ?? []].flat().join(',').split(',');
  return names
    .map((name) => (name.split(';')[0] ?? '').trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
}

/** Whether a `content-encoding` says that the bytes on the wire are not the body: then a `content-length` is not its length. */
export const isCoded = (header: Header): boolean => codingsOf(header).length > 0;

/**
 * The bytes of a body without the codings that `content-encoding` names: `gzip`, `deflate` (with and without the zlib frame), `br`, `zstd`.
 * What is plain in spite of its header is handed on as it is, and so is an empty body. What stands behind the end of a coded
 * body is passed over. Throws a {@link ContentCodingError} while it is read; leaving the loop early closes the source.
 */
export function decode(
  source: AsyncIterable<Uint8Array>,
  header: Header,
  { maxBytes = Number.POSITIVE_INFINITY }: DecodeOptions = {},
): AsyncIterable<Uint8Array> {
  const codings = codingsOf(header);
  if (codings.length === 0) return source;
  const wire = { bytes: 0 };
  let body: AsyncIterable<Uint8Array> = counted(source, wire);
  // Those that are too many are undone by nobody: the reader gets an error at the first chunk.
  const layers = codings.length > MAX_CODINGS ? [codings.join(', ')] : codings.toReversed();
  for (const coding of layers) body = layer(coding, body, wire, maxBytes);
  return body;
}

async function* counted(source: AsyncIterable<Uint8Array>, wire: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    wire.bytes += chunk.byteLength;
    yield chunk;
  }
}

/** One coding undone. Each has the limits for itself: what an outer one blows up need not come out at the end. */
async function* layer(
  coding: string,
  source: AsyncIterable<Uint8Array>,
  wire: { readonly bytes: number },
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const input = new ByteReader(source);
  let bytes = 0;
  try {
    if (!(await input.need(1))) return;
    for await (const piece of (await decoderFor(coding, input))(input)) {
      bytes += piece.length;
      if (bytes > maxBytes)
        throw new ContentCodingError('too_large', `without its coding ${coding} the body is larger than ${maxBytes} bytes`);
      if (bytes > BOMB.fromBytes && bytes > wire.bytes * BOMB.ratio)
        throw new ContentCodingError(
          'too_large',
          `the body is packed more than ${BOMB.ratio} times over by its coding ${coding}`,
        );
      yield piece;
    }
    while ((await input.take()) !== undefined);
  } finally {
    await input.close();
  }
}

/** The one that the header names, but that gzip is known by its first bytes. */
async function decoderFor(coding: string, input: ByteReader): Promise<Decoder> {
  const named = DECODERS.get(coding) ?? unknown(coding);
  // Those that are too many come in one text, and are refused.
  return !coding.includes(',') && (await input.need(GZIP_HEAD)) && isSurelyGzip(input.ready) ? gzip : named;
}

async function* asItIs(input: ByteReader): AsyncGenerator<Buffer> {
  for (let chunk = await input.take(); chunk !== undefined; chunk = await input.take()) yield chunk;
}

async function* gzip(input: ByteReader): AsyncGenerator<Buffer> {
  if (!(await input.need(2)) && input.ready[0] === 0x1f) throw truncated('gzip');
  yield* isGzip(input.ready) ? gunzip(input, CHUNK.chunkSize) : asItIs(input);
}

/** Meant is the zlib frame (RFC 9110 §8.4.1.2); many servers leave it out. */
async function* deflate(input: ByteReader): AsyncGenerator<Buffer> {
  await input.need(2);
  const [first = 0, second = 0] = input.ready;
  const framed = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  if (framed) yield* run('deflate', createInflate(CHUNK), input);
  else if (await isPlain(input)) yield* asItIs(input);
  else yield* run('deflate', createInflateRaw(CHUNK), input);
}

async function* brotli(input: ByteReader): AsyncGenerator<Buffer> {
  if (await isPlain(input)) yield* asItIs(input);
  else yield* run('br', createBrotliDecompress(CHUNK), input);
}

/** Frames, also those that are to be skipped (RFC 8878 §3.1), one behind another. */
const isZstd = (head: Buffer): boolean =>
  head.length >= 4 && (head.readUInt32LE(0) === 0xfd2fb528 || head.readUInt32LE(0) >>> 4 === 0x0184d2a5);

async function* zstd(input: ByteReader): AsyncGenerator<Buffer> {
  await input.need(4);
  if (!isZstd(input.ready)) {
    if (input.ready.length < 4 && !(await isPlain(input))) throw truncated('zstd');
    yield* asItIs(input);
    return;
  }
  do yield* run('zstd', createZstdDecompress(ZSTD), input);
  while ((await input.need(4)) && isZstd(input.ready));
}

function unknown(coding: string): Decoder {
  return async function* refuse(input) {
    if (await isPlain(input)) yield* asItIs(input);
    else
      throw new ContentCodingError(
        'unknown',
        `the body has the content coding ${JSON.stringify(coding.slice(0, 100))}, which is not read here (gzip, deflate, br and zstd are, ${MAX_CODINGS} at most)`,
      );
  };
}
