import { LRUCache } from 'lru-cache';

/** Who finds no place waits here for this long, where it costs nothing; then in the queue, where it holds nothing. */
const WAIT_MS = 1000;
/** A host that takes longer to answer is slow. */
const SLOW_MS = 1000;
/** How far apart those without a place come again. */
const GAP_MS = { least: 100, most: 5000 } as const;
/** One that is forgotten begins with what it had at first. */
const HOSTS_KEPT = 10_000;

/** The right to make one download in this process. Leaving twice is harmless. */
interface HostPlace {
  /** How long the host took to answer. */
  took(ms: number): void;
  leave(): void;
}

export interface HostPlaces {
  /** A place, or in how many ms to come again. */
  enter(host: string): Promise<HostPlace | number>;
}

interface Host {
  open: number;
  /** Places that it has: a few to begin with and after a slow answer, one more with each quick one. */
  places: number;
  tookMs: number;
  /** When the last one that found no place was told to come again. */
  lastSlot: number;
  waiting: Set<() => void>;
}

/**
 * What one host may have of a worker's downloads: a quarter, and most of them while it is quick. So one that hangs leaves the others
 * their places.
 *
 * @param all asked each time, since operators change how many there are.
 */
export function createHostPlaces(all: () => number): HostPlaces {
  const hosts = new LRUCache<string, Host>({ max: HOSTS_KEPT });
  const few = (): number => Math.max(1, Math.floor(all() / 4));
  const most = (): number => Math.max(1, all() - Math.ceil(all() / 8));

  function give(host: Host): HostPlace {
    let left = false;
    host.open += 1;
    return {
      took: (ms) => {
        host.tookMs = ms;
        host.places = ms < SLOW_MS ? Math.min(most(), host.places + 1) : few();
      },
      leave: () => {
        if (left) return;
        left = true;
        host.open -= 1;
        for (const next of host.waiting) {
          if (host.open >= host.places) return;
          next();
        }
      },
    };
  }

  function slotMs(host: Host): number {
    const gap = Math.max(GAP_MS.least, Math.min(GAP_MS.most, host.tookMs / host.places));
    host.lastSlot = Math.max(host.lastSlot, performance.now()) + gap;
    return Math.ceil(host.lastSlot - performance.now());
  }

  return {
    async enter(name) {
      const host = hosts.get(name) ?? { open: 0, places: few(), tookMs: 0, lastSlot: 0, waiting: new Set() };
      hosts.set(name, host);
      if (host.open < host.places) return give(host);
      if (host.tookMs >= SLOW_MS) return slotMs(host);
      return await new Promise((resolve) => {
        const end = (result: () => HostPlace | number) => {
          clearTimeout(timer);
          host.waiting.delete(woken);
          resolve(result());
        };
        const woken = () => end(() => give(host));
        const timer = setTimeout(() => end(() => slotMs(host)), WAIT_MS);
        host.waiting.add(woken);
      });
    },
  };
}
