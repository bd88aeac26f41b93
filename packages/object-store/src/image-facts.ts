import { letGo } from './let-go.ts';
import { KINDS } from './media/kinds.ts';
import { SizeScan } from './media/size-scan.ts';
import { svgRoot, svgSize } from './media/svg.ts';

/** What the first bytes say about a file. */
export interface MediaFacts {
  readonly contentType: string;
  /** For a file name, without the dot. */
  readonly ext: string;
  /**
   * In pixels, as it is shown (after EXIF orientation). Missing when the file does not say within 4 MiB, and for video. Of a body that is
   * peeked at it may be known only once the body has passed.
   */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
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

/** How much of a body is held to find out what it is. */
export const HEAD_BYTES = 256 * 1024;
/** The root of an SVG stands within so many bytes. */
const TEXT_BYTES = 64 * 1024;

/** Stored to be saved, never to be shown: it is a document with scripts, and runs where its bucket is. */
const SVG = { contentType: 'image/svg+xml', ext: 'svg' } as const;

/**
 * Type and size from the first bytes of a file (all of it, or at least {@link HEAD_BYTES}). What a server claims in its headers
 * plays no part. Throws {@link NotMedia}.
 */
export function factsOf(bytes: Uint8Array): MediaFacts {
  const { facts, scan } = lookAt(bytes);
  return { ...facts, ...scan?.size };
}

/** What a head says at once, and the scan that waits for the rest of a file whose size stands further on. */
function lookAt(bytes: Uint8Array): { facts: MediaFacts; scan?: SizeScan } {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES));
  const kind = KINDS.find((candidate) => candidate.is(head));
  if (kind === undefined) {
    const root = svgRoot(head.subarray(0, TEXT_BYTES));
    if (root === undefined) throw new NotMedia(head);
    return { facts: { ...SVG, ...svgSize(root) } };
  }
  const { contentType, ext, size } = kind;
  if (size === undefined) return { facts: { contentType, ext } };
  const scan = new SizeScan(size());
  scan.feed(bytes);
  return { facts: { contentType, ext }, scan };
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
    const { facts, scan } = lookAt(Buffer.concat(seen));
    const pending = scan === undefined || scan.over ? undefined : scan;
    const sized = pending === undefined ? { ...facts, ...scan?.size } : lateFacts(facts, pending);
    return { facts: sized, body: rest(seen, body, source, pending) };
  } catch (error) {
    letGo(body, source);
    throw error;
  }
}

/** Their size is asked of the scan each time: it comes by with the body. */
const lateFacts = ({ contentType, ext }: MediaFacts, scan: SizeScan): MediaFacts => ({
  contentType,
  ext,
  get width() {
    return scan.size?.width;
  },
  get height() {
    return scan.size?.height;
  },
});

/** No generator: one that was never started would not close its source. */
function rest(
  seen: Uint8Array[],
  body: AsyncIterable<Uint8Array>,
  source: AsyncIterator<Uint8Array>,
  scan: SizeScan | undefined,
): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const value = seen.shift();
      if (value !== undefined) return { done: false, value };
      const step = await source.next();
      if (step.done !== true && scan?.over === false) scan.feed(step.value);
      return step;
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
