import { z } from 'zod';
import type { DoSlice } from '../maintain/works.ts';
import { type BatchKit, behind, eachLine, placeOf, SLICE } from './kit.ts';

/** What `POST /v1/batches/{id}/retry-failed` orders. `before`: what fails again is not retried by the same order. */
const RetryOrder = z.object({ batch_id: z.string(), include_unknown: z.boolean(), before: z.number() });

const FULL_WAIT_MS = 5000;

/** Reopens the failed jobs of a batch; those whose submit may have made a task only when the caller allowed it (P2). */
export const retryFailed =
  (kit: BatchKit): DoSlice =>
  async (work) => {
    const order = RetryOrder.parse(work.order);
    const at = placeOf(work.cursor);
    if (kit.memory.tight()) return { done: false, cursor: { at }, waitMs: FULL_WAIT_MS };
    const ids = await kit.store.batches.jobIds(order.batch_id, at, SLICE);
    const failed = (head: { status: string; finished_at: number | null }) =>
      head.status === 'failed' && (head.finished_at ?? 0) <= order.before;
    await eachLine(kit, ids, failed, async (record) => {
      const unknown = record.error?.code === 'submit_unknown';
      if (unknown && !order.include_unknown) return;
      const reopened = await kit.reopenJob(record);
      if (reopened.kind === 'refused' && reopened.plan.why === 'submit_unknown' && order.include_unknown)
        await kit.reopenJob(record, 'resubmit');
    });
    return behind(at, ids);
  };
