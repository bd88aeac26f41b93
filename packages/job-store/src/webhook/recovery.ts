import { endpointId } from './endpoints.ts';

/** Kind of the operation that resends what an endpoint has missed. */
export const RECOVER_OPERATION = 'webhook-recover';

/** Times in ms since 1970: deliveries that were made from `from` to `to`. */
export interface RecoverOrder {
  tenant: string;
  /** Any URL of the endpoint. */
  url: string;
  from: number;
  to: number;
}

/** What `operations.add` takes. One that is asked for while another goes on stands beside it: it may be about what has failed since. */
export const recoverOperation = (order: RecoverOrder) => ({
  kind: RECOVER_OPERATION,
  subject: `${endpointId(order.tenant, order.url)}:${order.from}:${order.to}`,
  order,
  at: order.to,
});
