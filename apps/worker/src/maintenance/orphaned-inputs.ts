import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Kit } from '../stages/kit.ts';
import { eachOf } from './each.ts';

export const LEFT_INPUTS_EVERY_MS = 10 * 60_000;
/** No request takes this long from its first stored input to its record. */
const LEFT_AFTER_MS = 60 * 60_000;
const AT_ONCE = 500;
/** In an object store that is silent each of them takes half a minute. */
const ROUND_MS = 60_000;

/** Deletes input objects of requests that never became a job, because the API process died or lost S3 on the way. */
export function createLeftInputs(kit: Kit & { objects: Pick<ObjectStore, 'delete'> }): () => Promise<void> {
  const { inputNotes } = kit.store;
  return async () => {
    const left = await inputNotes.before(kit.clock.now() - LEFT_AFTER_MS, AT_ONCE);
    const byJob = new Map(left.map((note) => [note.jobId, note]));
    const remove = async (id: string) => {
      const note = byJob.get(id);
      if (note === undefined || !(await inputNotes.take(note))) return;
      await kit.objects.delete(note.objects);
      await inputNotes.forget([note]);
      kit.log.info(
        { event: 'job.inputs_deleted', job_id: note.jobId, objects: note.objects.length },
        'inputs of a request that made no job were deleted',
      );
    };
    await eachOf(kit, [...byJob.keys()], remove, { forMs: ROUND_MS });
  };
}
