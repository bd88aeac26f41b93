import type { JobStore } from '@grsai-jobs/job-store';
import { JOB_ID, type JobRecord } from '@grsai-jobs/jobs';
import type { Response } from 'express';
import { principalOf } from './auth.ts';
import { Problem } from './problem.ts';

export const noSuchJob = (): Problem => new Problem('not_found', 'There is no job with this id.');

/**
 * The job that a path names, if it belongs to who asks.
 * @throws Problem 404, the same for a job that never was and for one of another tenant.
 */
export async function ownJob(jobs: Pick<JobStore['jobs'], 'read'>, id: string, response: Response): Promise<JobRecord> {
  response.locals['jobId'] = id;
  const record = JOB_ID.test(id) ? await jobs.read(id) : null;
  if (record === null || record.tenant !== principalOf(response).tenant) throw noSuchJob();
  return record;
}
