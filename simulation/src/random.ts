/** Numbers that follow from a seed. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, `from` to `to`, both included. */
  whole(from: number, to: number): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
  /** A text of 32 hex digits that is not drawn twice. */
  token(): string;
  /** Another source that follows from this one and a name, however much is drawn from either. */
  fork(name: string): Random;
}

/** A hash of a text, as the start of a source (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** All numbers of 16 bits in hex. */
const HEX = Array.from({ length: 2 ** 16 }, (_, n) => (n + 2 ** 16).toString(16).slice(1));

/** @param seed any text; the same seed gives the same numbers on every machine (sfc32). */
export function createRandom(seed: string): Random {
  let [a, b, c, d] = [hashOf(`a${seed}`), hashOf(`b${seed}`), hashOf(`c${seed}`), 1];
  const draw = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i += 1) draw();
  const next = () => draw() / 2 ** 32;
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  const hex = () => {
    const drawn = draw();
    return `${HEX[drawn >>> 16]}${HEX[drawn & 0xffff]}`;
  };
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick<T>(of: readonly T[]): T {
      const picked = of[whole(0, of.length - 1)];
      if (of.length === 0) throw new Error('nothing to pick from');
      return picked as T;
    },
    token: () => hex() + hex() + hex() + hex(),
    fork: (name) => createRandom(`${seed}/${name}`),
  };
}
