import type { JobStore } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';

/** A job changes state a handful of times in its life, so somebody who loses this often is told to come back. */
const TRIES = 8;

/** The job is gone, or changes too fast at this moment to be acted on. */
export type NotMoved = { kind: 'missing' } | { kind: 'busy' };

/**
 * Makes a change that needs the newest record: when a worker moved the job in between (`null`), it is read again and
 * tried anew.
 */
export async function moveOn<T>(
  jobs: Pick<JobStore['jobs'], 'read'>,
  record: JobRecord,
  change: (record: JobRecord) => Promise<T | null>,
  tries = TRIES,
): Promise<T | NotMoved> {
  for (let n = 0, current: JobRecord | null = record; n < tries; n += 1, current = await jobs.read(record.id)) {
    if (current === null) return { kind: 'missing' };
    const changed = await change(current);
    if (changed !== null) return changed;
  }
  return { kind: 'busy' };
}
