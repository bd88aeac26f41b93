import { inGroups } from '@grsai-jobs/job-store';
import { inputObjects } from '@grsai-jobs/jobs';
import type { DoSlice } from '../run-operations.ts';
import { type BatchKit, batchOf, placeOf, SLICE } from './kit.ts';

/** A request can have 8 MiB. */
const DOCS_AT_ONCE = 100;

/** Erases what was written of a batch that was refused, broken off, or not committed in time. */
export const eraseBatch =
  (kit: BatchKit): DoSlice =>
  async (operation) => {
    const id = batchOf(operation.order);
    // Not before a commit has become impossible: the jobs of a batch that is there need their inputs.
    if (!(await kit.store.batches.erase(id, []))) return { done: true };
    const at = placeOf(operation.cursor);
    const ids = await kit.store.batches.jobIds(id, at, SLICE);
    for (const group of inGroups(await kit.store.batches.heads(ids), DOCS_AT_ONCE)) {
      const docs = await kit.store.batches.docs(group.map(({ id: job }) => job));
      const inputs = docs.flatMap((doc) => inputObjects({ doc }));
      if (inputs.length > 0) await kit.objects.delete(inputs);
    }
    await kit.store.batches.erase(id, ids);
    if (ids.length === SLICE) return { done: false, cursor: { at: at + ids.length } };
    await kit.store.batches.forget({ id });
    kit.log.info({ event: 'batch.erased', batch_id: id, lines: at + ids.length }, 'a batch that was never committed was erased');
    return { done: true };
  };
