import { hash } from 'node:crypto';
import { ENDPOINT_RULES, type EndpointView, endpointOf, hostOf } from '@grsai-jobs/jobs';
import { luaTable, optionalNumber, type Redis, readLua } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import type { LastingWrite } from '../layout/lasting-write.ts';

const short = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22);

/**
 * Names the endpoint behind a webhook URL of a tenant (tenant, scheme, host, port, path), short enough for a queue entry.
 * Throws a TypeError when `url` is no URL.
 */
export const endpointId = (tenant: string, url: string): string => short(`${tenant} ${endpointOf(url)}`);

/** An endpoint with what else of it decides whether an attempt may go out. */
export interface EndpointRef {
  tenant: string;
  /** Names the tenant's host and port, which many endpoints may share. */
  host: string;
  id: string;
}

/** The endpoint behind a webhook URL of a tenant. Throws a TypeError when `url` is no URL. */
export const endpointRef = (tenant: string, url: string): EndpointRef => ({
  tenant,
  host: short(`${tenant} ${hostOf(url)}`),
  id: endpointId(tenant, url),
});

/** The same as one word, as queue entries and the list of rooms have it. */
export const endpointName = ({ tenant, host, id }: EndpointRef): string => `${tenant}/${host}/${id}`;

/** The endpoint behind a webhook URL of a tenant, as one word. */
export const endpointNameOf = (tenant: string, url: string): string => endpointName(endpointRef(tenant, url));

/** Reads that word; `null` for one that a version before wrote. */
export function readEndpointName(name: string): EndpointRef | null {
  const [tenant, host, id, ...rest] = name.split('/');
  return tenant && host && id && rest.length === 0 ? { tenant, host, id } : null;
}

/** The keys of an endpoint, as the scripts name them that begin and end attempts. */
export const ENDPOINT_KEYS = ['endpoint', 'open_attempts', 'room', 'host', 'rooms', 'deliver_pauses'] as const;

export const endpointKeys = (keys: Keys, endpoint: EndpointRef): Record<(typeof ENDPOINT_KEYS)[number], string> => ({
  endpoint: keys.endpoint(endpoint.id),
  open_attempts: keys.endpointAttempts(endpoint.id),
  room: keys.endpointRoom(endpoint.id),
  host: keys.host(endpoint.host),
  rooms: keys.rooms,
  deliver_pauses: keys.pauses('deliver'),
});

/** What those scripts share: permits, breakers, rooms. */
export const ATTEMPTS_LUA = luaTable('rules', ENDPOINT_RULES) + readLua(new URL('./attempts.lua', import.meta.url));

/** All attempts that were open when an unused endpoint was enabled are over by then: who names many of them leaves nothing for days. */
const ENABLED_MS = 10 * ENDPOINT_RULES.leaseMs;

export type Endpoints = ReturnType<typeof createEndpoints>;

/**
 * Receivers of webhooks. How they fare is kept by the attempts themselves (`open-attempt.lua`, `settle.lua`), and forgotten seven days
 * after the last use.
 */
export function createEndpoints(redis: Redis, keys: Keys, clock: { now(): number }, lasting: LastingWrite) {
  return {
    /** How the endpoint behind `url` fares. One that was never used, or not for seven days, is `closed`. */
    async read(tenant: string, url: string): Promise<EndpointView> {
      const { id } = endpointRef(tenant, url);
      const now = clock.now();
      const replies = await redis
        .multi()
        .hmget(keys.endpoint(id), 'till', 'since', 'off', 'why', 'permits')
        .zcount(keys.endpointAttempts(id), `(${now}`, '+inf')
        .zcard(keys.endpointRoom(id))
        .exec();
      const [till, since, off, why, permits] = (replies?.[0]?.[1] ?? []) as (string | null)[];
      const opensAt = optionalNumber(till ?? undefined);
      const breaker = opensAt === null ? 'closed' : now < opensAt ? 'open' : 'half_open';
      return {
        state: off ? 'disabled' : breaker,
        failing_since: optionalNumber(since ?? undefined),
        disabled_at: optionalNumber(off ?? undefined),
        reason: (why ?? null) as EndpointView['reason'],
        open_attempts: Number(replies?.[1]?.[1] ?? 0),
        permits: Math.floor(Number(permits ?? ENDPOINT_RULES.permits)),
        waiting: Number(replies?.[2]?.[1] ?? 0),
      };
    },

    /**
     * Takes back what the failures of an endpoint and its host have led to: it is no longer disabled, the breakers are closed, and its
     * five days begin anew. An attempt that was open before does not disable it again. Deliveries that were skipped stay so until they are
     * resent. Doing it twice is harmless.
     */
    async enable(tenant: string, url: string): Promise<void> {
      const endpoint = endpointRef(tenant, url);
      const now = clock.now();
      const breaker = ['till', 'rest', 'probe', 'probing', 'win'] as const;
      await lasting(() =>
        redis
          .multi()
          .hdel(keys.endpoint(endpoint.id), 'off', 'why', 'since', ...breaker)
          .hset(keys.endpoint(endpoint.id), 'on', now)
          .pexpire(keys.endpoint(endpoint.id), ENABLED_MS, 'NX')
          .hdel(keys.host(endpoint.host), ...breaker)
          .zadd(keys.rooms, 'XX', 'LT', now, endpointName(endpoint))
          .exec(),
      );
    },
  };
}
