import type { JobHead } from '@grsai-jobs/job-store';
import { isTerminal } from '@grsai-jobs/jobs';
import { queueOf } from '@grsai-jobs/queue';
import { endRun, expireRun } from '../stages/end-run.ts';
import type { Kit } from '../stages/kit.ts';
import { eachOf } from './each.ts';

/** How often overdue jobs are looked at, and when a healthy one is looked at again (design §2). */
export const REPAIR_EVERY_MS = 10_000;
const LOOK_AGAIN_MS = 10 * 60_000;
const AT_ONCE = 1000;
/** A round ends before the next one comes, however much is overdue. */
const ROUND_MS = 8000;

/**
 * Finds jobs for which something should have happened and did not: expires what is past its time, and gives a new
 * entry to what has lost its own. A healthy job is only put off, a thousand in one round trip. Safe in several workers.
 */
export function createRepairs(kit: Kit): () => Promise<void> {
  return async () => {
    const started = kit.clock.now();
    for (let now = started; now - started < ROUND_MS; now = kit.clock.now()) {
      const ids = await kit.store.jobs.overdue(now, AT_ONCE);
      await lookAfter(kit, ids, now);
      if (ids.length < AT_ONCE) return;
    }
  };
}

async function lookAfter(kit: Kit, ids: readonly string[], now: number): Promise<void> {
  const heads = await kit.store.jobs.heads(ids);
  const ill: string[] = [];
  await Promise.all(
    ids.map(async (id, i) => {
      const head = heads[i] ?? null;
      if (head === null || isTerminal(head.status)) await kit.store.jobs.forgetDue(id, head?.step ?? null);
      else if (expires(head, now)) ill.push(id);
      else if ((await kit.producer.stateOf(queueOf(head), head)) === 'there')
        await kit.store.jobs.postpone(head, nextLook(head, now));
      else ill.push(id);
    }),
  );
  const putOff = async (id: string) => {
    const head = heads[ids.indexOf(id)];
    if (head) await kit.store.jobs.postpone(head, now + LOOK_AGAIN_MS);
  };
  await eachOf(kit, ill, (id) => mend(kit, id, now), { onThrow: putOff });
}

const nextLook = (head: JobHead, now: number): number => Math.min(now + LOOK_AGAIN_MS, Math.max(now + 1000, head.expires_at));

/** Past its time a job expires, unless a call is open or a result is being stored. */
const expires = (job: Pick<JobHead, 'expires_at' | 'status' | 'stage'>, now: number): boolean =>
  job.expires_at <= now && (job.status === 'queued' || (job.status === 'running' && job.stage === 'generating'));

async function mend(kit: Kit, id: string, now: number): Promise<void> {
  const record = await kit.store.jobs.read(id);
  if (record === null || isTerminal(record.status)) return;
  if (expires(record, now)) return void (await expireRun(kit, record));
  if (record.status === 'canceling') return void (await endRun(kit, record, { status: 'canceled', keepSent: true }));
  const moved = await kit.store.moves.repair(record);
  if (moved.kind !== 'ok') return;
  kit.metrics.repairs.inc({ kind: 'job' });
  kit.log.warn(
    { event: 'job.repaired', job_id: id, status: record.status, stage: record.stage, step: moved.step },
    'the entry was gone, added again',
  );
  await kit.producer.enqueue({ ...record, step: moved.step });
}
