/** Kind of the operation that redacts erased jobs from the results files of their batch. */
export const REDACT_OPERATION = 'batch-redact';

/** Many jobs are often erased one after another; they go in one operation, and so within minutes. */
const AFTER_MS = 30_000;

/** What `operations.addAgain` takes when a job of this batch is about to be erased. */
export const redactOperation = (batchId: string, now: number) => ({
  kind: REDACT_OPERATION,
  subject: batchId,
  order: { batch_id: batchId },
  at: now + AFTER_MS,
});
