import type { SizeParser } from './size-scan.ts';

/** The size stands in IHDR, the first chunk but for one of Apple's own. */
export function* png(): SizeParser {
  yield -8;
  for (;;) {
    const head = yield 8;
    if (head.toString('latin1', 4, 8) === 'IHDR') {
      const size = yield 8;
      return { width: size.readUInt32BE(0), height: size.readUInt32BE(4) };
    }
    yield -(head.readUInt32BE(0) + 4);
  }
}

export function* gif(): SizeParser {
  const head = yield 10;
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
}

/** Headers of 12 bytes have short sides; a negative height means that the first row is the top one. */
export function* bmp(): SizeParser {
  const head = yield 26;
  if (head.readUInt32LE(14) === 12) return { width: head.readUInt16LE(18), height: head.readUInt16LE(20) };
  return { width: head.readInt32LE(18), height: Math.abs(head.readInt32LE(22)) };
}

/** The three kinds of WebP: extended, lossy, lossless (RFC 9649). */
export function* webp(): SizeParser {
  yield -12;
  for (;;) {
    const head = yield 8;
    const type = head.toString('latin1', 0, 4);
    if (type === 'VP8X') {
      const body = yield 10;
      return { width: body.readUIntLE(4, 3) + 1, height: body.readUIntLE(7, 3) + 1 };
    }
    if (type === 'VP8 ') {
      const body = yield 10;
      return { width: body.readUInt16LE(6) & 0x3fff, height: body.readUInt16LE(8) & 0x3fff };
    }
    if (type === 'VP8L') {
      const sides = (yield 5).readUInt32LE(1);
      return { width: (sides & 0x3fff) + 1, height: ((sides >>> 14) & 0x3fff) + 1 };
    }
    const length = head.readUInt32LE(4);
    yield -(length + (length % 2));
  }
}
