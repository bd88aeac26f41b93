import type { Batches } from '@grsai-jobs/job-store';
import { BATCH_ID, type BatchRecord } from '@grsai-jobs/jobs';
import type { Response } from 'express';
import { principalOf } from './auth.ts';
import { Problem } from './problem.ts';

export const noSuchBatch = (): Problem => new Problem('not_found', 'There is no batch with this id.');

/**
 * The batch that a path names, if it belongs to who asks.
 * @throws Problem 404, the same for a batch that never was, one that is still coming in, and one of another tenant.
 */
export async function ownBatch(batches: Pick<Batches, 'read'>, id: string, response: Response): Promise<BatchRecord> {
  const record = BATCH_ID.test(id) ? await batches.read(id) : null;
  if (record === null || record.tenant !== principalOf(response).tenant) throw noSuchBatch();
  return record;
}
