import { brotliDecompressSync, inflateRawSync, inflateSync } from 'node:zlib';
import { fileType, MAGIC_LENGTH } from '../file-type.ts';
import { GZIP_HEAD, isSurelyGzip } from './gzip.ts';
import { type DecodeOptions, decode } from './index.ts';

/** So many bytes without a control character are text, and nothing that is packed. */
const TEXT_HEAD = 8;

/** No answer that is packed without a word of it is larger; one that is stays as it is. */
const LARGEST = 8 * 1024 * 1024;
const UNPACKED = { maxOutputLength: 64 * 1024 * 1024 };

/** Codings without a mark by which they are known. */
const UNMARKED = [inflateSync, brotliDecompressSync, inflateRawSync] as const;

type Source = AsyncIterable<Uint8Array>;
type Chunks = AsyncIterator<Uint8Array>;

/** Chunks with so many bytes in all, or all there are. */
async function firstOf(chunks: Chunks, bytes: number, before: Uint8Array = Buffer.alloc(0)): Promise<Uint8Array> {
  let head = before;
  while (head.length < bytes && !isWhole(head)) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return head;
}

/** JSON that is over: the connection may be left open behind it. */
const isWhole = (head: Uint8Array): boolean =>
  head.length < TEXT_HEAD && /^[{[].*[}\]]\s*$/s.test(Buffer.from(head).toString('latin1'));

async function* behind(first: Uint8Array, rest: Chunks): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

/** A body that is not said to be packed: as it is, unless gzip has packed it all the same. `onPacked` is told before its first byte. */
export async function* unlessGzip(
  source: Source,
  options: DecodeOptions = {},
  onPacked: () => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const head = await firstOf(chunks, GZIP_HEAD);
    const packed = isSurelyGzip(head);
    if (packed) onPacked();
    yield* packed ? decode(behind(head, chunks), 'gzip', options) : behind(head, chunks);
  } finally {
    await chunks.return?.();
  }
}

/** The same of an answer, which is a text or a file: what is neither may be packed by a coding that has no mark. */
export async function* unlessPacked(source: Source): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    let head = await firstOf(chunks, TEXT_HEAD);
    if (isText(head)) return yield* behind(head, chunks);
    if (isSurelyGzip(head)) return yield* decode(behind(head, chunks), 'gzip');
    head = await firstOf(chunks, MAGIC_LENGTH, head);
    if (fileType(head) !== undefined) return yield* behind(head, chunks);
    const bytes = await firstOf(chunks, LARGEST + 1, head);
    const text = bytes.length > LARGEST ? undefined : unpacked(bytes);
    yield* behind(text ?? bytes, chunks);
  } finally {
    await chunks.return?.();
  }
}

/** The text that any of the codings has packed. */
function unpacked(bytes: Uint8Array): Uint8Array | undefined {
  for (const unpack of UNMARKED) {
    try {
      const text = unpack(bytes, UNPACKED);
      if (text.length > 0 && isText(text)) return text;
    } catch {
      // It is not what this one has packed.
    }
  }
  return undefined;
}

/** UTF-8 without control characters; the last character may be cut. */
function isText(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, 4096), { stream: true });
    return !/[^\P{Cc}\t\r\n]/u.test(text);
  } catch {
    return false;
  }
}
