import type { Batches, RetryTold } from '@grsai-jobs/job-store';
import { type BatchRecord, isBatchEnd } from '@grsai-jobs/jobs';
import type { NudgeOperations } from './nudge-operations.ts';

export type RetriedFailed =
  | ({ kind: 'retrying' } & RetryTold)
  | { kind: 'canceling' }
  | { kind: 'none_failed' }
  /** Of each failed job a submit may have made a task. */
  | { kind: 'all_unknown'; count: number }
  /** They are being run again already. */
  | { kind: 'already' }
  /** The same Idempotency-Key has asked for something else. */
  | { kind: 'key_reused' };

/** What the caller is told, or why there is nothing to run again. */
function toldOf(
  batch: BatchRecord,
  includeUnknown: boolean,
): { kind: 'told'; told: RetryTold } | Exclude<RetriedFailed, { kind: 'retrying' }> {
  const left_out = includeUnknown ? 0 : batch.unknown;
  const retrying = batch.counts.failed - left_out;
  if (batch.status === 'canceling') return { kind: 'canceling' };
  if (retrying === 0) return left_out === 0 ? { kind: 'none_failed' } : { kind: 'all_unknown', count: left_out };
  return {
    kind: 'told',
    told: { retrying, left_out, in_round: batch.round + (isBatchEnd(batch.status) ? 1 : 0), include_unknown: includeUnknown },
  };
}

const again = (told: RetryTold, includeUnknown: boolean): RetriedFailed =>
  (told.include_unknown ?? includeUnknown) === includeUnknown ? { kind: 'retrying', ...told } : { kind: 'key_reused' };

/** Has the failed jobs of a batch run again, by an operation. The same Idempotency-Key orders it once, and is answered the same. */
export const createRetryFailed =
  (o: { batches: Pick<Batches, 'retryFailed' | 'retryBefore'>; nudge: NudgeOperations }) =>
  async (
    batch: BatchRecord,
    { includeUnknown, key }: { includeUnknown: boolean; key?: string | undefined },
  ): Promise<RetriedFailed> => {
    const before = key === undefined ? null : await o.batches.retryBefore(batch.id, key);
    if (before !== null) return again(before, includeUnknown);
    const meant = toldOf(batch, includeUnknown);
    if (meant.kind !== 'told') return meant;
    const { told } = meant;
    const ordered = await o.batches.retryFailed(batch.id, {
      includeUnknown,
      once: key === undefined ? undefined : { key, told },
    });
    if (ordered.kind === 'under_way') return { kind: 'already' };
    if (ordered.kind === 'before') return again(ordered.told, includeUnknown);
    o.nudge();
    return { kind: 'retrying', ...told };
  };

export type RetryFailed = ReturnType<typeof createRetryFailed>;
