import { readLua } from '../redis/define-script.ts';
import type { Keys } from '../redis/keys.ts';

/** A waiting delivery is looked after this long after its next attempt. */
export const DUE_AFTER_MS = 30_000;

/** The keys of the scripts that make a delivery; they may make none. */
export const NEW_DELIVERY_KEYS = ['delivery?', 'tenant_deliveries', 'due_deliveries', 'pending_deliveries'] as const;

/** `make_delivery`, the one place that writes a new delivery. */
export const MAKE_DELIVERY = readLua(new URL('./make-delivery.lua', import.meta.url));

/** A webhook event that has to be delivered. */
export interface NewDelivery {
  id: string;
  /** What it is about. */
  subject: { job_id: string } | { batch_id: string };
  /** The run of the job, or the round of the batch. */
  run: number;
  type: string;
  url: string;
}

/** What a script that makes a delivery takes: its keys, and the order for `make_delivery`. `null`: nothing is to be delivered. */
export function newDelivery(keys: Keys, tenant: string, delivery: NewDelivery | null) {
  return {
    keys: {
      delivery: delivery && keys.delivery(delivery.id),
      tenant_deliveries: keys.tenantDeliveries(tenant),
      due_deliveries: keys.dueDeliveries,
      pending_deliveries: keys.pendingDeliveries,
    },
    order: delivery && {
      id: delivery.id,
      tenant,
      ...delivery.subject,
      run: delivery.run,
      type: delivery.type,
      url: delivery.url,
      due_after: DUE_AFTER_MS,
    },
  };
}
