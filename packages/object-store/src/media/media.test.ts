import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf, HEAD_BYTES, NotMedia, peekFacts } from '../image-facts.ts';
import { SCAN_BYTES } from './size-scan.ts';

const KIB = 1024;
const text = (words: string): Buffer => Buffer.from(words, 'latin1');
const be = (value: number, bytes: 1 | 2 | 4): Buffer => {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
};
const le = (value: number, bytes: 1 | 2 | 3 | 4): Buffer => {
  const out = Buffer.alloc(bytes);
  out.writeUIntLE(value, 0, bytes);
  return out;
};
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const join = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const box = (type: string, ...inner: Buffer[]): Buffer => {
  const body = join(...inner);
  return join(be(body.length + 8, 4), text(type), body);
};

const segment = (marker: number, body: Buffer): Buffer => join(bytes(0xff, marker), be(body.length + 2, 2), body);
/** JPEG with so much metadata before its frame header, 64 KiB in a segment. */
const jpeg = (w: number, h: number, metadata: number, first: Buffer = Buffer.alloc(0)): Buffer => {
  const full = segment(0xe2, Buffer.alloc(65_533, 7));
  const frame = segment(0xc2, join(bytes(8), be(h, 2), be(w, 2), bytes(3), Buffer.alloc(9, 1)));
  return join(bytes(0xff, 0xd8), first, ...Array<Buffer>(Math.ceil(metadata / full.length)).fill(full), frame, Buffer.alloc(64));
};

const FTYP = (brand: string, ...more: string[]): Buffer => box('ftyp', text(brand), be(0, 4), text(more.join('')));
const full = (flags = 0, version = 0): Buffer => be(version * 2 ** 24 + flags, 4);
const ispe = (w: number, h: number): Buffer => box('ispe', full(), be(w, 4), be(h, 4));
/** A HEIC as phones make them: item 1 is a tile, 2 a thumbnail, 3 the picture. */
const heic = (o: { properties?: Buffer[]; own?: number[]; before?: Buffer; wide?: boolean } = {}): Buffer => {
  const properties = o.properties ?? [ispe(512, 512), ispe(320, 240), ispe(4032, 3024), box('irot', bytes(1))];
  const link = (id: number, ...indexes: number[]): Buffer =>
    o.wide
      ? join(be(id, 4), bytes(indexes.length), ...indexes.map((index) => be(0x8000 + index, 2)))
      : join(be(id, 2), bytes(indexes.length), ...indexes.map((index) => bytes(0x80 + index)));
  const links = [link(1, 1), link(2, 2), link(3, ...(o.own ?? [3, 4]))];
  const ipma = box('ipma', o.wide ? full(1, 1) : full(), be(links.length, 4), ...links);
  const meta = box(
    'meta',
    full(),
    box('hdlr', Buffer.alloc(24)),
    box('pitm', o.wide ? full(0, 1) : full(), be(3, o.wide ? 4 : 2)),
    box('iprp', box('ipco', ...properties), ipma),
  );
  return join(FTYP('heic', 'mif1', 'heic'), o.before ?? Buffer.alloc(0), meta, box('mdat', Buffer.alloc(100)));
};

type Tag = readonly [number, number, number];
const tiff = (tags: readonly Tag[], at = 8, big = false): Buffer => {
  const number = (value: number): Buffer => (big ? join(le(value, 4), le(0, 4)) : le(value, 4));
  const head = big ? join(text('II'), le(43, 2), le(8, 2), le(0, 2), number(at)) : join(text('II'), le(42, 2), le(at, 4));
  const entries = tags.map(([tag, type, value]) =>
    join(le(tag, 2), le(type, 2), number(1), type === 3 ? join(le(value, 2), Buffer.alloc(big ? 6 : 2)) : number(value)),
  );
  const count = big ? number(tags.length) : le(tags.length, 2);
  return join(head, Buffer.alloc(at - head.length, 9), count, ...entries, number(0));
};
const TAGS: readonly Tag[] = [
  [254, 4, 0],
  [256, 3, 640],
  [257, 4, 480],
  [258, 3, 8],
  [274, 3, 8],
  [305, 2, 0],
];

const webp = (...chunks: [string, Buffer][]): Buffer =>
  join(text('RIFF'), le(0, 4), text('WEBP'), ...chunks.map(([type, body]) => join(text(type), le(body.length, 4), body)));
const bmp = (header: number, ...sides: Buffer[]): Buffer =>
  join(text('BM'), le(0, 4), le(0, 4), le(54, 4), le(header, 4), ...sides, Buffer.alloc(30));
const webm = (doctype: string, length = bytes(0x80 + doctype.length)): Buffer =>
  join(
    bytes(0x1a, 0x45, 0xdf, 0xa3, 0x9f),
    bytes(0x42, 0x86, 0x81, 1),
    bytes(0x42, 0x82),
    length,
    text(doctype),
    Buffer.alloc(40),
  );

/** Encoded by libjxl and libaom. */
const JXL = Buffer.from(
  '/wpADvSAnQG8AQYMAAAAAPk8AABUqIwybvByrufLDx0W0zauM7TVtoUllBi38KVGzoIHeVhMmMgLFABwRMogBEbUuzHubtxt2QmAHCaAIyqcmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmeO8um9DwnVDfZdtpy9BAQ2QAIERJytDGnMEs9AWBQC/TbbBO5UFAClJAA==',
  'base64',
);
const JXL_RATIO = Buffer.from(
  '/wo4W7ATAThDCAzAARxAARRAARQA+TwAAFRoSBJQMAAAgE2HiJFmoIphS6tScCjOqC7GeI0xXowRADE3jlaiSHwK3ZTaEuPBBJl4iOF95GOG8R7XiPz/Gc0f+cUN7GV+g308BZHLy+f4egZVH/ORiPzUfZv5uRee6BeQ/f0P1r431Hf/MkmnSzLpaxzpKc/ok89hK9H6Fvv5v5v/kS/f3+o/OfkHAR5Mz/xDoQLHeUBKg50BAAAAiMBIwUixy/9jVR2Dx8ZgDjp8TiSCzicX+AxRzMzMzMzMzMzMzMzMzMzM/rUNkIAAABUsZwXkGAw2aQBAVVVVVVVV0UFWVVVVVVWpqiqhJAETkQUD4F8LE5EFA+BfC3PB/N8B84XOmwDzhc6bAIPfmw0A',
  'base64',
);
const AVIF_TURNED = Buffer.from(
  'AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAAw5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAADMgABAAAAAAAAACgAAgAAAAADWgABAAAAAAAAAL4AAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABhdjAxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAACTWlwcnAAAAItaXBjbwAAAAxhdjFDgSACAAAAAexjb2xycklDQwAAAeBsY21zBCAAAG1udHJSR0IgWFlaIAfiAAMAFAAJAA4AHWFjc3BNU0ZUAAAAAHNhd3NjdHJsAAAAAAAAAAAAAAAAAAD21gABAAAAANMtaGFuZHnpv1ZaPgG2gyOFVUb3T6oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACmRlc2MAAAD8AAAAJGNwcnQAAAEgAAAAInd0cHQAAAFEAAAAFGNoYWQAAAFYAAAALHJYWVoAAAGEAAAAFGdYWVoAAAGYAAAAFGJYWVoAAAGsAAAAFHJUUkMAAAHAAAAAIGdUUkMAAAHAAAAAIGJUUkMAAAHAAAAAIG1sdWMAAAAAAAAAAQAAAAxlblVTAAAACAAAABwAcwBSAEcAQm1sdWMAAAAAAAAAAQAAAAxlblVTAAAABgAAABwAQwBDADAAAFhZWiAAAAAAAAD21gABAAAAANMtc2YzMgAAAAAAAQw/AAAF3f//8yYAAAeQAAD9kv//+6H///2iAAAD3AAAwHFYWVogAAAAAAAAb6AAADjyAAADj1hZWiAAAAAAAABilgAAt4kAABjaWFlaIAAAAAAAACSgAAAPhQAAtsRwYXJhAAAAAAADAAAAAmZpAADypwAADVkAABPQAAAKWwAAABRpc3BlAAAAAAAAAEYAAAAoAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAABhpcG1hAAAAAAAAAAEAAQWBAgMEhQAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAA7m1kYXQSAAoJOBliztICGg0gMhkUoTGCYAAaAAKXytg49At7k0gTvGiGoPvgAAAABkV4aWYAAElJKgAIAAAABgASAQMAAQAAAAYAAAAaAQUAAQAAAFYAAAAbAQUAAQAAAF4AAAAoAQMAAQAAAAIAAAATAgMAAQAAAAEAAABphwQAAQAAAGYAAAAAAAAAOGMAAOgDAAA4YwAA6AMAAAYAAJAHAAQAAAAwMjEwAZEHAAQAAAABAgMAAKAHAAQAAAAwMTAwAaADAAEAAAD//wAAAqAEAAEAAABGAAAAA6AEAAEAAAAoAAAAAAAAAA==',
  'base64',
);
const jxlContainer = (...boxes: Buffer[]): Buffer => join(box('JXL ', text('\r\n\x87\n')), FTYP('jxl ', 'jxl '), ...boxes);

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"/>';
const utf16be = (words: string): Buffer => Buffer.from(`\ufeff${words}`, 'utf16le').swap16();

const FILES: readonly (readonly [string, Buffer, object])[] = [
  ['JPEG behind 300 KiB of metadata', jpeg(1024, 768, 300 * KIB), { ext: 'jpg', width: 1024, height: 768 }],
  ['JPEG behind 2 MiB of metadata', jpeg(5, 6, 2048 * KIB), { width: 5, height: 6 }],
  ['JPEG behind 3.9 MiB of metadata', jpeg(7, 8, 3900 * KIB), { width: 7, height: 8 }],
  ['JPEG behind 5 MiB of metadata', jpeg(7, 8, 5120 * KIB), { contentType: 'image/jpeg', width: undefined }],
  [
    'JPEG turned by EXIF, behind 300 KiB of metadata',
    jpeg(1024, 768, 300 * KIB, segment(0xe1, join(text('Exif\0\0'), tiff(TAGS)))),
    { width: 768, height: 1024 },
  ],
  ['JPEG with broken EXIF', jpeg(9, 8, 0, segment(0xe1, text('Exif\0\0II*\0\xff\xff\xff\xff'))), { width: 9, height: 8 }],
  [
    'JPEG with XMP and an empty APP1',
    jpeg(9, 8, 0, join(segment(0xe1, text('http://ns.adobe.com/xap/1.0/\0<x/>')), segment(0xe1, text('')))),
    { width: 9 },
  ],
  [
    'JPEG with fill bytes and rubbish between segments',
    jpeg(3, 4, 0, join(segment(0xfe, text('hi')), bytes(0, 1, 2, 0xff, 0xff, 0xff, 0xd0), segment(0xfe, text('hi')))),
    { width: 3, height: 4 },
  ],
  ['JPEG without a frame header', join(bytes(0xff, 0xd8, 0xff, 0xda), Buffer.alloc(100)), { ext: 'jpg', width: undefined }],
  ['HEIC: the primary picture, turned', heic(), { contentType: 'image/heic', ext: 'heic', width: 3024, height: 4032 }],
  ['HEIC with wide numbers', heic({ wide: true }), { width: 3024, height: 4032 }],
  [
    'HEIC that is cut to size',
    heic({
      properties: [ispe(8, 8), ispe(8, 8), ispe(64, 64), box('clap', be(50, 4), be(1, 4), be(90, 4), be(2, 4), Buffer.alloc(16))],
    }),
    { width: 50, height: 45 },
  ],
  ['HEIC without a link to its size: the largest', heic({ own: [] }), { width: 4032, height: 3024 }],
  [
    'HEIC whose index stands behind 2 MiB',
    heic({ before: box('mdat', Buffer.alloc(2048 * KIB, 1)) }),
    { width: 3024, height: 4032 },
  ],
  ['HEIF', join(FTYP('mif1', 'mif1miaf'), heic().subarray(24)), { contentType: 'image/heif', ext: 'heif' }],
  ['AVIF', AVIF_TURNED, { contentType: 'image/avif', ext: 'avif', width: 40, height: 70 }],
  ['JPEG XL', JXL, { contentType: 'image/jxl', ext: 'jxl', width: 123, height: 457 }],
  ['JPEG XL with a ratio', JXL_RATIO, { width: 640, height: 360 }],
  ['JPEG XL in a container', jxlContainer(box('jxll', bytes(5)), box('jxlc', JXL)), { ext: 'jxl', width: 123, height: 457 }],
  [
    'JPEG XL in parts, behind 1 MiB',
    jxlContainer(box('Exif', Buffer.alloc(1024 * KIB)), box('jxlp', be(0, 4), JXL)),
    { width: 123, height: 457 },
  ],
  ['JPEG XL in an open container', jxlContainer(join(be(0, 4), text('jxlc'), JXL)), { width: 123 }],
  ['TIFF, turned', tiff(TAGS), { contentType: 'image/tiff', ext: 'tif', width: 480, height: 640 }],
  ['TIFF whose directory stands at 900 KiB', tiff(TAGS, 900 * KIB), { width: 480, height: 640 }],
  [
    'BigTIFF',
    tiff(
      [
        [256, 16, 70_000],
        [257, 4, 3],
      ],
      16,
      true,
    ),
    { width: 70_000, height: 3 },
  ],
  [
    'TIFF of a Motorola',
    join(
      text('MM'),
      be(42, 2),
      be(8, 4),
      be(2, 2),
      be(256, 2),
      be(3, 2),
      be(1, 4),
      be(12, 2),
      be(0, 2),
      be(257, 2),
      be(4, 2),
      be(1, 4),
      be(34, 4),
    ),
    { width: 12, height: 34 },
  ],
  ['BMP', bmp(40, le(300, 4), le(200, 4)), { contentType: 'image/bmp', ext: 'bmp', width: 300, height: 200 }],
  ['BMP from the top down', bmp(124, le(300, 4), le(2 ** 32 - 200, 4)), { width: 300, height: 200 }],
  ['BMP of OS/2', bmp(12, le(300, 2), le(200, 2)), { width: 300, height: 200 }],
  [
    'WebP, lossy',
    webp(['VP8 ', join(bytes(0, 0, 0, 0x9d, 1, 0x2a), le(0x4000 + 550, 2), le(368, 2))]),
    { width: 550, height: 368 },
  ],
  ['WebP, lossless', webp(['VP8L', join(bytes(0x2f), le(399 + 299 * 2 ** 14, 4))]), { width: 400, height: 300 }],
  ['WebP, extended', webp(['VP8X', join(bytes(4, 0, 0, 0), le(69_999, 3), le(9, 3))]), { width: 70_000, height: 10 }],
  [
    'PNG of Apple',
    join(
      text('\x89PNG\r\n\x1a\n'),
      be(4, 4),
      text('CgBI'),
      Buffer.alloc(8),
      be(13, 4),
      text('IHDR'),
      be(20, 4),
      be(30, 4),
      Buffer.alloc(9),
    ),
    { width: 20, height: 30 },
  ],
  ['WebM', webm('webm'), { contentType: 'video/webm', ext: 'webm', width: undefined }],
  ['WebM with a long length', webm('webm', bytes(1, 0, 0, 0, 0, 0, 0, 4)), { ext: 'webm' }],
  ...['isom', 'iso5', 'iso9', 'mp42', 'M4V ', 'dash', 'hvc1', 'av01', 'MSNV'].map(
    (brand) => [`MP4 of brand ${brand}`, join(FTYP(brand), box('moov')), { contentType: 'video/mp4', ext: 'mp4' }] as const,
  ),
  ['QuickTime', join(FTYP('qt  ', 'qt  '), box('moov')), { contentType: 'video/quicktime', ext: 'mov', width: undefined }],
  ['MP4 by a compatible brand', FTYP('XAVC', 'XAVC', 'mp42'), { ext: 'mp4' }],
  ['SVG', text(SVG), { contentType: 'image/svg+xml', ext: 'svg', width: 640, height: 480 }],
  ['SVG with a byte order mark', Buffer.from(`\ufeff${SVG}`), { ext: 'svg', width: 640 }],
  ['SVG in UTF-16', Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${SVG}`, 'utf16le'), { ext: 'svg', width: 640 }],
  ['SVG in UTF-16, big end first', utf16be(SVG), { ext: 'svg', width: 640 }],
  [
    'SVG behind prolog, comments, instructions and a document type',
    Buffer.from(
      `\r\n <?xml version='1.0'?>\n<!-- <html> > -->\n<?xml-stylesheet href="a.css"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [\n<!ENTITY ns "http://www.w3.org/2000/svg">\n]><!---->\n${SVG}`,
    ),
    { ext: 'svg', width: 640, height: 480 },
  ],
  [
    'SVG with a prefix',
    text(`<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 12.4 7">`),
    { ext: 'svg', width: 12, height: 7 },
  ],
  ['SVG in millimetres', text(`<svg width='25.4mm' height=' 2in '>`), { width: 96, height: 192 }],
  ['SVG with one side and a view box', text('<svg height="100" viewBox="0,0,300,200"\n>'), { width: 150, height: 100 }],
  ['SVG as wide as its place', text('<svg width="100%" height="100%" viewBox="0 0 30 20">'), { width: 30, height: 20 }],
  ['SVG without a size', text('<svg width="-5" height="1e999" viewBox="0 0 a b">'), { ext: 'svg', width: undefined }],
];

async function* pieces(file: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

/** What is known of a file once it has passed by. */
async function passedBy(file: Buffer, size: number): Promise<object> {
  const { facts, body } = await peekFacts(pieces(file, size));
  const passed: Uint8Array[] = [];
  for await (const chunk of body) passed.push(chunk);
  expect(Buffer.concat(passed).equals(file)).toBe(true);
  const { contentType, ext, width, height } = facts;
  return { contentType, ext, width, height };
}

describe('a file', () => {
  test.each(FILES)('when it is %s, then its bytes say so, whole and as it passes by', async (_name, file, facts) => {
    expect(factsOf(file)).toMatchObject(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)));
    for (const size of [file.length, 65_536, ...(file.length < 10_000 ? [1, 7] : [])])
      expect(await passedBy(file, size)).toMatchObject(facts);
  });

  test('when its size stands behind what is held of it, then it is known once that has passed', async () => {
    const { facts, body } = await peekFacts(pieces(jpeg(30, 20, 2 * HEAD_BYTES), 10_000));
    expect(facts).toMatchObject({ contentType: 'image/jpeg', width: undefined });
    let held = 0;
    for await (const _ of body) if (facts.width === undefined) held += 10_000;
    expect(facts).toMatchObject({ width: 30, height: 20 });
    expect(held).toBeLessThan(SCAN_BYTES);
  });

  test.each([
    ['a page', 'html', '<!DOCTYPE html><html><body><svg xmlns="http://www.w3.org/2000/svg"></svg></body></html>'],
    ['a page without a document type', 'html', '<html><svg width="1" height="1"></svg></html>'],
    ['a page that begins with its picture', 'html', '<!doctype html>\n<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a piece of a page', 'text', '<div><svg/></div>'],
    ['a picture in a comment', 'html', '<!-- <svg/> --><html></html>'],
    ['a comment that does not end', 'html', '<!-- <svg/>'],
    [
      'an error of a store',
      'html',
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message><svg/></Message></Error>',
    ],
    ['a document type of SVG before something else', 'html', '<!DOCTYPE svg><html/>'],
    ['a name that only begins so', 'text', '<svgx width="1"/>'],
    ['JSON that holds one', 'text', '{"error":"<svg/>"}'],
    ['a text that holds one', 'text', 'no <svg/> here'],
    ['a text that begins like a BMP', 'text', 'BMW is not a picture, and neither is this text'],
    ['a text that begins like a TIFF', 'text', 'II* is a fine rating'],
    ['Matroska', 'unknown', webm('matroska').toString('latin1')],
    ['another ISO file', 'unknown', FTYP('foo ', 'foo ').toString('latin1')],
    ['a PDF', 'unknown', '%PDF-1.7\n\xe2\xe3'],
    ['a zip', 'unknown', 'PK\x03\x04'],
    ['gzip', 'unknown', '\x1f\x8b\x08\0'],
  ])('when it is %s, then it is no media, but %s', (_name, found, words) => {
    expect(() => factsOf(text(words))).toThrow(expect.objectContaining({ name: 'NotMedia', found }));
  });

  test('when it is cut or damaged anywhere, then nothing but NotMedia is thrown, and it takes no time', async () => {
    const small = FILES.map(([, file]) => file).filter((file) => file.length < 10_000);
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...small),
        fc.nat(),
        damage,
        fc.integer({ min: 1, max: 64 }),
        async (file, end, hits, size) => {
          const broken = Buffer.from(file.subarray(0, end % 3 === 0 ? file.length : end % (file.length + 1)));
          for (const [at, value] of hits) if (broken.length > 0) broken[at % broken.length] = value;
          const whole = outcome(() => factsOf(broken));
          const late = await passedBy(broken, size).catch((error: unknown) => error);
          if (whole instanceof NotMedia) expect(late).toBeInstanceOf(NotMedia);
          else expect(late).toEqual({ width: undefined, height: undefined, ...(whole as object) });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['a JPEG of fill bytes', join(bytes(0xff, 0xd8), Buffer.alloc(16 * 1024 * KIB, 0xff))],
    ['a JPEG of empty segments', join(bytes(0xff, 0xd8, 0xff), Buffer.alloc(8 * 1024 * KIB, bytes(0xe2, 0, 2, 0xff)))],
    ['a JPEG whose segments have no length', join(bytes(0xff, 0xd8), Buffer.alloc(8 * 1024 * KIB, bytes(0xff, 0xe2, 0, 0)))],
    [
      'a PNG of empty chunks',
      join(text('\x89PNG\r\n\x1a\n'), Buffer.alloc(12 * 1024 * KIB, bytes(0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0))),
    ],
    ['a HEIC of empty boxes', join(FTYP('heic'), Buffer.alloc(8 * 1024 * KIB, bytes(0, 0, 0, 8, 1, 1, 1, 1)))],
    ['a HEIC of boxes without a length', join(FTYP('heic'), Buffer.alloc(8 * 1024 * KIB, bytes(0, 0, 0, 1, 1, 1, 1, 1)))],
    ['a HEIC whose index is endless', join(FTYP('heic'), be(2 ** 31, 4), text('meta'), Buffer.alloc(8 * 1024 * KIB))],
    [
      'a HEIC with four billion links',
      join(
        FTYP('heic'),
        box(
          'meta',
          full(),
          box('pitm', full(), be(9, 2)),
          box('iprp', box('ipco', ispe(1, 1)), box('ipma', full(), be(2 ** 32 - 1, 4), Buffer.alloc(300 * KIB))),
        ),
      ),
    ],
    ['a TIFF whose directory points at itself', tiff([], 8)],
    ['a TIFF with a directory without end', join(text('II*\0'), le(8, 4), le(65_535, 2), Buffer.alloc(2048 * KIB))],
    ['a TIFF whose directory stands before it', join(text('II*\0'), le(0, 4), Buffer.alloc(100))],
    ['a BigTIFF with a directory beyond all bounds', join(text('II+\0\x08\0\0\0'), Buffer.alloc(8, 0xff), Buffer.alloc(100))],
    ['a WebP of empty chunks', join(text('RIFF\0\0\0\0WEBP'), Buffer.alloc(8 * 1024 * KIB, bytes(1, 1, 1, 1, 0, 0, 0, 0)))],
    ['a JPEG XL container of empty boxes', join(jxlContainer(), Buffer.alloc(8 * 1024 * KIB, bytes(0, 0, 0, 8, 1, 1, 1, 1)))],
    ['an SVG of nothing but an attribute', text(`<svg ${'a="'.repeat(30_000)}`)],
    ['an SVG with spaces without end', text(`<svg${' '.repeat(300_000)}x`)],
  ])('when it is %s, then its type is known, and no size, in next to no time', async (_name, file) => {
    const began = performance.now();
    const facts = factsOf(file);
    expect(facts.width === undefined || facts.width === 1).toBe(true);
    await passedBy(file, 65_536);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

function outcome<T>(work: () => T): T | unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
