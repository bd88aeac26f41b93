import type { Batches } from '@grsai-jobs/job-store';
import type { BatchRecord } from '@grsai-jobs/jobs';
import type { NudgeOperations } from './nudge-operations.ts';

export type RetriedFailed =
  /** `left_out`: failed jobs that are not run again, since a submit of theirs may have made a task (P2). */
  | { kind: 'retrying'; retrying: number; left_out: number }
  | { kind: 'canceling' }
  | { kind: 'none_failed' }
  /** Of each failed job a submit may have made a task. */
  | { kind: 'all_unknown'; count: number }
  /** They are being run again already. */
  | { kind: 'already' };

/** Has the failed jobs of a batch run again, by an operation. */
export const createRetryFailed =
  (o: { batches: Pick<Batches, 'retryFailed'>; nudge: NudgeOperations }) =>
  async (batch: BatchRecord, includeUnknown: boolean): Promise<RetriedFailed> => {
    const left_out = includeUnknown ? 0 : batch.unknown;
    const retrying = batch.counts.failed - left_out;
    if (batch.status === 'canceling') return { kind: 'canceling' };
    if (retrying === 0) return left_out === 0 ? { kind: 'none_failed' } : { kind: 'all_unknown', count: left_out };
    if (!(await o.batches.retryFailed(batch.id, { includeUnknown }))) return { kind: 'already' };
    o.nudge();
    return { kind: 'retrying', retrying, left_out };
  };

export type RetryFailed = ReturnType<typeof createRetryFailed>;
