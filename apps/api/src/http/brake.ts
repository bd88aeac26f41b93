import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** Beyond so many waiting requests of a process nobody waits: a flood must not fill the memory, and nobody is refused for others. */
const MOST_WAITING = 500;
const MOST_KNOWN = 10_000;
/** Whoever was refused is forgotten so long after the last time. */
const MEMORY_MS = 60_000;

/** Slows down who is refused again and again. */
export interface Brake {
  /** Waits: not for the first `free` refusals, then twice as long with each one. */
  before(id: string): Promise<void>;
  refused(id: string): void;
}

export type Wait = (ms: number) => Promise<unknown>;

export function createBrake({
  free,
  firstMs,
  longestMs,
  wait = (ms) => sleep(ms, undefined, { ref: false }),
}: {
  free: number;
  firstMs: number;
  longestMs: number;
  wait?: Wait | undefined;
}): Brake {
  const refusals = new LRUCache<string, number>({ max: MOST_KNOWN, ttl: MEMORY_MS });
  let waiting = 0;
  return {
    async before(id) {
      const beyond = (refusals.get(id) ?? 0) - free;
      if (beyond < 0 || waiting >= MOST_WAITING) return;
      waiting += 1;
      await wait(Math.min(longestMs, firstMs * 2 ** Math.min(beyond, 10))).finally(() => {
        waiting -= 1;
      });
    },
    refused: (id) => void refusals.set(id, (refusals.get(id) ?? 0) + 1),
  };
}
