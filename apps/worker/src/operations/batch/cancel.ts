import type { CancelJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal } from '@grsai-jobs/jobs';
import type { DoSlice } from '../run-operations.ts';
import { behind, eachLine, livingBatch, positionOf, SLICE } from './slices.ts';

interface Deps {
  store: Pick<JobStore, 'batches'>;
  cancelJob: CancelJob;
}

/** Cancels what is alive of a batch, of which no line is let in any more. What is retried once the batch has ended was not meant. */
export const cancelBatch =
  (d: Deps): DoSlice =>
  async (operation) => {
    const at = positionOf(operation.cursor);
    const batch = await livingBatch(d, operation.order, ['canceling']);
    if (batch === null) return { done: true };
    const ids = await d.store.batches.jobIds(batch.id, at, SLICE);
    await eachLine(d, ids, ({ status }) => !isTerminal(status), d.cancelJob);
    return behind(at, ids);
  };
