import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { factsOf } from '../image-facts.ts';

/** Files that are made to be read for a long time. Counted are the numbers that are read out of them, not the time. */

const READS = [
  'readUInt8',
  'readUInt16BE',
  'readUInt16LE',
  'readUInt32BE',
  'readUInt32LE',
  'readBigUInt64BE',
  'readUIntLE',
] as const;
const MOST_READS = 35_000;
let reads = 0;

beforeEach(() => {
  reads = 0;
  for (const name of READS) {
    const read = Buffer.prototype[name] as (...given: unknown[]) => unknown;
    vi.spyOn(Buffer.prototype, name).mockImplementation(function (this: Buffer, ...given: unknown[]) {
      reads += 1;
      return read.apply(this, given) as never;
    });
  }
});
afterEach(() => void vi.restoreAllMocks());

const text = (words: string) => Buffer.from(words, 'latin1');
const hex = (digits: string, times = 1) => Buffer.from(digits.repeat(times), 'hex');
const join = (...parts: Buffer[]) => Buffer.concat(parts);
const box = (type: string, ...inner: Buffer[]) => {
  const body = join(...inner);
  return join(hex((body.length + 8).toString(16).padStart(8, '0')), text(type), body);
};
/** 64 KiB of EXIF whose directory has 65 535 entries and no orientation. */
const exif = join(hex('ffe1ffff'), text('Exif\0\0MM\0*'), hex('00000008ffff'), Buffer.alloc(65_535 - 2 - 6 - 10));
const heic = (...inner: Buffer[]) => join(box('ftyp', text('heic\0\0\0\0mif1heic')), box('meta', Buffer.alloc(4), ...inner));
const FREE = '0000000866726565';

test.each([
  ['a JPEG of a million empty segments', join(hex('ffd8'), hex('ffe20002', 1_000_000))],
  ['a JPEG of fill bytes', join(hex('ffd8'), Buffer.alloc(4_000_000, 0xff))],
  ['a JPEG of what is no marker', join(hex('ffd8ff'), Buffer.alloc(4_000_000))],
  ['a JPEG of restart markers', join(hex('ffd8'), hex('ffd0', 2_000_000))],
  ['a JPEG of 60 segments of full EXIF directories', join(hex('ffd8'), ...Array<Buffer>(60).fill(exif))],
  ['a JPEG of a million empty EXIF segments', join(hex('ffd8'), hex('ffe1000845786966000a', 400_000))],
  ['a PNG of empty chunks', join(text('\x89PNG\r\n\x1a\n'), Buffer.alloc(4_000_000))],
  ['a WebP of empty chunks', join(text('RIFF\0\0\0\0WEBP'), Buffer.alloc(4_000_000))],
  ['a TIFF of 65 535 entries', join(text('MM\0*'), hex('00000008ffff'), Buffer.alloc(12 * 65_535))],
  [
    'a BigTIFF of as many entries as there are numbers',
    join(text('MM\0+'), hex('00080000'), hex('0000000000000010'), hex('ff', 8), Buffer.alloc(4_000_000)),
  ],
  ['a TIFF whose directory is its head', join(text('MM\0*'), hex('00000000'), Buffer.alloc(1000))],
  ['a HEIC of boxes before its index', join(box('ftyp', text('heic\0\0\0\0mif1heic')), hex(FREE, 500_000))],
  ['a HEIC of boxes in its index', heic(hex(FREE, 60_000))],
  ['a HEIC of boxes in its properties', heic(box('iprp', box('ipco', hex(FREE, 60_000))))],
  [
    'a HEIC of items without end',
    heic(box('pitm', hex('000000000009')), box('iprp', box('ipma', hex('00000000ffffffff'), Buffer.alloc(480_000)))),
  ],
  ['a HEIC of sizes', heic(box('iprp', box('ipco', hex('0000001469737065000000000000000100000001', 25_000))))],
  ['an AVIF whose boxes are empty for ever', join(box('ftyp', text('avif\0\0\0\0mif1avif')), Buffer.alloc(4_000_000))],
  ['a JPEG XL of boxes', join(text('\0\0\0\x0cJXL \r\n\x87\n'), hex(FREE, 500_000))],
  ['a GIF that is cut', text('GIF89a\x01')],
])('when a picture is %s then few numbers of it are read', (_what, file) => {
  expect(factsOf(file).contentType).toMatch(/^image\//);
  expect(reads).toBeLessThan(MOST_READS);
});

const svg = (attributes: string) => text(`<svg xmlns="http://www.w3.org/2000/svg" ${attributes}></svg>`);

/** Each of these took seconds to minutes where a rule tries all ways to read it; the limit of a test ends it then. */
test.each([
  ['a width of digits', svg(`width="${'1'.repeat(60_000)}!"`)],
  ['a width of digits and points', svg(`width="${'1.'.repeat(30_000)}"`)],
  ['a width before blanks', svg(`width="1${' '.repeat(60_000)}!"`)],
  ['a width of letters', svg(`width="1${'a'.repeat(60_000)}!"`)],
  ['a box of blanks and commas', svg(`viewBox="${' ,'.repeat(30_000)}"`)],
  ['attributes of blanks', svg(`${' '.repeat(60_000)}!`)],
  ['a name before blanks', svg(`${'a'.repeat(30_000)}${' '.repeat(30_000)}!`)],
  ['a quote without an end', svg(`a="${'x'.repeat(60_000)}`)],
  ['comments', text(`${'<!---->'.repeat(9000)}<svg>`)],
  ['instructions', text(`${'<??>'.repeat(15_000)}<svg>`)],
  ['blanks', text(`${' '.repeat(65_000)}<svg>`)],
])('when an SVG is made of %s then it is read in a moment', (_what, file) => {
  expect(factsOf(file)).toMatchObject({ contentType: 'image/svg+xml' });
});
