import { inGroups, type JobStore, type LineHead } from '@grsai-jobs/job-store';
import type { BatchRecord, Job } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { Sliced } from '../run-operations.ts';

/** Jobs that one slice looks at. */
export const SLICE = 500;

const Order = z.object({ batch_id: z.string() });

/** The batch that an operation is about. */
export const batchOf = (order: unknown): string => Order.parse(order).batch_id;

const Cursor = z.object({ at: z.int() }).nullable();

/** How many jobs of the batch the operation has behind it. */
export const positionOf = (cursor: unknown): number => Cursor.parse(cursor)?.at ?? 0;

/** The cursor after a slice of `ids`; one that is shorter than it may be was the last. */
export const behind = (at: number, ids: readonly string[], slice = SLICE): Sliced =>
  ids.length < slice ? { done: true } : { done: false, cursor: { at: at + ids.length } };

/** Does something to each job of a slice that is worth reading, a few at a time; those that were deleted are left out. */
export async function eachLine(
  d: { store: Pick<JobStore, 'batches'> },
  ids: readonly string[],
  wanted: (head: LineHead) => boolean,
  act: (record: Job) => Promise<unknown>,
): Promise<void> {
  const heads = (await d.store.batches.heads(ids)).filter(wanted);
  for (const group of inGroups(heads, ACTS_AT_ONCE)) {
    const records = await d.store.batches.records(group.map(({ id }) => id));
    await Promise.all(records.map(act));
  }
}

/** Records can be large, and each act costs a few round trips. */
const ACTS_AT_ONCE = 25;

/** The batch when it still is in one of the statuses that the operation was made for. */
export async function livingBatch(
  d: { store: Pick<JobStore, 'batches'> },
  order: unknown,
  statuses: readonly string[],
): Promise<BatchRecord | null> {
  const batch = await d.store.batches.read(batchOf(order));
  return batch !== null && statuses.includes(batch.status) ? batch : null;
}
