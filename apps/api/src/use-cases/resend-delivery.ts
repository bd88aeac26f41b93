import { endpointNameOf, type JobStore } from '@grsai-jobs/job-store';
import type { Delivery } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';

/** A delivery hardly changes by itself once it is over, so two are enough for one that somebody else has just resent. */
const ROUNDS = 3;

export type ResendDelivery = (delivery: Delivery) => Promise<Resent>;

export type Resent =
  /** As it waits for its one more attempt. */
  | { kind: 'resent'; delivery: Delivery }
  | { kind: 'missing' }
  /** An attempt of it is under way. */
  | { kind: 'under_way' }
  /** It changes too fast at this moment. */
  | { kind: 'busy' };

/** Whether nothing happens to a pending delivery before a later time. */
const waits = ({ once, next_attempt_at }: Delivery, now: number): boolean => once === null && (next_attempt_at ?? now) > now;

/**
 * One more attempt of a delivery that is over, or that waits for a later one and then goes on with its schedule. Of two that
 * ask at once one gets it, the other a 409.
 */
export function createResendDelivery(o: {
  deliveries: Pick<JobStore['deliveries'], 'read' | 'resend'>;
  producer: Pick<Producer, 'enqueueDelivery'>;
  clock: Clock;
  log: Logger;
}): ResendDelivery {
  async function again(delivery: Delivery): Promise<Resent | null> {
    const { id, tenant, url } = delivery;
    const now = o.clock.now();
    if (delivery.state === 'pending' && !waits(delivery, now)) return { kind: 'under_way' };
    const step = await o.deliveries.resend(delivery);
    if (step === null) return null;
    await o.producer.enqueueDelivery({ id, step, endpoint: endpointNameOf(tenant, url) }).catch((err: unknown) => {
      o.log.warn({ event: 'webhook.entry_missing', err, delivery_id: id }, 'resent; the entry is added by maintain');
    });
    o.log.info({ event: 'webhook.resent', delivery_id: id, tenant }, 'webhook resent');
    return { kind: 'resent', delivery: { ...delivery, state: 'pending', step, next_attempt_at: now } };
  }

  return async (delivery) => {
    for (let n = 0, current = delivery; n < ROUNDS; n += 1) {
      const resent = await again(current);
      if (resent !== null) return resent;
      const found = await o.deliveries.read(current.id);
      if (found === null) return { kind: 'missing' };
      current = found.delivery;
    }
    return { kind: 'busy' };
  };
}
