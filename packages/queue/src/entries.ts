import type { JobDoc, QueueName } from '@grsai-jobs/jobs';
import type { WorkerOptions } from 'bullmq';
import { z } from 'zod';

/**
 * What stands in a queue entry beside its id: a job's, or in `deliver` a delivery's. The record is the truth; `step` says whether
 * the entry still counts. Of a job fifty thousand wait, and Redis keeps an entry in a compact form while no value in it is longer than
 * 64 bytes: so job and step stand in the id alone. Version 1 said them again.
 */
const EntryData = z.union([
  z.object({ v: z.literal(2), batch: z.string().optional() }),
  z.object({ v: z.literal(1), job_id: z.string(), step: z.int(), batch_id: z.string().optional() }),
  z.object({ v: z.literal(1), delivery_id: z.string(), step: z.int(), endpoint: z.string().optional() }),
]);
export type EntryData = z.infer<typeof EntryData>;

/** An entry as the stages see it. */
export interface Entry {
  id: string;
  step: number;
  /** Of a job that belongs to a batch; saves `begin` from having to ask. */
  batch_id?: string | null | undefined;
  /** Of a delivery, when whoever added the entry knew it: spares a read. */
  endpoint?: string | undefined;
}

/** @throws when the entry is of no version that this process knows; it then fails and `maintain` reports it. */
export function parseEntry({ id: entry = '', data }: { id?: string | undefined; data: unknown }): Entry {
  const parsed = EntryData.parse(data);
  if ('delivery_id' in parsed) return { id: parsed.delivery_id, step: parsed.step, endpoint: parsed.endpoint };
  if (parsed.v === 1) return { id: parsed.job_id, step: parsed.step, batch_id: parsed.batch_id };
  const [, id, step] = /^(.+)\.(\d+)$/.exec(entry) ?? [];
  if (id === undefined) throw new Error(`the queue entry "${entry}" names no step of a job`);
  return { id, step: Number(step), batch_id: parsed.batch };
}

/** How a job's entry is written. */
export const jobData = ({ batch_id }: Pick<Entry, 'batch_id'>): EntryData => ({ v: 2, ...(batch_id ? { batch: batch_id } : {}) });

/** How a delivery's entry is written. */
export const deliveryData = ({ id, step, endpoint }: Entry): EntryData => ({
  v: 1,
  delivery_id: id,
  step,
  ...(endpoint ? { endpoint } : {}),
});

/** BullMQ's ids hold no colon, and each stands for one step of one job for ever. */
export const entryId = (entry: Entry): string => `${entry.id}.${entry.step}`;

/**
 * What becomes of an entry that is done with, here and nowhere else. Its worker says it, so that not each of fifty thousand
 * entries has to. A wait is a delay of the same entry; BullMQ's own retries are not used.
 */
export const KEPT_ENTRIES = {
  removeOnComplete: { count: 0 },
  removeOnFail: { age: 7 * 24 * 3600, count: 1000 },
} as const satisfies Pick<WorkerOptions, 'removeOnComplete' | 'removeOnFail'>;

/** BullMQ's priorities end here; above it `add` throws. */
const MAX_PRIORITY = 2_097_151;

const HANDICAP = { high: 0, normal: 100, low: 10_000 } as const satisfies Record<JobDoc['priority'], number>;

/**
 * Only calls and submits take turns; polls, stores and deliveries go by due time (*measured*, design.md §2.9: priorities
 * there starve other tenants' paid results).
 */
export const priorityOf = (queue: QueueName, turn: number, priority: JobDoc['priority']): number | undefined =>
  queue === 'call' || queue === 'submit' ? Math.min(MAX_PRIORITY, turn + HANDICAP[priority]) : undefined;
