import type { Batches } from '@grsai-jobs/job-store';
import type { BatchRecord } from '@grsai-jobs/jobs';
import { Problem } from '../http/problem.ts';
import type { NudgeWorks } from './nudge-works.ts';

/** How many failed jobs are run again, and how many are not since a submit of theirs may have made a task (P2). */
export interface RetriedBatch {
  retrying: number;
  left_out: number;
}

/** Has the failed jobs of a batch run again, as long work. */
export const createRetryFailed =
  (o: { batches: Pick<Batches, 'retryFailed'>; nudge: NudgeWorks }) =>
  async (batch: BatchRecord, includeUnknown: boolean): Promise<RetriedBatch> => {
    const left_out = includeUnknown ? 0 : batch.unknown;
    const retrying = batch.counts.failed - left_out;
    if (batch.status === 'canceling') throw new Problem('conflict', 'The batch is being canceled.');
    if (retrying === 0)
      throw new Problem(
        'conflict',
        left_out === 0
          ? 'The batch has no failed jobs.'
          : `Of each failed job of the batch (${left_out}) nobody knows whether its submit made a task: send {"include_unknown": true} to submit them again, and maybe pay twice.`,
      );
    if (!(await o.batches.retryFailed(batch.id, { includeUnknown })))
      throw new Problem('conflict', 'The failed jobs of this batch are being run again already.');
    o.nudge();
    return { retrying, left_out };
  };

export type RetryFailed = ReturnType<typeof createRetryFailed>;
