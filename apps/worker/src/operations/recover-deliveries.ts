import { endpointId, endpointNameOf, type ListPlace, type RecoverOrder } from '@grsai-jobs/job-store';
import { type Delivery, isSentOnce } from '@grsai-jobs/jobs';
import type { Kit } from '../stages/kit.ts';
import type { DoSlice } from './run-operations.ts';

/** A delivery can be 40 KiB of answers. */
const AT_ONCE = 100;

/** How far a recovery has come, and how many were resent until then. */
interface Progress extends ListPlace {
  resent: number;
}

/** Failed, skipped, or tried in vain and waiting for a later try, maybe for hours; not one that a resend has brought forward already. */
function wasMissed({ state, once, asked, tries, next_attempt_at }: Delivery, now: number): boolean {
  if (state === 'failed' || state === 'skipped') return true;
  return state === 'pending' && once === null && !asked && tries > 0 && (next_attempt_at ?? now) > now;
}

/**
 * Resends what one endpoint has missed, the oldest first, but no news of live jobs: they would be old. One that was resent is
 * pending and due, so the same slice a second time passes it over; an entry that a crash has left out is added by the round of
 * owed deliveries.
 */
export const recoverDeliveries =
  (kit: Kit): DoSlice =>
  async (operation) => {
    const { tenant, url, from, to } = operation.order as RecoverOrder;
    const at = operation.cursor as Progress | null;
    const endpoint = endpointId(tenant, url);
    const name = endpointNameOf(tenant, url);
    let resent = at?.resent ?? 0;

    const { deliveries, next } = await kit.store.deliveryList.madeBetween({ tenant, from, to, after: at, count: AT_ONCE });
    const now = kit.clock.now();
    const missed = deliveries.filter(
      (each) => wasMissed(each, now) && endpointId(tenant, each.url) === endpoint && !isSentOnce(each.type),
    );
    for (const delivery of missed) {
      const step = await kit.store.deliveries.resend(delivery, kit.clock.now());
      if (step === null) continue;
      resent += 1;
      await kit.producer.enqueueDelivery({ id: delivery.id, step, endpoint: name });
    }

    if (next !== null) return { done: false, cursor: { ...next, resent } satisfies Progress };
    kit.log.info({ event: 'webhook.recovered', tenant, resent }, 'what an endpoint had missed was resent');
    return { done: true };
  };
