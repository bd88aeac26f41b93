import { encodeJpeg, JPEG_COMMENT_OVERHEAD, jpegComment } from './jpeg.ts';
import { paintOf } from './paint.ts';
import { encodePng, PNG_CHUNK_OVERHEAD, pngChunk } from './png.ts';

export type Format = 'png' | 'jpeg' | 'mp4';

export interface Rendering {
  readonly format: Format;
  readonly width: number;
  readonly height: number;
  /** What decides the content. */
  readonly text: string;
  /** Total size wanted; a picture that is larger by itself stays as it is. */
  readonly bytes?: number | undefined;
}

export interface Rendered {
  readonly length: number;
  /** The bytes piece by piece, so that a file of many MiB is never held whole. */
  readonly pieces: () => Generator<Buffer>;
}

export const CONTENT_TYPES: Readonly<Record<Format, string>> = { png: 'image/png', jpeg: 'image/jpeg', mp4: 'video/mp4' };

const FILLER = Buffer.alloc(60_000, 'grsai-emulator ');

interface Padding {
  readonly overhead: number;
  readonly block: Buffer;
  readonly wrap: (data: Buffer) => Buffer;
}

/** Parts of each format that a decoder skips: private chunks, comments, `free` boxes. */
const PADDING: Readonly<Record<Format, Padding>> = {
  png: padding(PNG_CHUNK_OVERHEAD, (data) => pngChunk('paDd', data)),
  jpeg: padding(JPEG_COMMENT_OVERHEAD, jpegComment),
  mp4: padding(8, (data) => box('free', data)),
};

function padding(overhead: number, wrap: (data: Buffer) => Buffer): Padding {
  return { overhead, wrap, block: wrap(FILLER) };
}

/** Renders on demand: the same rendering always gives the same bytes, so nothing needs to be kept. */
export function render(spec: Rendering): Rendered {
  const { head, tail } = encode(spec);
  const { overhead, block, wrap } = PADDING[spec.format];
  const missing = (spec.bytes ?? 0) - head.length - tail.length;
  if (missing < overhead) return { length: head.length + tail.length, pieces: () => list(head, tail) };
  const blocks = Math.floor((missing - overhead) / block.length);
  const rest = wrap(Buffer.alloc(missing - overhead - blocks * block.length, ' '));
  return {
    length: head.length + missing + tail.length,
    pieces: () => list(head, ...new Array<Buffer>(blocks).fill(block), rest, tail),
  };
}

function* list(...pieces: readonly Buffer[]): Generator<Buffer> {
  yield* pieces;
}

function encode(spec: Rendering): { readonly head: Buffer; readonly tail: Buffer } {
  const paint = paintOf(spec.text);
  switch (spec.format) {
    case 'png':
      return encodePng(paint, spec.width, spec.height);
    case 'jpeg':
      return encodeJpeg(paint, spec.width, spec.height);
    case 'mp4':
      return {
        head: box('ftyp', Buffer.from('isom\u0000\u0000\u0002\u0000isommp41', 'latin1')),
        tail: box('mdat', Buffer.from(spec.text)),
      };
  }
}

function box(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length + 8, 0);
  head.write(name, 4, 'latin1');
  return Buffer.concat([head, data]);
}
