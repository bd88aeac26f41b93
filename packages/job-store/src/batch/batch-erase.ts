import type { BatchRecord, JobDoc } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { unpackDoc } from '../job/doc-codec.ts';
import type { Keys } from '../redis/keys.ts';
import { pipelined } from '../redis/pipelined.ts';
import type { RunScript } from '../redis/scripts.ts';
import { batchEventIdsOf } from '../webhook/event-ids.ts';

/** Erasing batches: those that were never committed with their jobs, ended ones without. */
export function createBatchErase(redis: Redis, run: RunScript, keys: Keys) {
  return {
    /**
     * Erases some jobs of a batch that was never committed; from the first call on, which may name none, it cannot be.
     * `false`: it was committed.
     */
    erase: async (id: string, ids: readonly string[]): Promise<boolean> =>
      (await run('batch-erase', [keys.batch(id), keys.usage, ...ids.map((each) => keys.job(each))], [])) === 1,

    /** Large inputs of jobs that nobody sees, so that they can be erased with them. */
    async docs(ids: readonly string[]): Promise<JobDoc[]> {
      const texts = await pipelined(redis, ids, (pipeline, id) => pipeline.hget(keys.job(id), 'doc'));
      return texts.flatMap((text) => (typeof text === 'string' ? [unpackDoc(text)] : []));
    },

    /** Forgets a batch that was never committed; its jobs have a life of their own. */
    async forget(batch: { id: string }): Promise<void> {
      await redis.del(keys.batch(batch.id), keys.batchJobs(batch.id), keys.batchErrors(batch.id));
    },

    /**
     * Erases an ended batch, its places in the lists and its webhooks but those still owed: they go out without the batch.
     * Its jobs have a life of their own. `false`: it was reopened since it was read, or is gone.
     */
    async eraseEnded(batch: Pick<BatchRecord, 'id' | 'tenant' | 'round'>): Promise<boolean> {
      const events = batchEventIdsOf(batch.id, batch.round);
      const reply = await run(
        'batch-forget',
        [
          keys.batch(batch.id),
          keys.batchJobs(batch.id),
          keys.batchErrors(batch.id),
          keys.tenantBatches(batch.tenant),
          keys.endedBatches,
          keys.tenantDeliveries(batch.tenant),
          keys.dueDeliveries,
          ...events.map((id) => keys.delivery(id)),
        ],
        [batch.id, batch.round, ...events],
      );
      return reply === 1;
    },

    /** Batches that ended before `time`, the oldest first but `skip` of them. */
    endedBefore: (time: number, o: { skip: number; limit: number }): Promise<string[]> =>
      redis.zrange(keys.endedBatches, '-inf', String(time), 'BYSCORE', 'LIMIT', o.skip, o.limit),

    async forgetEnded(id: string): Promise<void> {
      await redis.zrem(keys.endedBatches, id);
    },
  };
}
