import { eventId, JOB_EVENTS, type JobRecord } from '@grsai-jobs/jobs';
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

    /** Erases an ended job with its deliveries and its places in the lists. Its objects are not touched. */
    async erase(job: JobRecord): Promise<void> {
      const events = Array.from({ length: job.run }, (_, i) => JOB_EVENTS.map((type) => eventId(job.id, i + 1, type))).flat();
      await redis
        .multi()
        .del(keys.job(job.id), ...events.map((id) => keys.delivery(id)))
        .zrem(keys.tenantJobs(job.tenant), job.id)
        .zrem(keys.tenantFailed(job.tenant), job.id)
        .zrem(keys.failed, job.id)
        .zrem(keys.ended, job.id)
        .zrem(keys.due, job.id)
        .zrem(keys.late, job.id)
        .zrem(keys.tenantDeliveries(job.tenant), ...events)
        .zrem(keys.dueDeliveries, ...events)
        .hincrby(keys.counters, 'erased', 1)
        .exec();
    },

    /** An id whose record is gone already. */
    async forgetEnded(id: string): Promise<void> {
      await redis.zrem(keys.ended, id);
    },
  };
}
