import { crc32, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Paint, paintOf } from './paint.ts';
import { type Format, type Rendering, render } from './render.ts';

const bytesOf = (spec: Rendering): Buffer => Buffer.concat([...render(spec).pieces()]);

/** Reads a PNG of 8-bit RGB rows with filter Sub, checking every CRC. */
function readPng(file: Buffer): { width: number; height: number; at: (x: number, y: number) => number[] } {
  expect(file.toString('latin1', 1, 4)).toBe('PNG');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const data = file.subarray(at + 8, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(file.subarray(at + 4, at + 8 + length)));
    chunks.set(file.toString('latin1', at + 4, at + 8), data);
    at += length + 12;
  }
  expect([...chunks.keys()].at(-1)).toBe('IEND');
  const [width, height] = [chunks.get('IHDR')?.readUInt32BE(0) ?? 0, chunks.get('IHDR')?.readUInt32BE(4) ?? 0];
  const rows = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  expect(rows.length).toBe((width * 3 + 1) * height);
  const at = (x: number, y: number): number[] =>
    [0, 1, 2].map((channel) => {
      let sum = 0;
      for (let i = 0; i <= x; i++) sum += rows[y * (width * 3 + 1) + 1 + i * 3 + channel] ?? 0;
      return sum & 0xff;
    });
  return { width, height, at };
}

/** Reads a JPEG of this encoder: sizes from the frame, block means from the scan (fixed code lengths, one component each). */
function readJpeg(file: Buffer): { width: number; height: number; means: number[][] } {
  let at = 2;
  let [width, height] = [0, 0];
  while (file[at + 1] !== 0xda) {
    expect(file[at]).toBe(0xff);
    if (file[at + 1] === 0xc0) [height, width] = [file.readUInt16BE(at + 5), file.readUInt16BE(at + 7)];
    at += 2 + file.readUInt16BE(at + 2);
  }
  expect(file.subarray(-2).toString('hex')).toBe('ffd9');
  const scan = file.subarray(at + 2 + file.readUInt16BE(at + 2), -2);
  let bits = '';
  for (let i = 0; i < scan.length; i++) {
    bits += (scan[i] ?? 0).toString(2).padStart(8, '0');
    if (scan[i] === 0xff) i++;
  }
  let next = 0;
  const take = (count: number): number => {
    next += count;
    return Number.parseInt(`0${bits.slice(next - count, next)}`, 2);
  };
  const value = (size: number): number => {
    const raw = take(size);
    return size > 0 && raw < 2 ** (size - 1) ? raw - 2 ** size + 1 : raw;
  };
  const means: number[][] = [];
  const last = [0, 0, 0];
  for (let block = 0; block < Math.ceil(width / 8) * Math.ceil(height / 8); block++) {
    means.push(
      last.map((_, component) => {
        last[component] = (last[component] ?? 0) + value(take(4));
        for (let symbol = take(5); symbol !== 0; symbol = take(5)) value(((symbol - 1) % 10) + 1);
        return last[component] ?? 0;
      }),
    );
  }
  return { width, height, means };
}

const luma = (paint: Paint, u: number, v: number): number =>
  0.299 * paint(0, u, v) + 0.587 * paint(1, u, v) + 0.114 * paint(2, u, v);

describe('a PNG', () => {
  test('has the size that was asked for and shows the painting', () => {
    const png = readPng(bytesOf({ format: 'png', width: 61, height: 37, text: 'a' }));
    const paint = paintOf('a');
    expect([png.width, png.height]).toEqual([61, 37]);
    for (const [x, y] of [
      [0, 0],
      [60, 36],
      [30, 11],
    ] as const) {
      expect(png.at(x, y)).toEqual([0, 1, 2].map((channel) => Math.floor(paint(channel, x / 61, y / 37))));
    }
  });
});

describe('a JPEG', () => {
  test.each(['a', 'b', 'c'])('has the size that was asked for and shows the painting %s', (text) => {
    const jpeg = readJpeg(bytesOf({ format: 'jpeg', width: 61, height: 37, text }));
    const paint = paintOf(text);
    expect([jpeg.width, jpeg.height]).toEqual([61, 37]);
    jpeg.means.forEach(([mean = 0], block) => {
      const [x, y] = [(block % 8) * 8 + 4, Math.floor(block / 8) * 8 + 4];
      expect(Math.abs(mean + 128 - luma(paint, x / 61, y / 37))).toBeLessThan(2);
    });
  });
});

describe.each<Format>(['png', 'jpeg', 'mp4'])('a %s', (format) => {
  const spec = { format, width: 64, height: 48, text: 'x' };

  test.each([50_000, 100_001, 1_000_000, 3_333_333])('of %i bytes has exactly those, as its length says', (bytes) => {
    const file = bytesOf({ ...spec, bytes });
    expect([file.length, render({ ...spec, bytes }).length]).toEqual([bytes, bytes]);
  });

  test('that is larger by itself stays as it is', () => {
    expect(bytesOf({ ...spec, bytes: 10 }).equals(bytesOf(spec))).toBe(true);
  });

  test('is the same each time, and another for another text', () => {
    expect(bytesOf(spec).equals(bytesOf(spec))).toBe(true);
    expect(bytesOf({ ...spec, text: 'y' }).equals(bytesOf(spec))).toBe(false);
  });
});

test.each([['png'], ['jpeg']] as const)('a filled up %s still reads', (format) => {
  const file = bytesOf({ format, width: 64, height: 48, text: 'x', bytes: 500_000 });
  expect(format === 'png' ? readPng(file).width : readJpeg(file).width).toBe(64);
});
