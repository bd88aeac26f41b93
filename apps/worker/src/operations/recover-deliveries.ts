import { type Cursor, endpointId, endpointNameOf, type JobStore, type RecoverOrder } from '@grsai-jobs/job-store';
import { type Delivery, isSentOnce } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { DoSlice } from './run-operations.ts';

/** A delivery can be 40 KiB of answers. */
const AT_ONCE = 100;

/** How far a recovery has come, and how many were resent until then. */
interface Progress extends Cursor {
  resent: number;
}

/** Failed, skipped, or attempted in vain and waiting for a later attempt, maybe for hours; not one that a resend has brought forward already. */
function wasMissed({ state, once, asked, attempts_made, next_attempt_at }: Delivery, now: number): boolean {
  if (state === 'failed' || state === 'skipped') return true;
  return state === 'pending' && once === null && !asked && attempts_made > 0 && (next_attempt_at ?? now) > now;
}

interface Deps {
  store: Pick<JobStore, 'deliveries' | 'deliveryList'>;
  producer: Pick<Producer, 'enqueueDelivery'>;
  clock: Clock;
  log: Logger;
}

/**
 * Resends what one endpoint has missed, the oldest first, but no reports of live jobs: they would be outdated. One that was resent is
 * pending and due, so the same slice passes it over the second time; an entry that is missing after a crash is added by the
 * periodic task for pending deliveries.
 */
export const recoverDeliveries =
  (d: Deps): DoSlice =>
  async (operation) => {
    const { tenant, url, from, to } = operation.order as RecoverOrder;
    const at = operation.cursor as Progress | null;
    const endpoint = endpointId(tenant, url);
    const name = endpointNameOf(tenant, url);
    let resent = at?.resent ?? 0;

    const { deliveries, next } = await d.store.deliveryList.madeBetween({ tenant, from, to, after: at, count: AT_ONCE });
    const now = d.clock.now();
    const missed = deliveries.filter(
      (each) => wasMissed(each, now) && endpointId(tenant, each.url) === endpoint && !isSentOnce(each.type),
    );
    for (const delivery of missed) {
      const step = await d.store.deliveries.resend(delivery);
      if (step === null) continue;
      resent += 1;
      await d.producer.enqueueDelivery({ id: delivery.id, step, endpoint: name });
    }

    if (next !== null) return { done: false, cursor: { ...next, resent } satisfies Progress };
    d.log.info({ event: 'webhook.recovered', tenant, resent }, 'what an endpoint had missed was resent');
    return { done: true };
  };
