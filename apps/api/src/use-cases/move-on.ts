import type { JobStore } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import { noSuchJob } from '../http/own-job.ts';
import { Problem } from '../http/problem.ts';

/** A job changes state a handful of times in its life, so somebody who loses this often is told to come back. */
const TRIES = 8;

/**
 * Makes a change that needs the newest record: when a worker moved the job in between (`null`), it is read again and
 * tried anew. Answers the record as the change left it.
 */
export async function moveOn(
  jobs: Pick<JobStore['jobs'], 'read'>,
  record: JobRecord,
  change: (record: JobRecord) => Promise<JobRecord | null>,
): Promise<JobRecord> {
  for (let n = 0, current: JobRecord | null = record; n < TRIES; n += 1, current = await jobs.read(record.id)) {
    if (current === null) throw noSuchJob();
    const changed = await change(current);
    if (changed !== null) return changed;
  }
  throw new Problem('unavailable', 'The job is changing too fast at this moment. Send the request again.');
}
