import type { JobRecord } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { pipelined } from '../redis/pipelined.ts';
import type { RunScript } from '../redis/scripts.ts';
import { eventIdsOf, reportsProgress } from '../webhook/event-ids.ts';

/** So long a second delete of a job is answered like the first one, also after a lost answer. */
const TOMBSTONE_MS = 72 * 3600 * 1000;

export type Erase = ReturnType<typeof createErase>;

/** Erasing ended jobs. Their objects are not touched here. */
export function createErase(redis: Redis, run: RunScript, keys: Keys) {
  async function erase(job: JobRecord, tombstoneMs: number): Promise<boolean> {
    const events = eventIdsOf(job.id, { runs: job.run, progress: reportsProgress(job.doc.webhook) });
    const reply = await run(
      'erase',
      [
        keys.job(job.id),
        keys.due,
        keys.ended,
        keys.late,
        keys.failed,
        keys.tenantJobs(job.tenant),
        keys.tenantFailed(job.tenant),
        keys.tenantDeliveries(job.tenant),
        keys.dueDeliveries,
        keys.counters,
        tombstoneMs > 0 ? keys.erased(job.id) : keys.job(job.id),
        keys.usage,
        ...events.map((id) => keys.delivery(id)),
      ],
      [job.id, job.step, job.tenant, tombstoneMs, ...events],
    );
    return reply === 1;
  }

  return {
    /**
     * The first half of a delete, before the objects of the job go: nothing reopens it from now on.
     * `false`: the job moved on since it was read, or is gone.
     */
    begin: async (job: Pick<JobRecord, 'id' | 'step'>): Promise<boolean> =>
      (await run('erasing', [keys.job(job.id), keys.late], [job.id, job.step])) === 1,

    /**
     * Erases an ended job, its places in the lists and its deliveries but the pending ones: they go out without the job.
     * `false`: the job moved on since it was read, or is gone.
     */
    old: (job: JobRecord): Promise<boolean> => erase(job, 0),

    /** The same at the wish of its tenant, which is remembered for three days. */
    asked: (job: JobRecord): Promise<boolean> => erase(job, TOMBSTONE_MS),

    /** Which of these jobs were erased of late because somebody asked for it. */
    async askedOf(ids: readonly string[]): Promise<string[]> {
      const found = await pipelined(redis, ids, (pipeline, id) => pipeline.exists(keys.erased(id)));
      return ids.filter((_, i) => found[i] === 1);
    },

    /** Whether the tenant has had this job erased of late. */
    async wasAsked(id: string, tenant: string): Promise<boolean> {
      return (await redis.get(keys.erased(id))) === tenant;
    },
  };
}
