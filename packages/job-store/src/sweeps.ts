import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

export type Sweeps = ReturnType<typeof createSweeps>;

/** What the slow rounds of `maintain` read: unstored results, tasks that may still end, records past their time. */
export function createSweeps(redis: Redis, keys: Keys) {
  return {
    /** When the oldest result that is paid for and not stored was seen; `null` when all are stored. */
    async oldestUnstored(): Promise<number | null> {
      const [, since] = await redis.zrange(keys.storing, '0', '0', 'WITHSCORES');
      return since === undefined ? null : Number(since);
    },

    /** Ended jobs whose task may still succeed, due for a look. */
    late: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.late, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    async lookLateAgain(id: string, at: number): Promise<void> {
      await redis.zadd(keys.late, 'XX', at, id);
    },

    async forgetLate(id: string): Promise<void> {
      await redis.zrem(keys.late, id);
    },

    /** Jobs that ended before `time`, the oldest first. */
    endedBefore: (time: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.ended, '-inf', String(time), 'BYSCORE', 'LIMIT', 0, limit),

    /** An id whose record is gone already. */
    async forgetEnded(id: string): Promise<void> {
      await redis.zrem(keys.ended, id);
    },
  };
}
