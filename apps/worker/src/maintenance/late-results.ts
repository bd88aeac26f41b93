import { type Egress, EgressError } from '@grsai-jobs/egress';
import { type GrsaiApi, GrsaiError, type Output, type TaskState } from '@grsai-jobs/grsai';
import type { JobStore } from '@grsai-jobs/job-store';
import {
  isTerminal,
  type Job,
  MAX_CRASHES,
  nextLatePoll,
  refreshed,
  TASK_LIFE_MS,
  type UnstoredOutput,
  unmarked,
} from '@grsai-jobs/jobs';
import { factsOf, NotMedia } from '@grsai-jobs/object-store';
import { type SettleDeps, settle } from '../runner/settle.ts';
import { unstoredOf } from '../stages/outputs/unstored.ts';
import { eachOf } from './each.ts';

export const LATE_EVERY_MS = 30_000;
const AT_ONCE = 200;
/** An upstream that is silent costs 10 s a poll: a run ends before the next one comes. */
const POLLS = { concurrency: 20, forMs: 15_000 } as const;
const POLL_AGAIN_MS = 2 * 60_000;
/** So much of a file shows its type. */
const HEAD_BYTES = 512;
const HEAD_LIMITS = { firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 } as const;

interface Deps extends SettleDeps {
  store: SettleDeps['store'] & Pick<JobStore, 'sweeps'>;
  grsai: Pick<GrsaiApi, 'images'>;
  egress: Pick<Egress, 'download'>;
}

/**
 * Polls slowly the tasks whose run has ended as `upstream_timeout` or `expired`, until their id dies two hours after the
 * submit, and reopens the job with what it finds: a paid result is not thrown away (P3). Of a task whose job was canceled only the cost is settled. A result that was lost is asked for too, at
 * its task and by the first bytes of its file.
 */
export function createLateResults(d: Deps): () => Promise<void> {
  return async () => {
    const pollLate = async (id: string) => {
      const record = await d.store.jobs.read(id);
      const over = record === null || !isTerminal(record.status) || d.clock.now() >= diesAt(record);
      if (over) return await d.store.sweeps.forgetLate(id, record?.step ?? null);
      const lost = lostOutputs(record);
      await counted(d, record, () => (lost === null ? pollTask(d, record) : pollLost(d, record, lost)));
    };
    await eachOf(d, await d.store.sweeps.late(d.clock.now(), AT_ONCE), pollLate, POLLS);
    await d.store.sweeps.forgetLatePolls();
  };
}

/** A late poll with which workers die is given up after the fifth, like all that is done for a job. */
async function counted(d: Deps, record: Job, poll: () => Promise<void>): Promise<void> {
  const { sweeps } = d.store;
  // A paid result is asked for on a full Redis too, where nothing can be counted.
  const begun = await sweeps.beginLatePoll(record.id, d.clock.now() + POLL_AGAIN_MS).catch(() => 1);
  if (begun > 1) d.metrics.crashes.inc({ kind: 'stalled', stage: 'maintain' });
  if (begun > MAX_CRASHES) {
    await sweeps.forgetLate(record.id, record.step);
    d.log.error(
      { event: 'job.late_poll_crashed', job_id: record.id },
      'workers died as they polled this task: it is polled no more',
    );
  } else await poll();
  await sweeps.endLatePoll(record.id);
}

/** Outputs that were there and could not be kept; `null` of a run that never had any. */
const lostOutputs = (record: Job): readonly UnstoredOutput[] | null =>
  record.error?.code === 'upstream_result_lost' ? (record.unstored?.links ?? null) : null;

/** Links of a synchronous call have a life of their own; all others that of their task. */
const diesAt = (record: Job): number =>
  record.task === null ? (record.unstored?.dies_at ?? 0) : record.task.submitted_at + TASK_LIFE_MS;

async function pollTask(d: Deps, record: Job): Promise<void> {
  const task = await askTask(d, record);
  if (task?.status === 'succeeded' && record.status === 'canceled') return await settleCall(d, record, 'made');
  if (task?.status === 'succeeded' && task.outputs.length > 0) return await reopen(d, record, unstoredOf(task.outputs));
  // An id that is not known at this moment may be a hiccup of a proxy: it is asked for until it is dead for certain.
  if (task?.status === 'failed' || task?.status === 'violation') return await settleCall(d, record, task.status);
  if (record.task === null) await d.store.sweeps.forgetLate(record.id, record.step);
  else await d.store.sweeps.pollLateAgain(record.id, d.clock.now() + POLL_AGAIN_MS);
}

/** The task comes to nothing more: what it cost is known by now, and it is polled no more. */
async function settleCall(d: Deps, record: Job, callEnd: 'made' | 'failed' | 'violation'): Promise<void> {
  const settled = await settle(d, record, { kind: 'settle_call', callEnd });
  if (settled.kind !== 'committed') await d.store.sweeps.forgetLate(record.id, record.step);
}

/** The job is reopened when one of its outputs can be had by now. */
async function pollLost(d: Deps, record: Job, lost: readonly UnstoredOutput[]): Promise<void> {
  const task = await askTask(d, record);
  const named = task?.status === 'succeeded' ? task.outputs : [];
  const outputs = refreshed(unmarked(lost), unstoredOf(named));
  for (const [index, { url }] of outputs.entries())
    if (url === undefined ? holdsMedia(named[index]) : await isThere(d, url)) return await reopen(d, record, outputs);
  // We have broken it off ourselves: another worker looks in a minute or two.
  if (d.shutdown.stopping.aborted) return;
  const next = nextLatePoll(record.finished_at ?? 0, d.clock.now());
  if (next === null) await d.store.sweeps.forgetLate(record.id, record.step);
  else await d.store.sweeps.pollLateAgain(record.id, next);
}

async function askTask(d: Deps, { task }: Job): Promise<TaskState | undefined> {
  if (task === null) return undefined;
  try {
    return await d.grsai.images.result(task.id, { base: task.base, signal: d.shutdown.stopping });
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
async function isThere(d: Deps, url: string): Promise<boolean> {
  try {
    const source = await d.egress.download(url, { ...HEAD_LIMITS, signal: d.shutdown.stopping });
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

async function reopen(d: Deps, job: Job, links: UnstoredOutput[]): Promise<void> {
  const unstored = { links, dies_at: diesAt(job) };
  const settled = await settle(d, job, { kind: 'reopen', to: 'running/storing', late: true, unstored });
  if (settled.kind !== 'committed') return;
  d.metrics.late.inc();
  d.log.info({ event: 'job.late_result', job_id: job.id, run: settled.job.run }, 'a late result reopened the job');
}
