import type { JobRecord } from '@grsai-jobs/jobs';
import { defineScript, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { eventIdsOf, reportsProgress } from '../webhook/event-ids.ts';

/** So long a second delete of a job is answered like the first one, also after a lost answer. */
const TOMBSTONE_MS = 72 * 3600 * 1000;

const eraseScript = defineScript({
  lua: new URL('./erase.lua', import.meta.url),
  keys: [
    'job',
    'due',
    'ended',
    'late',
    'failed',
    'tenant_jobs',
    'tenant_failed',
    'tenant_deliveries',
    'due_deliveries',
    'counters',
    'tombstone',
    'usage',
    '...deliveries',
  ],
  args: ['id', 'step', 'tenant', 'tombstone_ms', 'kept_ms', 'now?', '...delivery_ids'],
  whenFull: 'runs',
});

const beginErase = defineScript({
  lua: new URL('./begin-erase.lua', import.meta.url),
  keys: ['job', 'late'],
  args: ['id', 'step', 'kept_ms', 'now?'],
  whenFull: 'runs',
  lasts: true,
});

export type Erase = ReturnType<typeof createErase>;

/**
 * Erasing ended jobs. Their objects are not touched here.
 * @param clock what scripts take as the time; left out: the time of Redis.
 */
export function createErase(redis: Redis, run: RunScript, keys: Keys, clock?: { now(): number }) {
  const kept = (keptMs: number) => ({ kept_ms: keptMs, now: clock?.now() ?? null });

  async function erase(job: JobRecord, tombstoneMs: number, keptMs: number, lasts: boolean): Promise<boolean> {
    const events = eventIdsOf(job.id, { runs: job.run, progress: reportsProgress(job.doc.webhook) });
    const reply = await run(
      eraseScript,
      {
        job: keys.job(job.id),
        due: keys.due,
        ended: keys.ended,
        late: keys.late,
        failed: keys.failed,
        tenant_jobs: keys.tenantJobs(job.tenant),
        tenant_failed: keys.tenantFailed(job.tenant),
        tenant_deliveries: keys.tenantDeliveries(job.tenant),
        due_deliveries: keys.dueDeliveries,
        counters: keys.counters,
        tombstone: keys.erased(job.id),
        usage: keys.usage,
        deliveries: events.map((id) => keys.delivery(id)),
      },
      { id: job.id, step: job.step, tenant: job.tenant, tombstone_ms: tombstoneMs, ...kept(keptMs), delivery_ids: events },
      { lasts },
    );
    return reply === 1;
  }

  return {
    /**
     * The first half of a delete, before the objects of the job go: nothing reopens it from now on.
     * `false`: the job changed since it was read, is gone, or has ended less than `keptMs` ago by the time of Redis.
     */
    begin: async (job: Pick<JobRecord, 'id' | 'step'>, keptMs = 0): Promise<boolean> =>
      (await run(beginErase, { job: keys.job(job.id), late: keys.late }, { id: job.id, step: job.step, ...kept(keptMs) })) === 1,

    /**
     * Erases a job that has ended `keptMs` ago, its entries in the lists and its deliveries but the pending ones: they go out without
     * the job. `false`: the job changed since it was read, is gone, or has ended later than that by the time of Redis.
     */
    old: (job: JobRecord, keptMs: number): Promise<boolean> => erase(job, 0, keptMs, false),

    /** The same at the wish of its tenant, which is remembered for three days. */
    asked: (job: JobRecord): Promise<boolean> => erase(job, TOMBSTONE_MS, 0, true),

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
