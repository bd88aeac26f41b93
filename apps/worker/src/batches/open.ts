import { isTerminal, MOVES } from '@grsai-jobs/jobs';
import type { DoSlice } from '../maintain/works.ts';
import { type BatchKit, batchOf, behind, eachLine, placeOf, SLICE } from './kit.ts';

/**
 * Opens the jobs of a batch after its 202: they take their turns and get their entries, a chunk at a time. Done twice
 * it adds the same entries again, which is harmless. The jobs of a batch that is being canceled are canceled instead.
 */
export const openBatch =
  (kit: BatchKit): DoSlice =>
  async (work) => {
    const at = placeOf(work.cursor);
    const id = batchOf(work.order);
    const batch = await kit.store.batches.read(id);
    if (batch === null) return { done: true };
    const ids = await kit.store.batches.jobIds(id, at, SLICE);
    if (ids.length === 0) return { done: true };
    const revealed = await kit.store.batches.reveal(batch, ids, MOVES.accept.dueMs);
    // Asked behind the reveal: a cancel that comes later finds these jobs, one that came before has passed them over.
    if ((await kit.store.batches.read(id))?.status === 'canceling')
      await eachLine(kit, ids, ({ status }) => !isTerminal(status), kit.cancelJob);
    else await kit.producer.enqueueNew(revealed);
    return behind(at, ids);
  };
