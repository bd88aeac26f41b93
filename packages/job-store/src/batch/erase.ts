import type { BatchRecord, JobDoc } from '@grsai-jobs/jobs';
import { defineScript, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import { unpackDoc } from '../job/doc-codec.ts';
import type { Keys } from '../layout/keys.ts';
import { PLACES_LUA } from '../room/rooms.ts';
import { batchEventIdsOf } from '../webhook/event-ids.ts';

const discardScript = defineScript({
  lua: new URL('./discard.lua', import.meta.url),
  keys: ['batch', 'usage', '...jobs'],
  whenFull: 'runs',
  // Inputs are deleted then, which a commit would need.
  lasts: true,
});

const eraseEnded = defineScript({
  lua: new URL('./erase-ended.lua', import.meta.url),
  keys: [
    'batch',
    'job_ids',
    'errors',
    'tenant_batches',
    'ended_batches',
    'waiting',
    'tenant_deliveries',
    'due_deliveries',
    '...deliveries',
  ],
  args: ['id', 'round', 'kept_ms', 'now?', '...delivery_ids'],
  shared: [PLACES_LUA],
  whenFull: 'runs',
});

/**
 * Removing batches: discarding those that were never committed, with their jobs; erasing ended ones, without.
 * @param clock what scripts take as the time; left out: the time of Redis.
 */
export function createBatchErase(redis: Redis, run: RunScript, keys: Keys, clock?: { now(): number }) {
  return {
    /**
     * Deletes some jobs of a batch that was never committed; from the first call on, which may name none, it cannot be.
     * `false`: it was committed.
     */
    discard: async (id: string, ids: readonly string[]): Promise<boolean> =>
      (await run(discardScript, { batch: keys.batch(id), usage: keys.usage, jobs: ids.map(keys.job) }, {})) === 1,

    /** Large inputs of jobs that nobody sees, so that they can be deleted with them. */
    async docs(ids: readonly string[]): Promise<JobDoc[]> {
      const texts = await pipelined(redis, ids, (pipeline, id) => pipeline.get(keys.jobPart(id, 'doc')));
      return texts.flatMap((text) => (typeof text === 'string' ? [unpackDoc(text)] : []));
    },

    /** Forgets a batch that was never committed; its jobs have a life of their own. */
    async forget(batch: { id: string }): Promise<void> {
      const lines = (['call', 'submit'] as const).flatMap((queue) =>
        [0, 1, 2].map((rank) => keys.batchLines(batch.id, queue, rank)),
      );
      await redis.del(keys.batch(batch.id), keys.batchJobs(batch.id), keys.batchErrors(batch.id), ...lines);
    },

    /**
     * Erases a batch that has ended `keptMs` ago, its entries in the lists and its deliveries but the pending ones: they go out without
     * the batch. Its jobs have a life of their own. `false`: it was reopened since it was read, is gone, or has ended later than that by
     * the time of Redis.
     */
    async eraseEnded(batch: Pick<BatchRecord, 'id' | 'tenant' | 'round'>, keptMs: number): Promise<boolean> {
      const events = batchEventIdsOf(batch.id, batch.round);
      const reply = await run(
        eraseEnded,
        {
          batch: keys.batch(batch.id),
          job_ids: keys.batchJobs(batch.id),
          errors: keys.batchErrors(batch.id),
          tenant_batches: keys.tenantBatches(batch.tenant),
          ended_batches: keys.endedBatches,
          waiting: keys.waiting,
          tenant_deliveries: keys.tenantDeliveries(batch.tenant),
          due_deliveries: keys.dueDeliveries,
          deliveries: events.map(keys.delivery),
        },
        { id: batch.id, round: batch.round, kept_ms: keptMs, now: clock?.now() ?? null, delivery_ids: events },
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
