import type { Principal } from '@grsai-jobs/job-store';
import { LRUCache } from 'lru-cache';

/** A key that was found is believed for this long. */
const CACHE_MS = 60_000;
const CACHE_KEYS = 10_000;

/** Keys that this process has found. It believes them only while it is subscribed to revocations. */
export interface KeyCache {
  /** Who has this key, if it was found of late. */
  known(key: string): Principal | undefined;
  find(key: string, look: () => Promise<Principal | null>): Promise<Principal | null>;
  /** From now on every revocation arrives. */
  subscribed(): void;
  /** Revocations may be missed: each request looks its key up. */
  disconnected(): void;
  /** Some key was revoked. They all go: it is rare, and each is back after one look. */
  forget(): void;
}

export function createKeyCache(): KeyCache {
  const known = new LRUCache<string, Principal>({ max: CACHE_KEYS, ttl: CACHE_MS });
  let isSubscribed = false;
  let era = 0;
  const forget = () => {
    era += 1;
    known.clear();
  };
  return {
    known: (key) => known.get(key),
    async find(key, look) {
      const cached = known.get(key);
      if (cached) return cached;
      const asked = era;
      const principal = await look();
      // What was read before a revocation arrived may be the key that was revoked.
      if (principal !== null && isSubscribed && asked === era) known.set(key, principal);
      return principal;
    },
    subscribed() {
      isSubscribed = true;
      forget();
    },
    disconnected() {
      isSubscribed = false;
      forget();
    },
    forget,
  };
}
