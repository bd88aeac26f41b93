import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

export type Tenants = ReturnType<typeof createTenants>;

/** What belongs to a tenant itself. Secrets arrive here sealed. */
export function createTenants(redis: Redis, keys: Keys) {
  return {
    /** The sealed webhook secret of the tenant; `make` is asked for one when there is none yet. The first writer wins. */
    async webhookSecret(tenant: string, make: () => string): Promise<string> {
      const known = await redis.hget(keys.tenant(tenant), 'webhook_secret');
      if (known !== null) return known;
      const [, [, kept] = []] =
        (await redis
          .multi()
          .hsetnx(keys.tenant(tenant), 'webhook_secret', make())
          .hget(keys.tenant(tenant), 'webhook_secret')
          .exec()) ?? [];
      return String(kept);
    },
  };
}
