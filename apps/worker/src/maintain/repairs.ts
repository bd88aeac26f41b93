import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import { queueOf } from '@grsai-jobs/queue';
import { endRun, expireRun } from '../stages/end-run.ts';
import type { Kit } from '../stages/kit.ts';

/** How often overdue jobs are looked at, how many at once, and when a healthy one is looked at again (design §2). */
export const REPAIR_EVERY_MS = 10_000;
const AT_ONCE = 500;
const LOOK_AGAIN_MS = 10 * 60_000;

/**
 * Finds jobs for which something should have happened and did not: expires what is past its time, and gives a new
 * entry to what has lost its own. A healthy job is never touched. Safe in several workers at once.
 */
export function createRepairs(kit: Kit): () => Promise<void> {
  return async () => {
    const now = kit.clock.now();
    for (const id of await kit.store.jobs.overdue(now, AT_ONCE)) {
      const record = await kit.store.jobs.read(id);
      if (record === null || isTerminal(record.status)) await kit.store.jobs.forgetDue(id);
      else await repair(kit, record, now);
    }
  };
}

/** Past its time a job expires, unless a call is open or a result is being stored. */
const expires = (record: JobRecord, now: number): boolean =>
  record.expires_at <= now && (record.status === 'queued' || (record.status === 'running' && record.stage === 'generating'));

async function repair(kit: Kit, record: JobRecord, now: number): Promise<void> {
  if (expires(record, now)) {
    await expireRun(kit, record);
    return;
  }
  if ((await kit.producer.stateOf(queueOf(record), record)) === 'there') {
    await kit.store.jobs.postpone(record.id, Math.min(now + LOOK_AGAIN_MS, Math.max(now + 1000, record.expires_at)));
    return;
  }
  if (record.status === 'canceling') {
    await endRun(kit, record, { status: 'canceled', keepSent: true });
    return;
  }
  const moved = await kit.store.moves.repair(record);
  if (moved.kind !== 'ok') return;
  kit.metrics.repairs.inc({ kind: 'job' });
  kit.log.warn(
    { event: 'job.repaired', job_id: record.id, status: record.status, stage: record.stage, step: moved.step },
    'the entry was gone, added again',
  );
  await kit.producer.enqueue({ ...record, step: moved.step });
}
