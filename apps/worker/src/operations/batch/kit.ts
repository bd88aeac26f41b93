import type { CancelJob, ReopenJob } from '@grsai-jobs/job-actions';
import { inGroups, type LineHead } from '@grsai-jobs/job-store';
import type { BatchRecord, JobRecord, SignLink } from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { z } from 'zod';
import type { Kit } from '../../stages/kit.ts';
import type { Sliced } from '../run-operations.ts';

/** What the operations on batches need beside what every stage needs. */
export interface BatchKit extends Kit {
  cancelJob: CancelJob;
  reopenJob: ReopenJob;
  objects: Pick<ObjectStore, 'put' | 'get' | 'delete'>;
  keyPrefix: string;
  signLink: SignLink;
  /** How many live jobs one tenant may have; 0 is no limit. */
  maxLiveJobs: number;
}

/** Jobs that one slice looks at. */
export const SLICE = 500;

const Order = z.object({ batch_id: z.string() });

/** The batch that an operation is about. */
export const batchOf = (order: unknown): string => Order.parse(order).batch_id;

const Place = z.object({ at: z.int() }).nullable();

/** How many jobs of the batch the operation has behind it. */
export const placeOf = (cursor: unknown): number => Place.parse(cursor)?.at ?? 0;

/** The cursor after a slice of `ids`; one that is shorter than it may be was the last. */
export const behind = (at: number, ids: readonly string[], slice = SLICE): Sliced =>
  ids.length < slice ? { done: true } : { done: false, cursor: { at: at + ids.length } };

/** Does something to each job of a slice that is worth reading, a few at a time; those that were deleted are left out. */
export async function eachLine(
  kit: BatchKit,
  ids: readonly string[],
  wanted: (head: LineHead) => boolean,
  act: (record: JobRecord) => Promise<unknown>,
): Promise<void> {
  const heads = (await kit.store.batches.heads(ids)).filter(wanted);
  for (const group of inGroups(heads, ABREAST)) {
    const records = await kit.store.batches.records(group.map(({ id }) => id));
    await Promise.all(records.map(act));
  }
}

/** Records can be large, and each act costs a few round trips. */
const ABREAST = 25;

/** The batch when it still is in one of the statuses that the operation was made for. */
export async function livingBatch(kit: BatchKit, order: unknown, statuses: readonly string[]): Promise<BatchRecord | null> {
  const batch = await kit.store.batches.read(batchOf(order));
  return batch !== null && statuses.includes(batch.status) ? batch : null;
}
