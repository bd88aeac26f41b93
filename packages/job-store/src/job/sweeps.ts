import { pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import { forget } from '../layout/index-entries.ts';
import type { Keys } from '../layout/keys.ts';

export type Sweeps = ReturnType<typeof createSweeps>;

/** What the slow periodic tasks read: unstored results, tasks that may still end, records past their time. */
export function createSweeps(redis: Redis, run: RunScript, keys: Keys) {
  return {
    /** Jobs whose results are paid for and have waited since before `time` to be stored, the oldest first but `skip` of them. */
    unstoredBefore: (time: number, o: { skip: number; limit: number }): Promise<string[]> =>
      redis.zrange(keys.storing, '-inf', `(${time}`, 'BYSCORE', 'LIMIT', o.skip, o.limit),

    /** Ended jobs whose task may still succeed, due for a late poll. */
    late: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.late, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    async pollLateAgain(id: string, at: number): Promise<void> {
      await redis.zadd(keys.late, 'XX', at, id);
    },

    /** A late poll begins, and the next one is due at `at` should its worker die. Answers how many in a row have begun and not ended. */
    async beginLatePoll(id: string, at: number): Promise<number> {
      const [open] = (await redis.multi().hincrby(keys.lateOpen, id, 1).zadd(keys.late, 'XX', at, id).exec()) ?? [];
      return Number(open?.[1] ?? 1);
    },

    /** The late poll has come to its end, whatever that was. */
    async endLatePoll(id: string): Promise<void> {
      await redis.hdel(keys.lateOpen, id);
    },

    /** Of polls with which a worker has died nothing is kept once their job is polled no more: it was retried or erased meanwhile. */
    async forgetLatePolls(): Promise<void> {
      const ids = Object.keys(await redis.hgetall(keys.lateOpen));
      const due = await Promise.all(ids.map((id) => redis.zrevrank(keys.late, id)));
      const over = ids.filter((_, i) => due[i] === null);
      if (over.length > 0) await redis.hdel(keys.lateOpen, ...over);
    },

    /** The task of this run comes to nothing more, unless the job has changed since it was read. `step`: `null` for one that is gone. */
    async forgetLate(id: string, step: number | null): Promise<void> {
      await run(forget, { record: keys.job(id), set: keys.late }, { id, step });
    },

    /** Jobs that ended before `time`, the oldest first but `skip` of them. */
    endedBefore: (time: number, o: { skip: number; limit: number }): Promise<string[]> =>
      redis.zrange(keys.ended, '-inf', String(time), 'BYSCORE', 'LIMIT', o.skip, o.limit),

    /** An id whose record is gone already. */
    async forgetEnded(id: string): Promise<void> {
      await redis.zrem(keys.ended, id);
    },

    /**
     * Removes from a tenant's list the webhooks that are gone, of those made before `time`: the oldest `limit` but
     * `skip` of them. Answers how many were checked, and how many of them are still there.
     */
    async goneDeliveries(
      tenant: string,
      time: number,
      o: { skip: number; limit: number },
    ): Promise<{ looked: number; there: number }> {
      const index = keys.tenantDeliveries(tenant);
      const ids = await redis.zrange(index, '-inf', String(time), 'BYSCORE', 'LIMIT', o.skip, o.limit);
      const exists = await pipelined(redis, ids, (pipeline, id) => pipeline.exists(keys.delivery(id)));
      const gone = ids.filter((_, i) => exists[i] === 0);
      if (gone.length > 0) await redis.zrem(index, ...gone);
      return { looked: ids.length, there: ids.length - gone.length };
    },
  };
}
