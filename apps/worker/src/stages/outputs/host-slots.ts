import type { Timers } from '@grsai-jobs/runtime';
import { LRUCache } from 'lru-cache';

/** A download without a free slot waits this long in memory, then goes back to the queue. */
const WAIT_MS = 1000;
/** A host that takes longer to answer is slow. */
const SLOW_MS = 1000;
/** How far apart those without a slot come again. */
const GAP_MS = { least: 100, most: 5000 } as const;
/** One that is forgotten begins with what it had at first. */
const HOSTS_KEPT = 10_000;

/** The right to make one download in this process. Leaving twice is harmless. */
interface HostSlot {
  /** How long the host took to answer. */
  took(ms: number): void;
  leave(): void;
}

export interface HostSlots {
  /** A slot, or in how many ms to come again. */
  enter(host: string): Promise<HostSlot | number>;
}

interface Host {
  open: number;
  /** Slots that it has: a few to begin with and after a slow answer, one more with each quick one. */
  slots: number;
  tookMs: number;
  /** When the last one that found no slot is to come again. */
  lastTurn: number;
  waiting: Set<() => void>;
}

/**
 * What one host may have of a worker's downloads: a quarter, and most of them while it is quick. So one that hangs leaves the others
 * their slots.
 *
 * @param all asked each time, since operators change how many there are.
 */
export function createHostSlots(all: () => number, timers: Pick<Timers, 'elapsed' | 'after'>): HostSlots {
  const hosts = new LRUCache<string, Host>({ max: HOSTS_KEPT });
  const few = (): number => Math.max(1, Math.floor(all() / 4));
  const most = (): number => Math.max(1, all() - Math.ceil(all() / 8));

  function give(host: Host): HostSlot {
    let left = false;
    host.open += 1;
    return {
      took: (ms) => {
        host.tookMs = ms;
        host.slots = ms < SLOW_MS ? Math.min(most(), host.slots + 1) : few();
      },
      leave: () => {
        if (left) return;
        left = true;
        host.open -= 1;
        for (const next of host.waiting) {
          if (host.open >= host.slots) return;
          next();
        }
      },
    };
  }

  function turnMs(host: Host): number {
    const gap = Math.max(GAP_MS.least, Math.min(GAP_MS.most, host.tookMs / host.slots));
    host.lastTurn = Math.max(host.lastTurn, timers.elapsed()) + gap;
    return Math.ceil(host.lastTurn - timers.elapsed());
  }

  return {
    async enter(name) {
      const host = hosts.get(name) ?? { open: 0, slots: few(), tookMs: 0, lastTurn: 0, waiting: new Set() };
      hosts.set(name, host);
      if (host.open < host.slots) return give(host);
      if (host.tookMs >= SLOW_MS) return turnMs(host);
      return await new Promise((resolve) => {
        const end = (result: () => HostSlot | number) => {
          endWait();
          host.waiting.delete(woken);
          resolve(result());
        };
        const woken = () => end(() => give(host));
        const endWait = timers.after(WAIT_MS, () => end(() => turnMs(host)));
        host.waiting.add(woken);
      });
    },
  };
}
