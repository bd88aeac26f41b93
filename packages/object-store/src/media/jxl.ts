import { boxUpTo } from './boxes.ts';
import { type SizeParser, turned } from './size-scan.ts';

/** Bits of a JPEG XL codestream: the lowest of a byte first (ISO/IEC 18181-1). */
class Bits {
  #byte = 0;
  #left = 0;

  *take(count: number): Generator<number, number, Buffer> {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1) {
      if (this.#left === 0) {
        this.#byte = (yield 1).readUInt8();
        this.#left = 8;
      }
      value += (this.#byte & 1) * 2 ** bit;
      this.#byte >>= 1;
      this.#left -= 1;
    }
    return value;
  }
}

const LENGTHS = [9, 13, 18, 30] as const;
/** Width over height, by the number of the ratio; 0 is none. */
const RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
];

function* side(bits: Bits, small: boolean): Generator<number, number, Buffer> {
  if (small) return 8 * (1 + (yield* bits.take(5)));
  return 1 + (yield* bits.take(LENGTHS[yield* bits.take(2)] ?? 9));
}

/** The size header of the codestream, and the orientation behind it. */
function* codestream(): SizeParser {
  if ((yield 2).readUInt16BE() !== 0xff0a) return undefined;
  const bits = new Bits();
  const small = (yield* bits.take(1)) === 1;
  const height = yield* side(bits, small);
  const ratio = yield* bits.take(3);
  const [across, down] = RATIOS[ratio] ?? [1, 1];
  const width = ratio === 0 ? yield* side(bits, small) : Math.floor((height * across) / down);
  const plain = (yield* bits.take(1)) === 1;
  const more = !plain && (yield* bits.take(1)) === 1;
  return turned(width, height, more ? 1 + (yield* bits.take(3)) : 1);
}

/** A bare codestream, or one in a container, whole (`jxlc`) or in parts (`jxlp`, behind a number). */
export function* jxl(container: boolean): SizeParser {
  if (!container) return yield* codestream();
  const box = yield* boxUpTo('jxlc', 'jxlp');
  if (box === undefined) return undefined;
  if (box.type === 'jxlp') yield -4;
  return yield* codestream();
}
