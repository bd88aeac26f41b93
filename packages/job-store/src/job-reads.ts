import type { JobRecord } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { decodeRecord } from './record-codec.ts';

export type JobReads = ReturnType<typeof createJobReads>;

/** Reading records, and the sorted set of what is due. */
export function createJobReads(redis: Redis, keys: Keys) {
  return {
    async read(id: string): Promise<JobRecord | null> {
      const fields = await redis.hgetall(keys.job(id));
      return fields['st'] === undefined ? null : decodeRecord(id, fields);
    },

    /** Ids of jobs whose `due` lies before `now`, the most overdue first. */
    overdue: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.due, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    /** Its entry is there: look at it again at `until`. A job that ended meanwhile stays away. */
    async postpone(id: string, until: number): Promise<void> {
      await redis.zadd(keys.due, 'XX', 'GT', until, id);
    },

    /** An id whose record is gone is forgotten. */
    async forgetDue(id: string): Promise<void> {
      await redis.zrem(keys.due, id);
    },

    /** Jobs with an open call or a living task. */
    inFlight: (): Promise<number> => redis.zcard(keys.inflight),

    /** Counters such as `repairs`, `stalled`, `thrown`. */
    async counters(): Promise<Record<string, number>> {
      return Object.fromEntries(Object.entries(await redis.hgetall(keys.counters)).map(([name, n]) => [name, Number(n)]));
    },
  };
}
