import type { Timers } from '@grsai-jobs/runtime';
import { type DatedSecret, type Keyring, livingSecrets } from '@grsai-jobs/webhooks';
import { LRUCache } from 'lru-cache';

const CACHE_MS = 60_000;

/** The webhook secrets of tenants, as one process knows them. */
export interface TenantSecrets<K> {
  /** What signs for the tenant now, newest first. */
  of(tenant: string): Promise<readonly K[]>;
  /** The tenant's secrets have changed: they are read anew, also where a read is under way. */
  changed(tenant: string): void;
  /** Changes arrive from now on; some may have been missed. */
  subscribed(): void;
  /** Changes are missed from now on, so each question is a read until {@link TenantSecrets.listening}. */
  disconnected(): void;
}

/**
 * Secrets are kept for a minute while changes arrive, and not at all while they may be missed: after a rotation
 * without an overlap nothing may be signed by the old secret alone.
 */
export function createTenantSecrets<K extends object | string>(o: {
  keyring: Pick<Keyring, 'read'>;
  /** A secret as what signs by it. */
  keyOf: (secret: string) => K;
  clock: { now(): number };
  timers: Pick<Timers, 'elapsed'>;
}): TenantSecrets<K> {
  const kept = { max: 10_000, ttl: CACHE_MS, ttlResolution: 0, perf: { now: o.timers.elapsed } };
  const known = new LRUCache<string, Promise<readonly DatedSecret[]>>(kept);
  const keys = new LRUCache<string, K>({ ...kept, memoMethod: o.keyOf });
  let subscribed = false;

  async function read(tenant: string): Promise<readonly DatedSecret[]> {
    if (!subscribed) return await o.keyring.read(tenant);
    const cached = known.get(tenant);
    if (cached) return await cached;
    const reading = o.keyring.read(tenant);
    known.set(tenant, reading);
    return await reading.catch((error: unknown) => {
      if (known.peek(tenant) === reading) known.delete(tenant);
      throw error;
    });
  }

  return {
    of: async (tenant) => livingSecrets(await read(tenant), o.clock.now()).map((secret) => keys.memo(secret)),
    changed: (tenant) => {
      known.delete(tenant);
    },
    subscribed: () => {
      known.clear();
      subscribed = true;
    },
    disconnected: () => {
      subscribed = false;
    },
  };
}
