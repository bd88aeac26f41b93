import { createHash } from 'node:crypto';
import { type EndpointView, endpointOf } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { optionalNumber } from './fields.ts';
import type { Keys } from './keys.ts';

/**
 * Names the endpoint behind a webhook URL of a tenant (design §5: tenant, scheme, host, port, path), short enough for a
 * queue entry. Throws a TypeError when `url` is no URL.
 */
export const endpointId = (tenant: string, url: string): string =>
  createHash('sha256')
    .update(`${tenant} ${endpointOf(url)}`)
    .digest('base64url')
    .slice(0, 22);

export type Endpoints = ReturnType<typeof createEndpoints>;

/**
 * Receivers of webhooks. How they fare is kept by the tries themselves (`open-try`, `settle`), and forgotten seven days
 * after the last use.
 */
export function createEndpoints(redis: Redis, keys: Keys, clock: { now(): number }) {
  return {
    /** How the endpoint behind `url` fares. One that was never used, or not for seven days, is `closed`. */
    async read(tenant: string, url: string): Promise<EndpointView> {
      const id = endpointId(tenant, url);
      const now = clock.now();
      const replies = await redis
        .multi()
        .hmget(keys.endpoint(id), 'till', 'since', 'off', 'why')
        .zcount(keys.endpointTries(id), `(${now}`, '+inf')
        .exec();
      const [till, since, off, why] = (replies?.[0]?.[1] ?? []) as (string | null)[];
      const opensAt = optionalNumber(till ?? undefined);
      const breaker = opensAt === null ? 'closed' : now < opensAt ? 'open' : 'half_open';
      return {
        state: off ? 'disabled' : breaker,
        failing_since: optionalNumber(since ?? undefined),
        disabled_at: optionalNumber(off ?? undefined),
        reason: (why ?? null) as EndpointView['reason'],
        open_tries: Number(replies?.[1]?.[1] ?? 0),
      };
    },

    /**
     * Takes back what the failures of an endpoint have led to: it is no longer disabled, its breaker is closed, and its
     * five days begin anew. Deliveries that were skipped stay so until they are resent. Doing it twice is harmless.
     */
    async enable(tenant: string, url: string): Promise<void> {
      await redis.hdel(keys.endpoint(endpointId(tenant, url)), 'off', 'why', 'till', 'rest', 'probe', 'since', 'win', 'park');
    },
  };
}
