import { isBatchEnd } from '@grsai-jobs/jobs';
import type { Response } from 'express';
import { principalOf } from '../../http/auth.ts';
import { Problem } from '../../http/problem.ts';
import { type FileBatchReads, type FileBatchState, hasOutput, type Output, outputFileId } from '../../use-cases/file-batches.ts';

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));

/** A batch as OpenAI describes one. */
export function viewBatch(state: FileBatchState) {
  const { record, batch, status, errors } = state;
  const counts = batch?.counts;
  const fileOf = (output: Output) => (hasOutput(state, output) ? outputFileId(record.id, output) : null);
  const endedAs = (end: FileBatchState['status']) => (status === end ? seconds(batch?.finished_at ?? null) : null);
  return {
    id: record.id,
    object: 'batch' as const,
    endpoint: record.endpoint,
    errors: errors === null ? null : { object: 'list' as const, data: errors },
    input_file_id: record.input_file_id,
    completion_window: record.completion_window,
    status,
    output_file_id: fileOf('output'),
    error_file_id: fileOf('errors'),
    created_at: seconds(record.created_at),
    in_progress_at: seconds(batch?.created_at ?? null),
    expires_at: seconds(record.expires_at),
    finalizing_at: batch !== null && isBatchEnd(batch.status) ? seconds(batch.finished_at) : null,
    completed_at: endedAs('completed'),
    failed_at: status === 'failed' ? seconds(record.failed_at ?? record.validates_until) : null,
    expired_at: endedAs('expired'),
    cancelling_at: null,
    cancelled_at: endedAs('cancelled'),
    request_counts: {
      total: counts?.total ?? 0,
      completed: counts?.succeeded ?? 0,
      failed: counts === undefined ? 0 : counts.failed + counts.canceled + counts.expired,
    },
    metadata: record.metadata,
    ...(batch === null ? {} : { grsai: { batch: `/v1/batches/${record.id}` } }),
  };
}

const noSuchBatch = (): Problem => new Problem('not_found', 'There is no batch with this id.');

/** The batch that a path names. @throws Problem 404, for one of another tenant too */
export async function ownBatch(o: { fileReads: FileBatchReads }, id: string, response: Response): Promise<FileBatchState> {
  const state = await o.fileReads.readBatch(principalOf(response).tenant, id);
  if (state === null) throw noSuchBatch();
  return state;
}
