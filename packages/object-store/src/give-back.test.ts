import { expect, test } from 'vitest';
import { giveBack } from './give-back.ts';
import { type SizeParser, SizeScan } from './media/size-scan.ts';

test('when a chunk is all that stands in its memory then this is given back, else nothing changes', () => {
  const whole = Buffer.allocUnsafeSlow(65_536).fill(7);
  giveBack(whole);
  expect(whole).toHaveLength(0);
  const memory = Buffer.allocUnsafeSlow(65_536).fill(7);
  giveBack(memory.subarray(0, 65_535));
  giveBack(new Uint8Array(new SharedArrayBuffer(4)));
  expect(memory.equals(Buffer.alloc(65_536, 7))).toBe(true);
});

test('when a chunk is gone then a parser can still look at what it was given of it', () => {
  const side = (value: number) => {
    const bytes = Buffer.allocUnsafeSlow(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const twoSides = function* (): SizeParser {
    const [width, height] = [yield 4, yield 4];
    return { width: width.readUInt32BE(), height: height.readUInt32BE() };
  };
  const scan = new SizeScan(twoSides());
  for (const chunk of [side(640), side(480)]) {
    scan.feed(chunk);
    giveBack(chunk);
  }
  expect(scan.size).toEqual({ width: 640, height: 480 });
});
