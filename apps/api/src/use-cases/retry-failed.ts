import type { Batches, RetryTold } from '@grsai-jobs/job-store';
import { type BatchRecord, isBatchEnd } from '@grsai-jobs/jobs';
import type { NudgeOperations } from './nudge-operations.ts';

/** A batch that somebody else changes meanwhile is judged anew so often. */
const TRIES = 3;

export type RetriedFailed =
  | ({ kind: 'retrying' } & RetryTold)
  | { kind: 'missing' }
  | { kind: 'canceling' }
  | { kind: 'none_failed' }
  /** Of each failed job a submit may have made a task. */
  | { kind: 'all_unknown'; count: number }
  /** They are being run again already. */
  | { kind: 'already' }
  /** The same Idempotency-Key has asked for something else. */
  | { kind: 'key_reused' }
  /** It changes too fast at this moment. */
  | { kind: 'busy' };

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
export function createRetryFailed(o: { batches: Pick<Batches, 'read' | 'retryFailed' | 'retryBefore'>; nudge: NudgeOperations }) {
  /** `changed`: the batch is not as it was read. */
  async function order(
    batch: BatchRecord,
    { includeUnknown, key }: { includeUnknown: boolean; key?: string | undefined },
  ): Promise<RetriedFailed | { kind: 'changed' }> {
    const meant = toldOf(batch, includeUnknown);
    if (meant.kind !== 'told') return meant;
    const { told } = meant;
    const once = key === undefined ? undefined : { key, told };
    const ordered = await o.batches.retryFailed(batch.id, { includeUnknown, once, asRead: batch });
    if (ordered.kind === 'changed') return { kind: 'changed' };
    if (ordered.kind === 'under_way') return { kind: 'already' };
    if (ordered.kind === 'before') return again(ordered.told, includeUnknown);
    o.nudge();
    return { kind: 'retrying', ...told };
  }

  return async (batch: BatchRecord, asked: { includeUnknown: boolean; key?: string | undefined }): Promise<RetriedFailed> => {
    const before = asked.key === undefined ? null : await o.batches.retryBefore(batch.id, asked.key);
    if (before !== null) return again(before, asked.includeUnknown);
    let current: BatchRecord | null = batch;
    for (let n = 0; n < TRIES; n += 1, current = await o.batches.read(batch.id)) {
      if (current === null) return { kind: 'missing' };
      const ordered = await order(current, asked);
      if (ordered.kind !== 'changed') return ordered;
    }
    return { kind: 'busy' };
  };
}

export type RetryFailed = ReturnType<typeof createRetryFailed>;
