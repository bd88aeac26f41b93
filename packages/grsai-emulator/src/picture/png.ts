import { crc32, deflateSync } from 'node:zlib';
import type { Paint } from './paint.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Bytes that a chunk has beside its data: length, name, CRC. */
export const PNG_CHUNK_OVERHEAD = 12;

/** One PNG chunk, with its CRC. */
export function pngChunk(name: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + PNG_CHUNK_OVERHEAD);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(name, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** A whole PNG in two parts; extra ancillary chunks may stand between them. */
export function encodePng(paint: Paint, width: number, height: number): { readonly head: Buffer; readonly tail: Buffer } {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, true colour, no interlacing
  const stride = width * 3 + 1;
  const rows = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    let at = y * stride;
    rows[at++] = 1; // filter "Sub": each byte is the difference to the pixel on its left
    const left = [0, 0, 0];
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const value = Math.floor(paint(channel, x / width, y / height));
        rows[at++] = value - (left[channel] ?? 0);
        left[channel] = value;
      }
    }
  }
  const head = Buffer.concat([SIGNATURE, pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(rows, { level: 1 }))]);
  return { head, tail: pngChunk('IEND', Buffer.alloc(0)) };
}
