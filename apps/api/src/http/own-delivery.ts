import type { JobStore } from '@grsai-jobs/job-store';
import { type Delivery, EVENT_ID } from '@grsai-jobs/jobs';
import type { Response } from 'express';
import { principalOf } from './auth.ts';
import { Problem } from './problem.ts';

export const noSuchDelivery = (): Problem => new Problem('not_found', 'There is no webhook delivery with this id.');

/**
 * The delivery that a path names, if it belongs to who asks.
 * @throws Problem 404, the same for one that never was and for one of another tenant.
 */
export async function ownDelivery(
  deliveries: Pick<JobStore['deliveries'], 'read'>,
  id: string,
  response: Response,
): Promise<Delivery> {
  const found = EVENT_ID.test(id) ? await deliveries.read(id) : null;
  if (found === null || found.delivery.tenant !== principalOf(response).tenant) throw noSuchDelivery();
  return found.delivery;
}
