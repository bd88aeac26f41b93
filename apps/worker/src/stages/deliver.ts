import type { Handler } from '@grsai-jobs/queue';
import type { Deliveries } from '../webhooks/deliveries.ts';

/** deliver: an entry of a webhook has come up. What its attempt needs and leads to stands in `webhooks/`. */
export const createDeliverStage =
  (deliveries: Pick<Deliveries, 'handle'>): Handler =>
  ({ entry }) =>
    deliveries.handle(entry);
