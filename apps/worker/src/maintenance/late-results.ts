import { download, type Egress, EgressError } from '@grsai-jobs/egress';
import { type Grsai, GrsaiError, type Output, type TaskState } from '@grsai-jobs/grsai';
import { isTerminal, type JobRecord, MAX_CRASHES, nextLateLook, type PendingOutput, refreshed, unmarked } from '@grsai-jobs/jobs';
import { factsOf, NotMedia } from '@grsai-jobs/object-store';
import type { Kit } from '../stages/kit.ts';
import { pendingOf } from '../stages/poll.ts';
import { TASK_LIFE_MS } from '../stages/task-life.ts';
import { eachOf } from './each.ts';

export const LATE_EVERY_MS = 30_000;
const AT_ONCE = 200;
/** An upstream that is silent costs 10 s a look: a round ends before the next one comes. */
const LOOKS = { concurrency: 20, forMs: 15_000 } as const;
const LOOK_AGAIN_MS = 2 * 60_000;
/** So much of a file tells its type. */
const HEAD_BYTES = 512;
const HEAD_LIMITS = { firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 } as const;

type LateKit = Kit & { grsai: Pick<Grsai, 'images'>; egress: Egress };

/**
 * Looks slowly at tasks whose run has ended as `upstream_timeout` or `expired`, until their id dies two hours after the
 * submit, and reopens the job with what it finds: a paid result is not thrown away (P3). A result that was lost is looked for too, at
 * its task and by the first bytes of its file.
 */
export function createLateResults(kit: LateKit): () => Promise<void> {
  return async () => {
    const lookAt = async (id: string) => {
      const record = await kit.store.jobs.read(id);
      const over = record === null || !isTerminal(record.status) || kit.clock.now() >= diesAt(record);
      if (over) return await kit.store.sweeps.forgetLate(id, record?.step ?? null);
      const lost = lostOutputs(record);
      await counted(kit, record, () => (lost === null ? lookAtTask(kit, record) : lookAtLost(kit, record, lost)));
    };
    await eachOf(kit, await kit.store.sweeps.late(kit.clock.now(), AT_ONCE), lookAt, LOOKS);
  };
}

/** A look with which workers die is given up after the fifth, like all that is done for a job. */
async function counted(kit: LateKit, record: JobRecord, look: () => Promise<void>): Promise<void> {
  const { sweeps } = kit.store;
  // A paid result is looked for on a full Redis too, where nothing can be counted.
  const begun = await sweeps.beginLateLook(record.id, kit.clock.now() + LOOK_AGAIN_MS).catch(() => 1);
  if (begun > 1) kit.metrics.crashes.inc({ kind: 'stalled', stage: 'maintain' });
  if (begun > MAX_CRASHES) {
    await sweeps.forgetLate(record.id, record.step);
    kit.log.error(
      { event: 'job.late_look_crashed', job_id: record.id },
      'workers died as they looked at this task: no more looks',
    );
  } else await look();
  await sweeps.endLateLook(record.id);
}

/** Outputs that were there and could not be kept; `null` of a run that never had any. */
const lostOutputs = (record: JobRecord): readonly PendingOutput[] | null =>
  record.error?.code === 'upstream_result_lost' ? (record.pending?.links ?? null) : null;

/** Links of a held call have a life of their own; all others that of their task. */
const diesAt = (record: JobRecord): number =>
  record.task_id === null ? (record.pending?.dies_at ?? 0) : (record.submitted_at ?? record.created_at) + TASK_LIFE_MS;

async function lookAtTask(kit: LateKit, record: JobRecord): Promise<void> {
  const task = await askTask(kit, record);
  if (task?.status === 'succeeded' && task.outputs.length > 0) return await reopen(kit, record, pendingOf(task.outputs));
  // An id that is not known at this moment may be a hiccup of a proxy: it is looked for until it is dead for certain.
  const over = task?.status === 'failed' || task?.status === 'violation' || record.task_id === null;
  if (over) await kit.store.sweeps.forgetLate(record.id, record.step);
  else await kit.store.sweeps.lookLateAgain(record.id, kit.clock.now() + LOOK_AGAIN_MS);
}

/** The job is reopened when one of its outputs can be had by now. */
async function lookAtLost(kit: LateKit, record: JobRecord, lost: readonly PendingOutput[]): Promise<void> {
  const task = await askTask(kit, record);
  const named = task?.status === 'succeeded' ? task.outputs : [];
  const outputs = refreshed(unmarked(lost), pendingOf(named));
  for (const [index, { url }] of outputs.entries())
    if (url === undefined ? holdsMedia(named[index]) : await isThere(kit, url)) return await reopen(kit, record, outputs);
  const next = nextLateLook(record.finished_at ?? 0, kit.clock.now());
  if (next === null) await kit.store.sweeps.forgetLate(record.id, record.step);
  else await kit.store.sweeps.lookLateAgain(record.id, next);
}

async function askTask(kit: LateKit, { task_id: id, base }: JobRecord): Promise<TaskState | undefined> {
  if (id === null || base === null) return undefined;
  try {
    return await kit.grsai.images.result(id, { base, signal: kit.shutdown.stopping });
  } catch (error) {
    if (error instanceof GrsaiError) return undefined;
    throw error;
  }
}

function holdsMedia(output: Output | undefined): boolean {
  try {
    return output?.kind === 'inline' && factsOf(output.bytes).contentType !== '';
  } catch (error) {
    if (error instanceof NotMedia) return false;
    throw error;
  }
}

/** Whether the file behind a link can be had; no more than its first bytes are asked for. */
async function isThere(kit: LateKit, url: string): Promise<boolean> {
  try {
    const source = await download(kit.egress, url, { ...HEAD_LIMITS, signal: kit.shutdown.stopping });
    const head: Uint8Array[] = [];
    for await (const chunk of source.body) {
      head.push(chunk);
      if (head.reduce((sum, { length }) => sum + length, 0) >= HEAD_BYTES) break;
    }
    return holdsMedia({ kind: 'inline', bytes: Buffer.concat(head) });
  } catch (error) {
    if (error instanceof EgressError) return false;
    throw error;
  }
}

async function reopen(kit: Kit, record: JobRecord, links: readonly PendingOutput[]): Promise<void> {
  const pend = JSON.stringify({ links, dies_at: diesAt(record) });
  const moved = await kit.store.moves.reopen(record, { to: 'running/storing', late: true, set: { pend } });
  if (moved.kind !== 'ok') return;
  kit.metrics.late.inc();
  kit.log.info({ event: 'job.late_result', job_id: record.id, run: record.run + 1 }, 'a late result reopened the job');
  await kit.producer.enqueueStore({ id: record.id, step: moved.step });
}
