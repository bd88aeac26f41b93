import type { Redis } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

/** How many jobs came and went since a time. */
export interface Rates {
  accepted: number;
  ended: number;
  /** Of the ended ones, those that failed or expired and have not been run again. */
  failed: number;
}

/** Live jobs and what waits behind them. */
export interface Standing {
  live: number;
  queued: number;
  in_flight: number;
  storing: number;
  /** Since when the oldest paid result waits to be stored. */
  oldest_unstored_at: number | null;
  /** Failed or expired, and not run again. */
  failed: number;
  pending_deliveries: number;
}

/** So many open jobs are asked where they run; above that their share is that of as many. */
const READ_AT_MOST = 10_000;

export type Overview = ReturnType<typeof createOverview>;

/** Numbers for operators, from indexes that are kept anyway: no look at all jobs. */
export function createOverview(
  redis: Redis,
  keys: Keys,
  tenants: { all(): Promise<readonly string[]> },
  clock: { now(): number },
) {
  const numbers = async (pipeline: ReturnType<Redis['pipeline']>): Promise<number[]> =>
    ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return Number(reply);
    });

  return {
    async standing(): Promise<Standing> {
      const pipeline = redis.pipeline().zcard(keys.due).hget(keys.turns, '#queued');
      pipeline.zcount(keys.inflight, `(${clock.now()}`, '+inf');
      pipeline.zcard(keys.storing).zcard(keys.failed).zcard(keys.pendingDeliveries);
      const [live = 0, queued = 0, in_flight = 0, storing = 0, failed = 0, pending_deliveries = 0] = await numbers(pipeline);
      const [, since] = await redis.zrange(keys.storing, '0', '0', 'WITHSCORES');
      return { live, queued, in_flight, storing, failed, pending_deliveries, oldest_unstored_at: since ? Number(since) : null };
    },

    /** What came and went since each of these times (ms since 1970); an index by time is only counted. */
    async ratesSince(times: readonly number[]): Promise<Rates[]> {
      const lists = (await tenants.all()).map(keys.tenantJobs);
      const pipeline = redis.pipeline();
      for (const time of times)
        for (const index of [keys.ended, keys.failed, ...lists]) pipeline.zcount(index, `(${time}`, '+inf');
      const counts = await numbers(pipeline);
      return times.map((_, i) => {
        const [ended = 0, failed = 0, ...accepted] = counts.slice(i * (lists.length + 2), (i + 1) * (lists.length + 2));
        return { accepted: accepted.reduce((sum, n) => sum + n, 0), ended, failed };
      });
    },

    /** Jobs with an in-flight call or a living task by the base that has the task; `null`: the call is in flight. */
    async inFlightByBase(): Promise<{ base: string | null; count: number }[]> {
      const ids = await redis.zrange(keys.inflight, `(${clock.now()}`, '+inf', 'BYSCORE', 'LIMIT', 0, READ_AT_MOST);
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.hget(keys.job(id), 'base');
      const found = new Map<string | null, number>();
      for (const [error, base] of (await pipeline.exec()) ?? []) {
        if (error) throw error;
        const at = (base as string | null) || null;
        found.set(at, (found.get(at) ?? 0) + 1);
      }
      return [...found].map(([base, count]) => ({ base, count })).sort((a, b) => b.count - a.count);
    },
  };
}
