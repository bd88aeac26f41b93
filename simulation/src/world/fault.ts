import type { Random } from '../random.ts';
import type { World } from './world.ts';

/** Something that goes wrong. It says what it does, and comes to an end by itself. */
export interface Fault {
  readonly name: string;
  readonly weight: number;
  /** It is none of ours: nothing that the service has written or holds is lost by it. */
  readonly outside?: true;
  /** Answers how it is undone, and after how many ms; nothing when nothing is to be undone. */
  begin(world: World, random: Random): { undo: () => void; inMs: number; what: string } | { what: string } | null;
}

/** For a while something has this value instead of its usual one. */
export function condition<T>(
  name: string,
  weight: number,
  values: readonly T[],
  ms: readonly [number, number],
  set: (world: World, value: T | null) => string,
  of: Pick<Fault, 'outside'> = {},
): Fault {
  return {
    name,
    weight,
    ...of,
    begin(world, random) {
      const what = set(world, random.pick(values));
      return { what, undo: () => void set(world, null), inMs: random.whole(...ms) };
    },
  };
}
