import { REDACT_OPERATION } from '@grsai-jobs/job-store';
import type { DoSlice } from '../run-operations.ts';
import { cancelBatch } from './cancel.ts';
import { discardBatch } from './discard.ts';
import { expireBatch } from './expire.ts';
import { finishBatch } from './finish.ts';
import { listBatch } from './list.ts';
import { redactErased } from './redact.ts';
import { retryFailed } from './retry-failed.ts';

/** What the operations on batches need. */
export type BatchDeps = Parameters<typeof cancelBatch>[0] &
  Parameters<typeof discardBatch>[0] &
  Parameters<typeof expireBatch>[0] &
  Parameters<typeof finishBatch>[0] &
  Parameters<typeof listBatch>[0] &
  Parameters<typeof redactErased>[0] &
  Parameters<typeof retryFailed>[0];

/** The operations on batches, by the kind that the store and the API write. */
export const createBatchOperations = (d: BatchDeps): Readonly<Record<string, DoSlice>> => ({
  'batch-list': listBatch(d),
  'batch-cancel': cancelBatch(d),
  'batch-retry-failed': retryFailed(d),
  'batch-expire': expireBatch(d),
  'batch-finish': finishBatch(d),
  'batch-discard': discardBatch(d),
  [REDACT_OPERATION]: redactErased(d),
});
