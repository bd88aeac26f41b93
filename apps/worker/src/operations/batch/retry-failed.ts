import type { CancelJob, Reopened, ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore, MemoryWatch } from '@grsai-jobs/job-store';
import { isTerminal, type Job } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { DoSlice } from '../run-operations.ts';
import { behind, eachLine, livingBatch, positionOf, SLICE } from './slices.ts';

/** What `POST /v1/batches/{id}/retry-failed` orders. `before`: what fails again is not retried by the same order. */
const RetryOrder = z.object({ batch_id: z.string(), include_unknown: z.boolean(), before: z.number() });

const FULL_WAIT_MS = 5000;

/** A job that somebody else changes meanwhile is judged anew so often. */
const TRIES = 8;

interface Deps {
  store: Pick<JobStore, 'batches' | 'jobs' | 'rooms' | 'usage'>;
  /** How many live jobs a tenant may have, and how many of them queued; 0 is no limit. */
  maxJobs: (tenant: string) => Promise<{ live: number; queued: number }>;
  memory: Pick<MemoryWatch, 'tight'>;
  cancelJob: CancelJob;
  reopenJob: ReopenJob;
}

/**
 * Reopens the failed jobs of a batch; those whose submit may have made a task only when the caller allowed it (P2). A
 * cancel of the batch that comes meanwhile calls it off, and takes back what this slice has reopened since, be it by a worker that died with it.
 */
export const retryFailed =
  (d: Deps): DoSlice =>
  async (operation) => {
    const order = RetryOrder.parse(operation.order);
    const at = positionOf(operation.cursor);
    const again = { done: false, cursor: { at }, waitMs: FULL_WAIT_MS } as const;
    const ids = await d.store.batches.jobIds(order.batch_id, at, SLICE);
    const takeBack = async () => {
      await eachLine(d, ids, ({ status }) => !isTerminal(status), d.cancelJob);
      return { done: true } as const;
    };
    if (await isCalledOff(d, order)) return await takeBack();
    if (d.memory.tight()) return again;
    let full = false;
    let room = await roomOf(d, order.batch_id);
    await eachLine(d, ids, isMeant(order), async (record) => {
      room -= 1;
      const became = room < 0 ? 'full' : await retry(d, record, order);
      full ||= became === 'full';
      if (became !== 'reopened') room += 1;
    });
    if (await isCalledOff(d, order)) return await takeBack();
    // What was reopened is passed over the second time.
    return full ? again : behind(at, ids);
  };

/** How many of its jobs the tenant of the batch may run again now. */
async function roomOf(d: Deps, batchId: string): Promise<number> {
  const batch = await d.store.batches.read(batchId);
  if (batch === null) return Number.POSITIVE_INFINITY;
  const { live, queued } = await d.maxJobs(batch.tenant);
  const left = async (most: number, used: () => Promise<number>) =>
    most === 0 ? Number.POSITIVE_INFINITY : most - (await used());
  return Math.min(
    await left(live, async () => (await d.store.usage.of(batch.tenant)).live),
    await left(queued, () => d.store.rooms.queued(batch.tenant)),
  );
}

type Order = z.output<typeof RetryOrder>;

const isMeant =
  (order: Order) =>
  ({ status, finished_at }: Pick<Job, 'status' | 'finished_at'>): boolean =>
    status === 'failed' && (finished_at ?? 0) <= order.before;

/** The batch may have ended since its cancel, and what was reopened since may have reopened it. */
const isCalledOff = async (d: Deps, order: Order): Promise<boolean> =>
  (await d.store.batches.isCalledOff(order.batch_id)) || (await livingBatch(d, order, ['canceling'])) !== null;

/** Each record is judged by itself: one that was run since it was read may have ended in another way. `full`: Redis has no room for it. */
async function retry(d: Deps, record: Job, order: Order): Promise<Reopened['kind'] | 'left'> {
  for (let n = 0, current: Job | null = record; n < TRIES; n += 1, current = await d.store.jobs.read(record.id)) {
    if (current === null || !isMeant(order)(current)) return 'left';
    let reopened = await d.reopenJob(current, undefined, { asRead: true });
    if (reopened.kind === 'refused' && reopened.plan.why === 'submit_unknown' && order.include_unknown)
      reopened = await d.reopenJob(current, 'resubmit', { asRead: true });
    if (reopened.kind !== 'busy') return reopened.kind;
  }
  return 'busy';
}
