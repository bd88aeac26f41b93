import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Keys } from '../redis/keys.ts';

/** Where a key stands in its minute after this request. */
export interface RateCount {
  allowed: boolean;
  /** Requests that are left in this minute. */
  remaining: number;
  /** Milliseconds until the minute of this key is over; it began with its first request. */
  resetMs: number;
}

/** Counts one request of a key, over all processes on this Redis. */
export type RateLimit = (keyId: string) => Promise<RateCount>;

/** Seconds of the window that a {@link RateLimit} counts in. */
export const RATE_WINDOW_S = 60;

/**
 * At most `perMinute` requests of one API key in a minute. One round trip for each request; a key that has used up its
 * minute is remembered by this process and costs none.
 */
export function createRateLimit(redis: Redis, keys: Keys, perMinute: number): RateLimit {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: keys.rateLimit,
    points: perMinute,
    duration: RATE_WINDOW_S,
    inMemoryBlockOnConsumed: perMinute,
  });
  const countOf = (allowed: boolean, res: RateLimiterRes): RateCount => ({
    allowed,
    remaining: res.remainingPoints,
    resetMs: Math.max(0, res.msBeforeNext),
  });
  return async (keyId) => {
    try {
      return countOf(true, await limiter.consume(keyId));
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return countOf(false, refused);
      throw refused;
    }
  };
}
