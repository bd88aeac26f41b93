import type { Reopened } from '@grsai-jobs/job-actions';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { DoSlice } from '../run-operations.ts';
import { type BatchKit, behind, eachLine, livingBatch, placeOf, SLICE } from './kit.ts';

/** What `POST /v1/batches/{id}/retry-failed` orders. `before`: what fails again is not retried by the same order. */
const RetryOrder = z.object({ batch_id: z.string(), include_unknown: z.boolean(), before: z.number() });

const FULL_WAIT_MS = 5000;

/** A job that somebody else moves on is judged anew so often. */
const TRIES = 8;

/**
 * Reopens the failed jobs of a batch; those whose submit may have made a task only when the caller allowed it (P2). A
 * cancel of the batch that comes meanwhile calls it off, and takes back what this slice has reopened since.
 */
export const retryFailed =
  (kit: BatchKit): DoSlice =>
  async (operation) => {
    const order = RetryOrder.parse(operation.order);
    const at = placeOf(operation.cursor);
    const again = { done: false, cursor: { at }, waitMs: FULL_WAIT_MS } as const;
    if (kit.memory.tight()) return again;
    if (await isCalledOff(kit, order)) return { done: true };
    const ids = await kit.store.batches.jobIds(order.batch_id, at, SLICE);
    let full = false;
    let room = await liveRoom(kit, order.batch_id);
    await eachLine(kit, ids, isMeant(order), async (record) => {
      room -= 1;
      const became = room < 0 ? 'full' : await retry(kit, record, order);
      full ||= became === 'full';
      if (became !== 'reopened') room += 1;
    });
    if (await isCalledOff(kit, order)) {
      await eachLine(kit, ids, ({ status }) => !isTerminal(status), kit.cancelJob);
      return { done: true };
    }
    // What was reopened is passed over the second time.
    return full ? again : behind(at, ids);
  };

/** How many live jobs the tenant of the batch may have beside those that it has now. */
async function liveRoom(kit: BatchKit, batchId: string): Promise<number> {
  const batch = kit.maxLiveJobs === 0 ? null : await kit.store.batches.read(batchId);
  return batch === null ? Number.POSITIVE_INFINITY : kit.maxLiveJobs - (await kit.store.usage.of(batch.tenant)).live;
}

type Order = z.output<typeof RetryOrder>;

const isMeant =
  (order: Order) =>
  ({ status, finished_at }: Pick<JobRecord, 'status' | 'finished_at'>): boolean =>
    status === 'failed' && (finished_at ?? 0) <= order.before;

/** The batch may have ended since its cancel, and what was reopened since may have reopened it. */
const isCalledOff = async (kit: BatchKit, order: Order): Promise<boolean> =>
  (await kit.store.batches.isCalledOff(order.batch_id)) || (await livingBatch(kit, order, ['canceling'])) !== null;

/** Each record is judged by itself: one that was run since it was read may have ended in another way. `full`: Redis has no room for it. */
async function retry(kit: BatchKit, record: JobRecord, order: Order): Promise<Reopened['kind'] | 'left'> {
  for (let n = 0, current: JobRecord | null = record; n < TRIES; n += 1, current = await kit.store.jobs.read(record.id)) {
    if (current === null || !isMeant(order)(current)) return 'left';
    let reopened = await kit.reopenJob(current, undefined, { asRead: true });
    if (reopened.kind === 'refused' && reopened.plan.why === 'submit_unknown' && order.include_unknown)
      reopened = await kit.reopenJob(current, 'resubmit', { asRead: true });
    if (reopened.kind !== 'busy') return reopened.kind;
  }
  return 'busy';
}
