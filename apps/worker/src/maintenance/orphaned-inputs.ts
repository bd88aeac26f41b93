import type { JobStore } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Logger, SyncedClock } from '@grsai-jobs/runtime';
import { eachOf } from './each.ts';
import { inRounds } from './rounds.ts';

export const ORPHANED_INPUTS_EVERY_MS = 10 * 60_000;
/** No request takes this long from its first stored input to its record. */
const ORPHANED_AFTER_MS = 60 * 60_000;
const AT_ONCE = 500;
/** In an object store that is silent each of them takes half a minute. */
const ROUND_MS = 60_000;

interface Deps {
  store: Pick<JobStore, 'inputNotes'>;
  objects: Pick<ObjectStore, 'delete'>;
  clock: Pick<SyncedClock, 'now' | 'trouble'>;
  log: Logger;
  shutdown: { readonly stopping: AbortSignal };
}

/** Deletes input objects of requests that never became a job, because the API process died or lost S3 on the way. */
export function createOrphanedInputs(d: Deps): () => Promise<void> {
  const { inputNotes } = d.store;
  return inRounds(d, ORPHANED_INPUTS_EVERY_MS, async () => {
    let deleted = 0;
    const orphaned = await inputNotes.before(d.clock.now() - ORPHANED_AFTER_MS, AT_ONCE);
    const byJob = new Map(orphaned.map((note) => [note.jobId, note]));
    const remove = async (id: string) => {
      const note = byJob.get(id);
      if (note === undefined || d.clock.trouble() !== undefined || !(await inputNotes.take(note, ORPHANED_AFTER_MS))) return;
      await d.objects.delete(note.objects);
      await inputNotes.forget([note]);
      deleted += 1;
      d.log.info(
        { event: 'job.inputs_deleted', job_id: note.jobId, objects: note.objects.length },
        'inputs of a request that made no job were deleted',
      );
    };
    await eachOf(d, [...byJob.keys()], remove, { forMs: ROUND_MS });
    return orphaned.length === AT_ONCE && deleted > 0;
  });
}
