import type { JobStore } from '@grsai-jobs/job-store';
import type { DoSlice } from '../run-operations.ts';
import { batchOf, behind, positionOf, SLICE } from './slices.ts';

/** Lines that one slice lists: a slice costs six round trips of its own. */
const LISTED = 10 * SLICE;

/**
 * Brings the lines of a batch, which may run since its 202, into the list of their tenant. Done twice it finds them there.
 */
export const listBatch =
  (d: { store: Pick<JobStore, 'batches'> }): DoSlice =>
  async (operation) => {
    const at = positionOf(operation.cursor);
    const batch = await d.store.batches.read(batchOf(operation.order));
    if (batch === null) return { done: true };
    const ids = await d.store.batches.jobIds(batch.id, at, LISTED);
    for (let from = 0; from < ids.length; from += SLICE) await d.store.batches.list(batch, ids.slice(from, from + SLICE));
    return behind(at, ids, LISTED);
  };
