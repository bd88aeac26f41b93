import { heif } from './boxes.ts';
import { jpeg } from './jpeg.ts';
import { jxl } from './jxl.ts';
import { bmp, gif, png, webp } from './simple.ts';
import type { SizeParser } from './size-scan.ts';
import { tiff } from './tiff.ts';

/** A type of file that is stored. */
export interface Kind {
  readonly contentType: string;
  /** For a file name, without the dot. */
  readonly ext: string;
  is(head: Buffer): boolean;
  /** How its size is read; video has none here. */
  readonly size?: () => SizeParser;
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
    const named = head.toString('latin1', 8, Math.min(head.readUInt32BE(0), 256)).match(/[\s\S]{4}/g) ?? [];
    return named.some((brand, index) => index !== 1 && brands.includes(brand));
  };

/** Sizes that the second header of a BMP has in its versions: "BM" alone also begins words. */
const BMP_HEADERS = [12, 16, 40, 52, 56, 64, 108, 124];
const isBmp = (head: Buffer): boolean =>
  at(0, 'BM')(head) && head.length >= 18 && head.readUInt32LE(6) === 0 && BMP_HEADERS.includes(head.readUInt32LE(14));

const JXL_CONTAINER = '\0\0\0\x0cJXL \r\n\x87\n';

/** EBML whose document type is `webm` (RFC 8794 §11.2.6): other Matroska files play in few browsers. */
function isWebm(head: Buffer): boolean {
  if (!at(0, '\x1a\x45\xdf\xa3')(head)) return false;
  const text = head.toString('latin1', 4, 128);
  return ['\x84', '\x40\x04', '\x01\0\0\0\0\0\0\x04'].some((length) => text.includes(`\x42\x82${length}webm`));
}

/** The first that fits. AVIF stands before HEIF and both before MP4: all are `ftyp` files, and the special ones name the general brands too. */
export const KINDS: readonly Kind[] = [
  { contentType: 'image/png', ext: 'png', size: png, is: at(0, '\x89PNG\r\n\x1a\n') },
  { contentType: 'image/jpeg', ext: 'jpg', size: jpeg, is: at(0, '\xff\xd8\xff') },
  { contentType: 'image/webp', ext: 'webp', size: webp, is: (head) => at(0, 'RIFF')(head) && at(8, 'WEBP')(head) },
  { contentType: 'image/gif', ext: 'gif', size: gif, is: at(0, 'GIF87a', 'GIF89a') },
  { contentType: 'image/avif', ext: 'avif', size: heif, is: branded('avif', 'avis') },
  {
    contentType: 'image/heic',
    ext: 'heic',
    size: heif,
    is: branded('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'),
  },
  { contentType: 'image/heif', ext: 'heif', size: heif, is: branded('mif1', 'mif2', 'msf1') },
  { contentType: 'image/jxl', ext: 'jxl', size: () => jxl(false), is: at(0, '\xff\x0a') },
  { contentType: 'image/jxl', ext: 'jxl', size: () => jxl(true), is: at(0, JXL_CONTAINER) },
  { contentType: 'image/tiff', ext: 'tif', size: tiff, is: at(0, 'II*\0', 'MM\0*', 'II+\0\x08\0\0\0', 'MM\0+\0\x08\0\0') },
  { contentType: 'image/bmp', ext: 'bmp', size: bmp, is: isBmp },
  { contentType: 'video/webm', ext: 'webm', is: isWebm },
  { contentType: 'video/quicktime', ext: 'mov', is: at(4, 'ftypqt  ') },
  {
    contentType: 'video/mp4',
    ext: 'mp4',
    is: branded(
      ...['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9', 'mp41', 'mp42', 'mp71', 'avc1', 'av01'],
      ...['hvc1', 'hev1', 'M4V ', 'M4VH', 'M4VP', 'MSNV', 'mmp4', 'f4v ', 'F4V ', 'dash', 'dby1', 'cmfc', 'cmf2', 'cmfs'],
    ),
  },
];
