import type { Redis } from '@grsai-jobs/redis';

/** What Redis says the time is, in ms since 1970, with fractions. */
export async function redisTime(redis: Pick<Redis, 'time'>): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Number(micros) / 1000;
}
