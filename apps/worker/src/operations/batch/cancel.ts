import { isTerminal } from '@grsai-jobs/jobs';
import type { DoSlice } from '../run-operations.ts';
import { type BatchKit, behind, eachLine, livingBatch, placeOf, SLICE } from './kit.ts';

/**
 * Cancels what is alive of a batch. Jobs that are not opened yet are canceled by the operation that opens them, and what is
 * retried once the batch has ended was not meant.
 */
export const cancelBatch =
  (kit: BatchKit): DoSlice =>
  async (operation) => {
    const at = placeOf(operation.cursor);
    const batch = await livingBatch(kit, operation.order, ['canceling']);
    if (batch === null) return { done: true };
    const ids = await kit.store.batches.jobIds(batch.id, at, SLICE);
    await eachLine(kit, ids, ({ status }) => !isTerminal(status), kit.cancelJob);
    return behind(at, ids);
  };
