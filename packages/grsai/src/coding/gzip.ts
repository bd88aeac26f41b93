import { crc32, createInflateRaw } from 'node:zlib';
import type { ByteReader } from './byte-reader.ts';
import { run, truncated } from './engine.ts';
import { ContentCodingError } from './error.ts';

/** Flags of a header (RFC 1952 §2.3.1). */
const HEADER_CRC = 2;
const EXTRA = 4;
const NAME = 8;
const COMMENT = 16;

const DEFLATED = 8;

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** So many bytes show that a body is packed by gzip, whatever it is said to be: nothing else begins so. */
export const GZIP_HEAD = 3;
export const isSurelyGzip = (head: Uint8Array): boolean => isGzip(head) && head[2] === DEFLATED;

/**
 * The members of a gzip body. Its framing is read here, since zlib's own reader takes what stands behind the last member, be it a
 * line end, for an error: browsers pass it over.
 */
export async function* gunzip(input: ByteReader, chunkSize: number): AsyncGenerator<Buffer> {
  do {
    await header(input);
    let [bytes, sum] = [0, 0];
    for await (const piece of run('gzip', createInflateRaw({ chunkSize }), input)) {
      bytes += piece.length;
      sum = crc32(piece, sum);
      yield piece;
    }
    await need(input, 8);
    if (input.ready.readUInt32LE(0) !== sum || input.ready.readUInt32LE(4) !== bytes % 2 ** 32) throw corrupt('wrong checksum');
    input.skip(8);
  } while ((await input.need(3)) && isGzip(input.ready) && input.ready[2] === DEFLATED);
}

async function header(input: ByteReader): Promise<void> {
  await need(input, 10);
  if (!isGzip(input.ready) || input.ready[2] !== DEFLATED) throw corrupt('unknown method');
  const flags = input.ready[3] ?? 0;
  input.skip(10);
  if (flags & EXTRA) {
    await need(input, 2);
    const length = 2 + input.ready.readUInt16LE(0);
    await need(input, length);
    input.skip(length);
  }
  if (flags & NAME) await skipText(input);
  if (flags & COMMENT) await skipText(input);
  if (flags & HEADER_CRC) {
    await need(input, 2);
    input.skip(2);
  }
}

async function skipText(input: ByteReader): Promise<void> {
  for (;;) {
    const end = input.ready.indexOf(0);
    if (end !== -1) return input.skip(end + 1);
    input.skip(input.ready.length);
    await need(input, 1);
  }
}

async function need(input: ByteReader, count: number): Promise<void> {
  if (!(await input.need(count))) throw truncated('gzip');
}

const corrupt = (what: string): ContentCodingError =>
  new ContentCodingError('corrupt', `the body is not what its coding gzip says (${what})`);
