import { defineGroup } from '../../command.ts';
import { cancelBatch, retryFailed } from './change.ts';
import { batchErrors, batchResults, getBatch, listBatches } from './read.ts';
import { submitBatch } from './submit.ts';

export const batch = defineGroup('batch', 'Many jobs at once, from a file of NDJSON', [
  submitBatch,
  getBatch,
  listBatches,
  batchResults,
  batchErrors,
  cancelBatch,
  retryFailed,
]);
