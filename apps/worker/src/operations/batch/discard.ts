import type { JobStore } from '@grsai-jobs/job-store';
import { inGroups } from '@grsai-jobs/job-store';
import { inputObjects } from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Logger } from '@grsai-jobs/runtime';
import type { DoSlice } from '../run-operations.ts';
import { batchOf, positionOf, SLICE } from './slices.ts';

/** A request can have 8 MiB. */
const DOCS_AT_ONCE = 100;

interface Deps {
  store: Pick<JobStore, 'batches'>;
  objects: Pick<ObjectStore, 'delete'>;
  log: Logger;
}

/** Deletes what was written of a batch that was refused, broken off, or not committed in time. */
export const discardBatch =
  (d: Deps): DoSlice =>
  async (operation) => {
    const id = batchOf(operation.order);
    // Not before a commit has become impossible: the jobs of a batch that is there need their inputs.
    if (!(await d.store.batches.discard(id, []))) return { done: true };
    const at = positionOf(operation.cursor);
    const ids = await d.store.batches.jobIds(id, at, SLICE);
    for (const group of inGroups(await d.store.batches.heads(ids), DOCS_AT_ONCE)) {
      const docs = await d.store.batches.docs(group.map(({ id: job }) => job));
      const inputs = docs.flatMap((doc) => inputObjects({ doc }));
      if (inputs.length > 0) await d.objects.delete(inputs);
    }
    await d.store.batches.discard(id, ids);
    if (ids.length === SLICE) return { done: false, cursor: { at: at + ids.length } };
    await d.store.batches.forget({ id });
    d.log.info(
      { event: 'batch.discarded', batch_id: id, lines: at + ids.length },
      'a batch that was never committed was discarded',
    );
    return { done: true };
  };
