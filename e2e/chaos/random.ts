import { createHash } from 'node:crypto';

/** Chance under a seed: the same seed gives the same draws in the same order. */
export interface Random {
  /** From 0 up to 1. */
  unit(): number;
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  chance(p: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** A row, as often as its weight says. */
  weighted<T extends { readonly weight: number }>(rows: readonly [T, ...T[]]): T;
  shuffle<T>(list: readonly T[]): T[];
}

/** sfc32 (Chris Doty-Humphrey, PractRand), started from the SHA-256 of the seed. */
function sfc32(seed: string): () => number {
  const digest = createHash('sha256').update(seed).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
}

export function createRandom(seed: string): Random {
  const unit = sfc32(seed);
  const int = (min: number, max: number): number => min + Math.floor(unit() * (max - min + 1));
  return {
    unit,
    int,
    chance: (p) => unit() < p,
    pick: (list) => list[int(0, list.length - 1)] ?? list[0],
    weighted: (rows) => {
      let left = unit() * rows.reduce((sum, row) => sum + row.weight, 0);
      for (const row of rows) {
        left -= row.weight;
        if (left < 0) return row;
      }
      return rows[0];
    },
    shuffle: (list) => {
      const rest = [...list];
      return list.map(() => rest.splice(int(0, rest.length - 1), 1)[0] as (typeof list)[number]);
    },
  };
}
