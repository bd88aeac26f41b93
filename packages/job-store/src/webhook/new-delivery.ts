import type { Delivery } from '@grsai-jobs/jobs';
import { readLua } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

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

/** The delivery of a job as `make_delivery` has just written it. */
export const deliveryMade = (
  job: { id: string; tenant: string },
  { id, run, type, url }: Omit<NewDelivery, 'subject'>,
  { at, seq }: { at: number; seq: number },
): Delivery => ({
  id,
  tenant: job.tenant,
  job_id: job.id,
  batch_id: null,
  run,
  type,
  url,
  state: 'pending',
  step: 1,
  sequence: seq,
  snapshot: null,
  once: null,
  extra: 0,
  asked: false,
  attempts: [],
  attempts_made: 0,
  created_at: at,
  next_attempt_at: at,
});
