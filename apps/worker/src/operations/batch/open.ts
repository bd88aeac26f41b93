import type { CancelJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { type BatchRecord, isTerminal } from '@grsai-jobs/jobs';
import pMap from 'p-map';
import { publishLetIn } from '../../runner/publish.ts';
import type { DoSlice } from '../run-operations.ts';
import { batchOf, behind, eachLine, positionOf, SLICE } from './slices.ts';

/** Jobs that one slice opens: a slice costs six round trips of its own. */
const OPENED = 20 * SLICE;
/** So many chunks are on their way at once: Redis works on one while the entries of another are put together. */
const CHUNKS_AT_ONCE = 4;

type Deps = Parameters<typeof publishLetIn>[0] & {
  store: Pick<JobStore, 'batches'>;
  cancelJob: CancelJob;
};

/**
 * Opens the jobs of a batch after its 202: they enter the room of their tenant, a chunk at a time. Done twice it finds
 * them there. The jobs of a batch that is being canceled are canceled instead.
 */
export const openBatch =
  (d: Deps): DoSlice =>
  async (operation) => {
    const at = positionOf(operation.cursor);
    const batch = await d.store.batches.read(batchOf(operation.order));
    if (batch === null) return { done: true };
    const ids = await d.store.batches.jobIds(batch.id, at, OPENED);
    await pMap(chunksOf(ids), (chunk) => openChunk(d, batch, chunk), { concurrency: CHUNKS_AT_ONCE });
    return behind(at, ids, OPENED);
  };

function* chunksOf(ids: readonly string[]): Generator<string[]> {
  for (let at = 0; at < ids.length; at += SLICE) yield ids.slice(at, at + SLICE);
}

async function openChunk(d: Deps, batch: BatchRecord, ids: readonly string[]): Promise<void> {
  const { canceling, letIn } = await d.store.batches.reveal(batch, ids);
  // As it was in the reveal itself: a cancel that comes later finds these jobs, one that came before has passed them over.
  if (canceling) await eachLine(d, ids, ({ status }) => !isTerminal(status), d.cancelJob);
  else await publishLetIn(d, letIn);
}
