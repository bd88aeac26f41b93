import { type BatchRecord, isTerminal, MOVES } from '@grsai-jobs/jobs';
import pMap from 'p-map';
import type { DoSlice } from '../run-operations.ts';
import { type BatchKit, batchOf, behind, eachLine, placeOf, SLICE } from './kit.ts';

/** Jobs that one slice opens: a slice costs six round trips of its own. */
const OPENED = 20 * SLICE;
/** So many chunks are on their way at once: Redis works on one while the entries of another are put together. */
const CHUNKS_AT_ONCE = 4;

/**
 * Opens the jobs of a batch after its 202: they take their turns and get their entries, a chunk at a time. Done twice
 * it adds the same entries again, which is harmless. The jobs of a batch that is being canceled are canceled instead.
 */
export const openBatch =
  (kit: BatchKit): DoSlice =>
  async (operation) => {
    const at = placeOf(operation.cursor);
    const batch = await kit.store.batches.read(batchOf(operation.order));
    if (batch === null) return { done: true };
    const ids = await kit.store.batches.jobIds(batch.id, at, OPENED);
    await pMap(chunksOf(ids), (chunk) => openChunk(kit, batch, chunk), { concurrency: CHUNKS_AT_ONCE });
    return behind(at, ids, OPENED);
  };

function* chunksOf(ids: readonly string[]): Generator<string[]> {
  for (let at = 0; at < ids.length; at += SLICE) yield ids.slice(at, at + SLICE);
}

async function openChunk(kit: BatchKit, batch: BatchRecord, ids: readonly string[]): Promise<void> {
  const { canceling, revealed } = await kit.store.batches.reveal(batch, ids, MOVES.accept.dueMs);
  // As it was in the reveal itself: a cancel that comes later finds these jobs, one that came before has passed them over.
  if (canceling) await eachLine(kit, ids, ({ status }) => !isTerminal(status), kit.cancelJob);
  else await kit.producer.enqueueNew(revealed);
}
