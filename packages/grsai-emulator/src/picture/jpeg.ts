import type { Paint } from './paint.ts';

/**
 * A baseline JPEG encoder for smooth pictures: each 8×8 block is a plane (its mean and two slopes), so three coefficients
 * say all of it and no DCT is needed. Both Huffman tables give every symbol a code of the same length, which makes
 * a symbol's place in the list its code.
 */
const STEP = 8; // one quantiser for all coefficients
const DC_SYMBOLS = Array.from({ length: 12 }, (_, size) => size);
const DC_BITS = 4;
const AC_SYMBOLS = [0x00, ...sizes(0x00), ...sizes(0x10)]; // end of block; a value at once; a value after one zero
const AC_BITS = 5;
/** The second DCT coefficient of a ramp that rises by 1 for each pixel. */
const SLOPE_TO_COEFFICIENT = -18.2225;

function sizes(run: number): number[] {
  return Array.from({ length: 10 }, (_, i) => run + i + 1);
}

/** Bytes that a comment segment has beside its text: marker and length. */
export const JPEG_COMMENT_OVERHEAD = 4;

/** One COM segment; `data` is at most 65 533 bytes. */
export function jpegComment(data: Buffer): Buffer {
  return segment(0xfe, data);
}

/** A whole JPEG in two parts; comment segments may stand between them. */
export function encodeJpeg(paint: Paint, width: number, height: number): { readonly head: Buffer; readonly tail: Buffer } {
  const frame = Buffer.from([8, 0, 0, 0, 0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  const head = Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from([0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0])),
  ]);
  const tail = Buffer.concat([
    segment(0xdb, Buffer.from([0, ...new Array<number>(64).fill(STEP)])),
    segment(0xc0, frame),
    segment(0xc4, huffmanTable(0x00, DC_BITS, DC_SYMBOLS)),
    segment(0xc4, huffmanTable(0x10, AC_BITS, AC_SYMBOLS)),
    segment(0xda, Buffer.from([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
    scan(paint, width, height),
    Buffer.from([0xff, 0xd9]),
  ]);
  return { head, tail };
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

function huffmanTable(id: number, bits: number, symbols: readonly number[]): Buffer {
  const counts = new Array<number>(16).fill(0);
  counts[bits - 1] = symbols.length;
  return Buffer.from([id, ...counts, ...symbols]);
}

/** Rows of the RGB to YCbCr matrix (JFIF). */
const YCBCR = [
  [0.299, 0.587, 0.114],
  [-0.168736, -0.331264, 0.5],
  [0.5, -0.418688, -0.081312],
] as const;

function scan(paint: Paint, width: number, height: number): Buffer {
  const out = new BitWriter();
  const lastDc = [0, 0, 0];
  for (let y = 0; y < height; y += 8) {
    for (let x = 0; x < width; x += 8) {
      const [u, v, du, dv] = [(x + 4) / width, (y + 4) / height, 4 / width, 4 / height];
      const planes = [0, 1, 2].map((c) => ({
        mean: paint(c, u, v),
        across: (paint(c, u + du, v) - paint(c, u - du, v)) / 8,
        down: (paint(c, u, v + dv) - paint(c, u, v - dv)) / 8,
      }));
      YCBCR.forEach((row, component) => {
        const mix = (part: 'mean' | 'across' | 'down'): number =>
          row.reduce((sum, weight, c) => sum + weight * (planes[c]?.[part] ?? 0), 0);
        const dc = Math.round(((mix('mean') - (component === 0 ? 128 : 0)) * 8) / STEP);
        putDc(out, dc - (lastDc[component] ?? 0));
        lastDc[component] = dc;
        putAc(out, quantised(mix('across')), quantised(mix('down')));
      });
    }
  }
  return out.finish();
}

const quantised = (slope: number): number => Math.round((slope * SLOPE_TO_COEFFICIENT) / STEP);

function putDc(out: BitWriter, difference: number): void {
  const size = bitLength(difference);
  out.put(size, DC_BITS);
  putValue(out, difference, size);
}

function putAc(out: BitWriter, across: number, down: number): void {
  if (across !== 0) putCoefficient(out, 0x00, across);
  if (down !== 0) putCoefficient(out, across === 0 ? 0x10 : 0x00, down);
  out.put(0, AC_BITS);
}

function putCoefficient(out: BitWriter, run: number, value: number): void {
  const size = bitLength(value);
  out.put(AC_SYMBOLS.indexOf(run + size), AC_BITS);
  putValue(out, value, size);
}

function putValue(out: BitWriter, value: number, size: number): void {
  out.put(value < 0 ? value + 2 ** size - 1 : value, size);
}

const bitLength = (value: number): number => 32 - Math.clz32(Math.abs(value));

/** Bits, most significant first, with the zero byte that JPEG wants after each 0xff. */
class BitWriter {
  readonly #bytes: number[] = [];
  #held = 0;
  #count = 0;

  put(value: number, bits: number): void {
    this.#held = (this.#held << bits) | value;
    this.#count += bits;
    while (this.#count >= 8) {
      this.#count -= 8;
      const byte = (this.#held >> this.#count) & 0xff;
      this.#bytes.push(byte);
      if (byte === 0xff) this.#bytes.push(0);
    }
    this.#held &= (1 << this.#count) - 1;
  }

  finish(): Buffer {
    if (this.#count > 0) this.put((1 << (8 - this.#count)) - 1, 8 - this.#count);
    return Buffer.from(this.#bytes);
  }
}
