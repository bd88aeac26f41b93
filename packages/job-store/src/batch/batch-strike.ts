/** Kind of the long work that strikes erased jobs out of the results files of their batch. */
export const STRIKE_WORK = 'batch-strike';

/** Many jobs are often erased one after another; they go in one piece of work, and so within minutes. */
const AFTER_MS = 30_000;

/** What `works.renew` takes when a job of this batch is about to be erased. */
export const strikeWork = (batchId: string, now: number) => ({
  kind: STRIKE_WORK,
  subject: batchId,
  order: { batch_id: batchId },
  at: now + AFTER_MS,
});
