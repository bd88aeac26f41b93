import { type JobStore, redactOperation } from '@grsai-jobs/job-store';
import { inputObjects, isTerminal, JOB_ID, type JobOutput, type JobRecord, objectFolder, type Status } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';

/** Erases a job and what it left. Does nothing when that was done before. */
export type DeleteJob = (id: string, tenant: string) => Promise<Deleted>;

export type Deleted =
  | { kind: 'deleted' }
  /** This tenant has no such job. */
  | { kind: 'missing' }
  | { kind: 'not_ended'; status: Status }
  /** It was reopened meanwhile. */
  | { kind: 'reopened' }
  /** Its objects could not be deleted: the job stays, and is not run again. */
  | { kind: 'objects_left' };

const keysIn = (output: JobOutput | null): string[] => {
  if (output?.kind === 'images') return output.images.map(({ key }) => key);
  return output?.kind === 'chat_file' ? [output.key] : [];
};

/** Results of the present run and of all before it. */
const resultsOf = (job: JobRecord): string[] =>
  [job.output, ...Object.values(job.past).map(({ output }) => output)].flatMap(keysIn);

/**
 * Objects go before the record: while one is left the record is there to name it, and the delete can be sent again. A job
 * whose objects have begun to go is not run again, by nobody.
 */
export function createDeleteJob(o: {
  store: Pick<JobStore, 'jobs' | 'erase' | 'operations'>;
  objects: Pick<ObjectStore, 'list' | 'delete'>;
  keyPrefix: string;
  clock: Clock;
  log: Logger;
}): DeleteJob {
  /** What a run stored before it failed is in no result, so the folder of the job is looked through where that is allowed. */
  async function inFolder(job: JobRecord): Promise<string[]> {
    try {
      return await o.objects.list(`${objectFolder(o.keyPrefix, job)}/`);
    } catch (err) {
      if (!(err instanceof ObjectStoreError && err.code === 'denied')) throw err;
      o.log.warn(
        { event: 'job.objects_not_listed', err, job_id: job.id },
        'the credentials may not list; parts of failed runs may be left in the bucket',
      );
      return [];
    }
  }

  async function deleteObjects(job: JobRecord): Promise<boolean> {
    try {
      await o.objects.delete([...inputObjects(job), ...resultsOf(job), ...(await inFolder(job))]);
      return true;
    } catch (err) {
      o.log.error({ event: 'job.objects_not_deleted', err, job_id: job.id }, 'the job stays until its objects can be deleted');
      return false;
    }
  }

  /** Of two deletes at once both are right; a reopening that came first is reported. */
  async function unlessErased({ id, tenant }: JobRecord): Promise<Deleted> {
    return { kind: (await o.store.erase.wasAsked(id, tenant)) ? 'deleted' : 'reopened' };
  }

  async function remove(job: JobRecord): Promise<Deleted> {
    if (!isTerminal(job.status)) return { kind: 'not_ended', status: job.status };
    if (!(await o.store.erase.begin(job))) return await unlessErased(job);
    if (!(await deleteObjects(job))) return { kind: 'objects_left' };
    // Written down first: a job that is erased never stays in the results of its batch.
    if (job.batch_id !== null) await o.store.operations.addAgain(redactOperation(job.batch_id, o.clock.now()));
    if (!(await o.store.erase.asked(job))) return await unlessErased(job);
    o.log.info({ event: 'job.deleted', job_id: job.id, tenant: job.tenant }, 'job deleted');
    return { kind: 'deleted' };
  }

  return async (id, tenant) => {
    const job = JOB_ID.test(id) ? await o.store.jobs.read(id) : null;
    if (job?.tenant === tenant) return await remove(job);
    const wasDeleted = job === null && JOB_ID.test(id) && (await o.store.erase.wasAsked(id, tenant));
    return { kind: wasDeleted ? 'deleted' : 'missing' };
  };
}
