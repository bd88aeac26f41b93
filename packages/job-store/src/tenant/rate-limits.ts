import type { Redis } from '@grsai-jobs/redis';
import { LRUCache } from 'lru-cache';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

/** Where a key or a tenant stands in its minute after this request. */
export interface RateCount {
  allowed: boolean;
  /** Requests that are left in this minute. */
  remaining: number;
  /** Milliseconds until this minute is over; it began with the first request. */
  resetMs: number;
}

/** Counts one request of whoever has this id, over all processes on this Redis. */
export type RateLimit = (id: string, perMinute: number) => Promise<RateCount>;

/** Seconds of the window that a {@link RateLimit} counts in. */
export const RATE_WINDOW_S = 60;

/** So many different limits are in use at once; one that is forgotten is made anew. */
const LIMITERS = 100;

/**
 * At most `perMinute` requests of one id in a minute. One round trip for each request; who has used up the
 * minute is remembered by this process and costs none.
 */
export function createRateLimit(redis: Redis, keyPrefix: string): RateLimit {
  const limiters = new LRUCache<number, RateLimiterRedis>({ max: LIMITERS });
  const limiterOf = (perMinute: number): RateLimiterRedis => {
    const made =
      limiters.get(perMinute) ??
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix,
        points: perMinute,
        duration: RATE_WINDOW_S,
        inMemoryBlockOnConsumed: perMinute,
      });
    limiters.set(perMinute, made);
    return made;
  };
  const countOf = (allowed: boolean, res: RateLimiterRes): RateCount => ({
    allowed,
    remaining: res.remainingPoints,
    resetMs: Math.max(0, res.msBeforeNext),
  });
  return async (id, perMinute) => {
    try {
      return countOf(true, await limiterOf(perMinute).consume(id));
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return countOf(false, refused);
      throw refused;
    }
  };
}
