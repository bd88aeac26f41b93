import { type Grsai, GrsaiError } from '@grsai-jobs/grsai';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Kit } from '../stages/kit.ts';
import { TASK_LIFE_MS } from '../stages/submit.ts';
import { eachOf } from './each.ts';

export const LATE_EVERY_MS = 30_000;
const AT_ONCE = 200;
/** An upstream that is silent costs 10 s a look: a round ends before the next one comes. */
const LOOKS = { abreast: 20, forMs: 15_000 } as const;
const LOOK_AGAIN_MS = 2 * 60_000;

/**
 * Looks slowly at tasks whose run has ended as `upstream_timeout` or `expired`, until their id dies two hours after the
 * submit, and reopens the job with what it finds: a paid result is not thrown away (P3).
 */
export function createLateResults(kit: Kit & { grsai: Pick<Grsai, 'images'> }): () => Promise<void> {
  return async () => {
    const lookAt = async (id: string) => {
      const record = await kit.store.jobs.read(id);
      if (record === null || !isTerminal(record.status) || record.task_id === null || record.base === null)
        await kit.store.sweeps.forgetLate(id, record?.step ?? null);
      else await look(kit, record, { base: record.base, id: record.task_id });
    };
    await eachOf(kit, await kit.store.sweeps.late(kit.clock.now(), AT_ONCE), lookAt, LOOKS);
  };
}

async function look(
  kit: Kit & { grsai: Pick<Grsai, 'images'> },
  record: JobRecord,
  task: { base: string; id: string },
): Promise<void> {
  const diesAt = (record.submitted_at ?? record.created_at) + TASK_LIFE_MS;
  if (kit.clock.now() >= diesAt) return await kit.store.sweeps.forgetLate(record.id, record.step);
  try {
    const state = await kit.grsai.images.result(task.id, { base: task.base, signal: kit.shutdown.stopping });
    if (state.status === 'succeeded' && state.urls.length > 0) return await reopen(kit, record, state.urls, diesAt);
    // An id that is not known at this moment may be a hiccup of a proxy: it is looked for until it is dead for certain.
    if (state.status === 'failed' || state.status === 'violation')
      return await kit.store.sweeps.forgetLate(record.id, record.step);
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
  }
  await kit.store.sweeps.lookLateAgain(record.id, kit.clock.now() + LOOK_AGAIN_MS);
}

async function reopen(kit: Kit, record: JobRecord, urls: readonly string[], diesAt: number): Promise<void> {
  const pending = { links: urls.map((url) => ({ url })), dies_at: diesAt };
  const moved = await kit.store.moves.reopen(record, {
    to: 'running/storing',
    late: true,
    set: { pend: JSON.stringify(pending) },
  });
  if (moved.kind !== 'ok') return;
  kit.metrics.late.inc();
  kit.log.info({ event: 'job.late_result', job_id: record.id, run: record.run + 1 }, 'a late result reopened the job');
  await kit.producer.enqueueStore({ id: record.id, step: moved.step });
}
