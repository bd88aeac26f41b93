import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf, HEAD_BYTES, NotMedia, peekFacts } from './image-facts.ts';

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const u16 = (n: number): number[] => [n >> 8, n & 255];
const u32 = (n: number): number[] => [...u16(n >>> 16), ...u16(n & 65535)];
const box = (type: string, ...inner: Buffer[]): Buffer => {
  const body = Buffer.concat(inner);
  return bytes(u32(body.length + 8), type, [...body]);
};

const png = (w: number, h: number): Buffer => bytes('\x89PNG\r\n\x1a\n', u32(13), 'IHDR', u32(w), u32(h), [8, 6, 0, 0, 0]);
const sof = (w: number, h: number): Buffer => bytes([0xff, 0xc0], u16(17), [8], u16(h), u16(w), [3], Array(9).fill(1));
const jfif = bytes([0xff, 0xe0], u16(16), 'JFIF\0', Array(9).fill(0));
const segment = (size: number): Buffer => bytes([0xff, 0xe2], u16(size), Array(size - 2).fill(7));
const exif = (orientation: number): Buffer => {
  const tiff = bytes('MM', u16(42), u32(8), u16(1), u16(0x112), u16(3), u32(1), u16(orientation), u16(0), u32(0));
  return bytes([0xff, 0xe1], u16(tiff.length + 8), 'Exif\0\0', [...tiff]);
};
const jpeg = (...segments: Buffer[]): Buffer => Buffer.concat([bytes([0xff, 0xd8]), ...segments, Buffer.alloc(32)]);
const gif = (w: number, h: number): Buffer => bytes('GIF89a', [w & 255, w >> 8, h & 255, h >> 8], Array(8).fill(0));
const webp = (w: number, h: number): Buffer =>
  bytes('RIFF', u32(0), 'WEBPVP8X', [10, 0, 0, 0, 0, 0, 0, 0, (w - 1) & 255, (w - 1) >> 8, 0, (h - 1) & 255, (h - 1) >> 8, 0]);
const ispe = (w: number, h: number): Buffer => box('ispe', bytes(u32(0), u32(w), u32(h)));
const avif = (w: number, h: number): Buffer =>
  Buffer.concat([
    box('ftyp', bytes('avif', u32(0), 'mif1miaf')),
    box('meta', bytes(u32(0)), box('iprp', box('ipco', ispe(w, h)))),
  ]);
const mp4 = Buffer.concat([box('ftyp', bytes('isom', u32(512), 'isomiso2avc1mp41')), box('mdat')]);

describe('factsOf', () => {
  test.each([
    ['png', png(1024, 768), { contentType: 'image/png', ext: 'png', width: 1024, height: 768 }],
    ['jpeg', jpeg(jfif, sof(640, 480)), { contentType: 'image/jpeg', ext: 'jpg', width: 640, height: 480 }],
    [
      'jpeg behind 130 KB of metadata',
      jpeg(jfif, segment(65535), segment(65535), sof(9, 7)),
      { ext: 'jpg', width: 9, height: 7 },
    ],
    ['jpeg turned by its EXIF', jpeg(exif(6), sof(640, 480)), { ext: 'jpg', width: 480, height: 640 }],
    ['gif', gif(300, 2), { contentType: 'image/gif', ext: 'gif', width: 300, height: 2 }],
    ['webp', webp(513, 257), { contentType: 'image/webp', ext: 'webp', width: 513, height: 257 }],
    ['avif', avif(64, 48), { contentType: 'image/avif', ext: 'avif', width: 64, height: 48 }],
    ['mp4', mp4, { contentType: 'video/mp4', ext: 'mp4' }],
  ])('%s', (_name, file, facts) => {
    expect(factsOf(file)).toMatchObject(facts);
  });

  test('a video has no size, and a cut header keeps its type', () => {
    expect(factsOf(mp4)).not.toHaveProperty('width');
    expect(factsOf(png(5, 5).subarray(0, 12))).toEqual({ contentType: 'image/png', ext: 'png' });
  });

  test.each([
    ['empty', ''],
    ['html', '<!DOCTYPE html><html>'],
    ['html', '\n <HTML><body>504</body>'],
    ['html', '\xef\xbb\xbf<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'],
    ['text', '{"error":"gone"}'],
    ['unknown', '\x00\x01\x02\x03junk\xff'],
    ['unknown', '\x00\x00\x00\x14ftypfoo \x00\x00\x00\x00foo '],
  ])('%s is no media: %j', (found, text) => {
    const refusal = (): unknown => factsOf(Buffer.from(text, 'latin1'));
    expect(refusal).toThrow(NotMedia);
    expect(refusal).toThrow(expect.objectContaining({ found }));
  });

  test('the head in the error is short and printable', () => {
    const error = new NotMedia(Buffer.from(`<html>\n\x00${'x'.repeat(500)}`));
    expect(error.head).toMatch(/^<html> x{100,200}$/);
  });

  test('whatever follows a right beginning, the type is known and nothing else is thrown', () => {
    const starts = [png(1, 1), jpeg(jfif), gif(1, 1), webp(1, 1).subarray(0, 12), avif(1, 1).subarray(0, 24), avif(3, 4)];
    const file = fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 })).map((parts) => Buffer.concat(parts));
    fc.assert(
      fc.property(file, (head) => {
        expect(factsOf(head).ext).toMatch(/^(png|jpg|gif|webp|avif)$/);
      }),
    );
  });
});

describe('peekFacts', () => {
  async function* pieces(file: Buffer, size: number, log: string[] = []): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
      log.push('end');
    } finally {
      log.push('closed');
    }
  }
  const collect = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  test.each([1, 7, 1000, 1_000_000])('in pieces of %d bytes the facts are right and no byte is lost', async (size) => {
    const file = Buffer.concat([png(20, 10), Buffer.alloc(3000, 5)]);
    const { facts, body } = await peekFacts(pieces(file, size));
    expect(facts).toMatchObject({ ext: 'png', width: 20, height: 10 });
    expect(file.equals(await collect(body))).toBe(true);
  });

  test('only the head of a large body is read ahead', async () => {
    let taken = 0;
    async function* large(): AsyncGenerator<Uint8Array> {
      yield png(1, 1);
      for (; taken < 1000; taken += 1) yield Buffer.alloc(16_384);
    }
    const { body } = await peekFacts(large());
    expect(taken).toBeLessThanOrEqual(HEAD_BYTES / 16_384);
    expect((await collect(body)).length).toBe(png(1, 1).length + 1000 * 16_384);
  });

  test('a body that is no media is closed', async () => {
    const log: string[] = [];
    await expect(peekFacts(pieces(Buffer.alloc(HEAD_BYTES * 2, '<html>'), 1000, log))).rejects.toThrow(NotMedia);
    expect(log).toEqual(['closed']);
  });

  test('an error of the body itself comes through as it is', async () => {
    const broken = new Error('reset');
    const body = Readable.from(
      (async function* () {
        yield png(1, 1);
        throw broken;
      })(),
    );
    await expect(peekFacts(body)).rejects.toBe(broken);
  });

  test('a body that is given up unread is closed, a stream at once', async () => {
    const log: string[] = [];
    const { body } = await peekFacts(pieces(Buffer.concat([png(1, 1), Buffer.alloc(HEAD_BYTES)]), 1000, log));
    await body[Symbol.asyncIterator]().return?.();
    expect(log).toEqual(['closed']);
    const stream = Readable.from(pieces(Buffer.concat([png(1, 1), Buffer.alloc(HEAD_BYTES * 4)]), 1000));
    const peeked = await peekFacts(stream);
    await peeked.body[Symbol.asyncIterator]().return?.();
    expect(stream.destroyed).toBe(true);
  });
});
