import type { Batches, JobStore } from '@grsai-jobs/job-store';
import { BATCH_ID, type BatchRecord, type Delivery, EVENT_ID, JOB_ID, type Job } from '@grsai-jobs/jobs';
import type { Response } from 'express';
import { principalOf } from './auth.ts';
import { Problem } from './problem.ts';

/**
 * The job, batch or delivery that a path names. Callers reach their own (`own…`), operators reach all (`any…`). The 404 is one and
 * the same for an id that never was, one that is no id at all, and one of another tenant.
 */

export const noSuchJob = (): Problem => new Problem('not_found', 'There is no job with this id.');
export const noSuchBatch = (): Problem => new Problem('not_found', 'There is no batch with this id.');
export const noSuchDelivery = (): Problem => new Problem('not_found', 'There is no webhook delivery with this id.');

type Jobs = Pick<JobStore['jobs'], 'read'>;
type Deliveries = Pick<JobStore['deliveries'], 'read'>;

const isOf = (response: Response, { tenant }: { tenant: string }): boolean => tenant === principalOf(response).tenant;

export async function anyJob(jobs: Jobs, id: string, response: Response): Promise<Job> {
  response.locals['jobId'] = id;
  const record = JOB_ID.test(id) ? await jobs.read(id) : null;
  if (record === null) throw noSuchJob();
  return record;
}

export async function ownJob(jobs: Jobs, id: string, response: Response): Promise<Job> {
  const record = await anyJob(jobs, id, response);
  if (!isOf(response, record)) throw noSuchJob();
  return record;
}

/** A batch that is still coming in counts as none. */
export async function anyBatch(batches: Pick<Batches, 'read'>, id: string): Promise<BatchRecord> {
  const record = BATCH_ID.test(id) ? await batches.read(id) : null;
  if (record === null) throw noSuchBatch();
  return record;
}

export async function ownBatch(batches: Pick<Batches, 'read'>, id: string, response: Response): Promise<BatchRecord> {
  const record = await anyBatch(batches, id);
  if (!isOf(response, record)) throw noSuchBatch();
  return record;
}

export async function anyDelivery(deliveries: Deliveries, id: string): Promise<Delivery> {
  const found = EVENT_ID.test(id) ? await deliveries.read(id) : null;
  if (found === null) throw noSuchDelivery();
  return found.delivery;
}

export async function ownDelivery(deliveries: Deliveries, id: string, response: Response): Promise<Delivery> {
  const delivery = await anyDelivery(deliveries, id);
  if (!isOf(response, delivery)) throw noSuchDelivery();
  return delivery;
}
