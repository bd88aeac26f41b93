import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** So many wrong keys in a row from one address cost nothing: people mistype, and deployments have old keys. */
const FREE = 10;
const FIRST_MS = 100;
const LONGEST_MS = 5000;
/** An address is forgotten so long after its last wrong key. */
const MEMORY_MS = 60_000;
const MOST_ADDRESSES = 10_000;
/** A key that was right is looked up without a wait for so long. */
const GOOD_MS = 24 * 3600_000;
const MOST_GOOD = 10_000;
/** Beyond so many waiting looks of a process nobody waits: a flood must not fill the memory, and a valid key is never refused for others. */
const MOST_WAITING = 500;

/** Slows down who tries keys. */
export interface LoginBrake {
  /** Waits before a key from this address is looked at: longer with each wrong one, and not at all for a key that was right before. */
  before(address: string, key: string): Promise<void>;
  right(key: string): void;
  wrong(address: string): void;
}

/** The keys themselves are not kept. */
const digestOf = (key: string): string => createHash('sha256').update(key).digest('base64');

/** Whoever has one IPv6 address has all of its /64. */
const networkOf = (address: string): string =>
  isIPv6(address) && !address.toLowerCase().startsWith('::ffff:') ? address.split(':', 4).join(':') : address;

export function createLoginBrake({
  wait = (ms: number): Promise<unknown> => sleep(ms, undefined, { ref: false }),
} = {}): LoginBrake {
  const failures = new LRUCache<string, number>({ max: MOST_ADDRESSES, ttl: MEMORY_MS });
  const good = new LRUCache<string, true>({ max: MOST_GOOD, ttl: GOOD_MS });
  let waiting = 0;
  return {
    async before(address, key) {
      const beyond = (failures.get(networkOf(address)) ?? 0) - FREE;
      if (beyond < 0 || waiting >= MOST_WAITING || good.has(digestOf(key))) return;
      waiting += 1;
      await wait(Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(beyond, 10))).finally(() => {
        waiting -= 1;
      });
    },
    right: (key) => void good.set(digestOf(key), true),
    wrong: (address) => void failures.set(networkOf(address), (failures.get(networkOf(address)) ?? 0) + 1),
  };
}
