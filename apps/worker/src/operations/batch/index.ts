import { REDACT_OPERATION } from '@grsai-jobs/job-store';
import type { DoSlice } from '../run-operations.ts';
import { cancelBatch } from './cancel.ts';
import { eraseBatch } from './erase.ts';
import { expireBatch } from './expire.ts';
import { finishBatch } from './finish.ts';
import type { BatchKit } from './kit.ts';
import { openBatch } from './open.ts';
import { strikeErased } from './redact.ts';
import { retryFailed } from './retry-failed.ts';

export type { BatchKit } from './kit.ts';

/** The operations on batches, by the kind that the store and the API write. */
export const createBatchOperations = (kit: BatchKit): Readonly<Record<string, DoSlice>> => ({
  'batch-open': openBatch(kit),
  'batch-cancel': cancelBatch(kit),
  'batch-retry-failed': retryFailed(kit),
  'batch-expire': expireBatch(kit),
  'batch-finish': finishBatch(kit),
  'batch-erase': eraseBatch(kit),
  [REDACT_OPERATION]: strikeErased(kit),
});
