import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { createBrake, type Wait } from './brake.ts';

/** Ten wrong keys in a row from one address cost nothing: people mistype, and deployments have old keys. */
const PACE = { free: 10, firstMs: 100, longestMs: 5000 };
/** A key that was right is looked up without a wait for so long. */
const GOOD_MS = 24 * 3600_000;
const MOST_GOOD = 10_000;

/** Slows down who tries keys. */
export interface LoginBrake {
  /** Waits before a key from this address is looked at: longer with each wrong one, and not at all for a key that was right before. */
  before(address: string, key: string): Promise<void>;
  right(key: string): void;
  wrong(address: string): void;
}

/** The keys themselves are not kept. */
const digestOf = (key: string): string => hash('sha256', key, 'base64');

/** Whoever has one IPv6 address has all of its /64. */
const networkOf = (address: string): string =>
  isIPv6(address) && !address.toLowerCase().startsWith('::ffff:') ? address.split(':', 4).join(':') : address;

export function createLoginBrake({ wait }: { wait?: Wait } = {}): LoginBrake {
  const brake = createBrake({ ...PACE, wait });
  const good = new LRUCache<string, true>({ max: MOST_GOOD, ttl: GOOD_MS });
  return {
    before: async (address, key) => {
      if (!good.has(digestOf(key))) await brake.before(networkOf(address));
    },
    right: (key) => void good.set(digestOf(key), true),
    wrong: (address) => brake.refused(networkOf(address)),
  };
}
