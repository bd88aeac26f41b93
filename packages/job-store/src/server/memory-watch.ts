import type { Timers } from '../timers.ts';
import type { RedisHealth } from './health.ts';

/**
 * From here on new work is refused, so that what is paid for keeps room: BullMQ's own scripts do not run on a full Redis, and a paid
 * task without an entry would wait for its repair.
 */
const INTAKE_ENDS_AT = 0.8;
/** From here on nothing is begun that costs money. It lies above the other, so that what was taken in goes on when intake has ended. */
const CALLS_END_AT = 0.9;
/** What is counted of a record may take so much more in Redis. */
const AT_MOST_TIMES = 1.5;
const LOOK_EVERY_MS = 1000;

export interface MemoryWatch {
  readonly name: string;
  /** Redis has no room for new work, as of the last second. */
  tight(): boolean;
  /** Redis is nearly full: nothing that is paid for is begun. */
  critical(): boolean;
  /**
   * How much all records may take by their counters until new work is refused; `null`: no limit is known. The scripts that take work in
   * hold it, so that all processes together take in no more between two looks than there is room for.
   */
  room(): number | null;
  /** What Redis may use in bytes; `null`: without limit, or not known yet. */
  max(): number | null;
  stop(): Promise<void>;
}

/** Looks at Redis' memory once a second. While it cannot be read the last answer holds. */
export function watchMemory(
  { health, usage }: { health: Pick<RedisHealth, 'memory'>; usage: { total(): Promise<number> } },
  onError: (error: Error) => void,
  timers: Pick<Timers, 'every'>,
): MemoryWatch {
  let seen: { used: number; max: number; counted: number } | null = null;
  const look = async () => {
    const [{ used, max }, counted] = await Promise.all([health.memory(), usage.total()]);
    seen = max === null ? null : { used, max, counted };
  };
  look().catch(onError);
  const end = timers.every(LOOK_EVERY_MS, () => void look().catch(onError));
  const isOver = (part: number) => seen !== null && seen.used >= part * seen.max;
  return {
    name: 'memory watch',
    tight: () => isOver(INTAKE_ENDS_AT),
    critical: () => isOver(CALLS_END_AT),
    room: () => seen && seen.counted + Math.floor((INTAKE_ENDS_AT * seen.max - seen.used) / AT_MOST_TIMES),
    max: () => (seen === null ? null : seen.max),
    stop: async () => end(),
  };
}
