import { type SizeParser, turned } from './size-scan.ts';
import { tiffTags } from './tiff.ts';

const EXIF = 'Exif\0\0';
const START_OF_SCAN = 0xda;
const END = 0xd9;
const APP1 = 0xe1;
/** EXIF is one of them, the parts of XMP are others. */
const MAX_EXIF = 8;

/** Frame headers are C0 to CF but for the tables among them: DHT, JPG and DAC (ITU-T T.81, table B.1). */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** Markers without a length: TEM, RST0 to RST7, SOI. */
const standsAlone = (marker: number): boolean => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** The frame header behind whatever metadata, and the orientation that EXIF gives it. */
export function* jpeg(): SizeParser {
  yield -2;
  let orientation = 1;
  let looked = 0;
  for (;;) {
    const marker = yield* nextMarker();
    if (marker === START_OF_SCAN || marker === END) return undefined;
    const length = (yield 2).readUInt16BE() - 2;
    if (length < 0) return undefined;
    if (isFrame(marker)) {
      const frame = yield 5;
      return turned(frame.readUInt16BE(3), frame.readUInt16BE(1), orientation);
    }
    // Few are looked into: each has a directory of its own.
    if (marker === APP1 && looked < MAX_EXIF) {
      looked += 1;
      orientation = (yield* exifOrientation(length)) ?? orientation;
    } else yield -length;
  }
}

/** The next with a length. What is no marker is passed over, as decoders do. */
function* nextMarker(): Generator<number, number, Buffer> {
  for (;;) {
    let byte = 0;
    while (byte !== 0xff) byte = (yield 1).readUInt8();
    while (byte === 0xff) byte = (yield 1).readUInt8();
    if (!standsAlone(byte)) return byte;
  }
}

function* exifOrientation(length: number): Generator<number, number | undefined, Buffer> {
  if (length < EXIF.length) {
    yield -length;
    return undefined;
  }
  if ((yield EXIF.length).toString('latin1') === EXIF) return orientationIn(yield length - EXIF.length);
  yield EXIF.length - length;
  return undefined;
}

/** EXIF data is whole in memory: where its directory points is no matter. */
function orientationIn(exif: Buffer): number | undefined {
  const tags = tiffTags();
  let at = 0;
  try {
    for (let step = tags.next(); ; ) {
      if (step.done === true) return step.value.orientation;
      const from = at;
      at += Math.abs(step.value);
      if (at > exif.length) return undefined;
      step = tags.next(step.value < 0 ? Buffer.alloc(0) : exif.subarray(from, at));
    }
  } catch {
    return undefined;
  }
}
