import type { JobHead, JobStore } from '@grsai-jobs/job-store';
import { hasExpired, isTerminal, type Job, queueOf, stateIn } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import { type ExpireDeps, expire } from '../runner/expire.ts';
import { type SettleDeps, settle } from '../runner/settle.ts';
import { eachOf } from './each.ts';

interface Deps extends SettleDeps, ExpireDeps {
  store: SettleDeps['store'] & ExpireDeps['store'] & Pick<JobStore, 'jobs'>;
  producer: SettleDeps['producer'] & Pick<Producer, 'stateOf'>;
}

/** How often overdue jobs are checked, and when a healthy one is checked again (design.md §2.6). */
export const REPAIR_EVERY_MS = 5000;
const CHECK_AGAIN_MS = 10 * 60_000;
const AT_ONCE = 1000;
/** A run ends before the next one comes, however much is overdue. */
const RUN_MS = 4000;

/**
 * Finds jobs for which something should have happened and did not: expires what is past its time, and gives a new
 * entry to what has lost its own. A healthy job is only postponed, a thousand in one round trip. Safe in several workers.
 */
export function createRepairs(d: Deps): () => Promise<void> {
  return async () => {
    const started = d.clock.now();
    for (let now = started; now - started < RUN_MS; now = d.clock.now()) {
      const ids = await d.store.jobs.overdue(now, AT_ONCE);
      await repairLost(d, ids, now);
      if (ids.length < AT_ONCE) return;
    }
  };
}

async function repairLost(d: Deps, ids: readonly string[], now: number): Promise<void> {
  const heads = await d.store.jobs.heads(ids);
  const lost: string[] = [];
  await Promise.all(
    ids.map(async (id, i) => {
      const head = heads[i] ?? null;
      if (head === null || isTerminal(head.status)) await d.store.jobs.forgetDue(id, head?.step ?? null);
      else if (hasExpired(stateIn(head), head.expires_at, now)) lost.push(id);
      else if ((await d.producer.stateOf(queueOf(head.stage, head.paidQueue), head)) === 'there')
        await d.store.jobs.postpone(head, nextCheck(head, now));
      else lost.push(id);
    }),
  );
  const postpone = async (id: string) => {
    const head = heads[ids.indexOf(id)];
    if (head) await d.store.jobs.postpone(head, now + CHECK_AGAIN_MS);
  };
  const act = async (id: string) => {
    const job = await d.store.jobs.read(id);
    // It has just been erased, or a failover has forgotten that its batch was committed.
    if (job === null) await postpone(id);
    else await repair(d, job, now);
  };
  await eachOf(d, lost, act, { onThrow: postpone });
}

const nextCheck = (head: JobHead, now: number): number => Math.min(now + CHECK_AGAIN_MS, Math.max(now + 1000, head.expires_at));

async function repair(d: Deps, job: Job, now: number): Promise<void> {
  if (isTerminal(job.status)) return;
  if (hasExpired(stateIn(job), job.expires_at, now)) return void (await settle(d, job, await expire(d, job)));
  if (job.status === 'canceling') return void (await settle(d, job, { kind: 'finish', status: 'canceled', keepLease: true }));
  const settled = await settle(d, job, { kind: 'requeue' });
  if (settled.kind !== 'committed') return;
  d.metrics.repairs.inc({ kind: 'job' });
  d.log.warn(
    { event: 'job.repaired', job_id: job.id, status: job.status, stage: job.stage, step: settled.job.step },
    'its queue entry was lost, added again',
  );
}
