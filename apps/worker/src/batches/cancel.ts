import { isTerminal } from '@grsai-jobs/jobs';
import type { DoSlice } from '../maintain/works.ts';
import { type BatchKit, batchOf, behind, eachLine, placeOf, SLICE } from './kit.ts';

/** Cancels what is alive of a batch. Jobs that are not opened yet are canceled by the work that opens them. */
export const cancelBatch =
  (kit: BatchKit): DoSlice =>
  async (work) => {
    const at = placeOf(work.cursor);
    const ids = await kit.store.batches.jobIds(batchOf(work.order), at, SLICE);
    await eachLine(kit, ids, ({ status }) => !isTerminal(status), kit.cancelJob);
    return behind(at, ids);
  };
