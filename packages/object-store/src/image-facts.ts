import { imageSize } from 'image-size';
import { letGo } from './let-go.ts';

/** What the first bytes say about a file. */
export interface MediaFacts {
  readonly contentType: string;
  /** For a file name, without the dot. */
  readonly ext: string;
  /** In pixels, as it is shown (after EXIF orientation). Missing when the head does not tell, and for video. */
  readonly width?: number;
  readonly height?: number;
}

/** Thrown for a body that is none of the types we store, such as an error page behind a result link. */
export class NotMedia extends Error {
  override name = 'NotMedia';
  readonly found: 'empty' | 'html' | 'text' | 'unknown';
  /** The first 200 bytes, printable, for the log. */
  readonly head: string;

  constructor(head: Uint8Array) {
    const text = Buffer.from(head.subarray(0, 200)).toString('latin1');
    const found = nameOf(text);
    super(found === 'empty' ? 'an empty body' : `neither image nor video, but ${found}`);
    this.found = found;
    this.head = text.replace(/[^\x20-\x7e]+/g, ' ');
  }
}

/** How much of a body is looked at: enough for the frame header behind the metadata of a JPEG. */
export const HEAD_BYTES = 256 * 1024;

interface Kind {
  readonly contentType: string;
  readonly ext: string;
  readonly sized: boolean;
  is(head: Buffer): boolean;
}

const at =
  (offset: number, ...texts: readonly string[]) =>
  (head: Buffer): boolean =>
    texts.some((text) => head.toString('latin1', offset, offset + text.length) === text);

/** True when the ISO box `ftyp` names one of these brands, as its own or as a compatible one (ISO/IEC 14496-12 §4.3). */
const branded =
  (...brands: readonly string[]) =>
  (head: Buffer): boolean => {
    if (!at(4, 'ftyp')(head)) return false;
    const named = head.toString('latin1', 8, Math.min(head.readUInt32BE(0), 128)).match(/[\s\S]{4}/g) ?? [];
    return named.some((brand, index) => index !== 1 && brands.includes(brand));
  };

/** The first that fits. AVIF stands before MP4: both are `ftyp` files and an AVIF may name ISO brands too. */
const KINDS: readonly Kind[] = [
  { contentType: 'image/png', ext: 'png', sized: true, is: at(0, '\x89PNG\r\n\x1a\n') },
  { contentType: 'image/jpeg', ext: 'jpg', sized: true, is: at(0, '\xff\xd8\xff') },
  { contentType: 'image/webp', ext: 'webp', sized: true, is: (head) => at(0, 'RIFF')(head) && at(8, 'WEBP')(head) },
  { contentType: 'image/gif', ext: 'gif', sized: true, is: at(0, 'GIF87a', 'GIF89a') },
  { contentType: 'image/avif', ext: 'avif', sized: true, is: branded('avif', 'avis') },
  {
    contentType: 'video/mp4',
    ext: 'mp4',
    sized: false,
    is: branded('isom', 'iso2', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'M4V ', 'dash'),
  },
];

/**
 * Type and size from the first bytes of a file (all of it, or at least {@link HEAD_BYTES}). What a server claims in its headers
 * plays no part. Throws {@link NotMedia}.
 */
export function factsOf(bytes: Uint8Array): MediaFacts {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES));
  const kind = KINDS.find((candidate) => candidate.is(head));
  if (kind === undefined) throw new NotMedia(head);
  const { contentType, ext } = kind;
  return { contentType, ext, ...(kind.sized ? sizeOf(head) : {}) };
}

/** Orientations 5 to 8 of EXIF turn the picture by a quarter. */
function sizeOf(head: Buffer): { width?: number; height?: number } {
  try {
    const { width, height, orientation = 1 } = imageSize(head);
    if (!(width > 0 && height > 0)) return {};
    return orientation >= 5 ? { width: height, height: width } : { width, height };
  } catch {
    return {}; // the type is certain, the header is cut or odd
  }
}

/**
 * Reads the head of a body and gives back what it is together with the whole body, head included. The body can be read once.
 * Rejects with {@link NotMedia}, or with whatever the body threw; then the body has been closed.
 */
export async function peekFacts(
  body: AsyncIterable<Uint8Array>,
): Promise<{ facts: MediaFacts; body: AsyncIterable<Uint8Array> }> {
  const source = body[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < HEAD_BYTES) {
      const step = await source.next();
      if (step.done) break;
      seen.push(step.value);
      size += step.value.byteLength;
    }
    return { facts: factsOf(Buffer.concat(seen)), body: rest(seen, body, source) };
  } catch (error) {
    letGo(body, source);
    throw error;
  }
}

/** No generator: one that was never started would not close its source. */
function rest(seen: Uint8Array[], body: AsyncIterable<Uint8Array>, source: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const value = seen.shift();
      return value === undefined ? source.next() : { done: false, value };
    },
    return: async () => {
      seen.length = 0;
      letGo(body, source);
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function nameOf(text: string): NotMedia['found'] {
  if (text.length === 0) return 'empty';
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|!--)/i.test(text)) return 'html';
  return /^[\t\r\n\x20-\x7e]*$/.test(text) ? 'text' : 'unknown';
}
