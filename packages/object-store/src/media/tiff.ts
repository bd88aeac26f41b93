import { type SizeParser, turned } from './size-scan.ts';

/** What stands in the first directory of a TIFF file, or of EXIF data, which has the same form. */
export interface TiffTags {
  readonly width?: number;
  readonly height?: number;
  readonly orientation?: number;
}

const NAMES: Readonly<Record<number, keyof TiffTags>> = { 256: 'width', 257: 'height', 274: 'orientation' };
const LAST_TAG = 274;
/** TIFF 6.0 knows some 80 tags; maker notes have directories of their own. */
const MAX_ENTRIES = 512;

/** TIFF 6.0 §2 and BigTIFF, in both byte orders; the directory may stand anywhere behind the header. */
export function* tiffTags(): Generator<number, TiffTags, Buffer> {
  const head = yield 8;
  const little = head[0] === 0x49;
  const u16 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const u64 = (bytes: Buffer, at: number): number => Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  const big = u16(head, 2) === 43;
  const directory = big ? u64(yield 8, 0) : u32(head, 4);
  const here = big ? 16 : 8;
  if (directory < here) return {};
  yield here - directory;
  const count = big ? u64(yield 8, 0) : u16(yield 2, 0);
  const tags: { -readonly [Name in keyof TiffTags]: number } = {};
  for (let entry = 0; entry < Math.min(count, MAX_ENTRIES); entry += 1) {
    const bytes = yield big ? 20 : 12;
    const tag = u16(bytes, 0);
    if (tag > LAST_TAG) break;
    const name = NAMES[tag];
    if (name === undefined) continue;
    const value = big ? 12 : 8;
    const type = u16(bytes, 2);
    if (type === 3) tags[name] = u16(bytes, value);
    else if (type === 4) tags[name] = u32(bytes, value);
    else if (type === 16 && big) tags[name] = u64(bytes, value);
  }
  return tags;
}

export function* tiff(): SizeParser {
  const { width = 0, height = 0, orientation = 1 } = yield* tiffTags();
  return turned(width, height, orientation);
}
