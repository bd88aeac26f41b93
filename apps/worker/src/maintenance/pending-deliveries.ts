import { endpointNameOf, type JobStore } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import { eachOf } from './each.ts';

export const PENDING_EVERY_MS = 10_000;
const AT_ONCE = 500;
const CHECK_AGAIN_MS = 10 * 60_000;

export const ROOMS_EVERY_MS = 1000;

interface Deps {
  store: Pick<JobStore, 'deliveries'>;
  producer: Pick<Producer, 'enqueueDelivery' | 'stateOf'>;
  clock: Clock;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'repairs'>;
  shutdown: { readonly stopping: AbortSignal };
}

/**
 * Lets deliveries out of the rooms of endpoints in which nothing has happened: a worker died with the permits, the time of a breaker is over, deliver
 * was paused, or a tenant had its share of all workers. Safe in several workers at once.
 */
export function createRoomCheck(d: Pick<Deps, 'store' | 'producer' | 'clock'>): () => Promise<void> {
  return async () => {
    for (const endpoint of await d.store.deliveries.overdueRooms(d.clock.now(), AT_ONCE))
      for (const entry of await d.store.deliveries.letIn(endpoint)) await d.producer.enqueueDelivery(entry);
  };
}

/** Gives a new entry to pending deliveries whose entry was lost (P4). Safe in several workers at once. */
export function createPendingDeliveries(d: Deps): () => Promise<void> {
  return async () => {
    const now = d.clock.now();
    await eachOf(d, await d.store.deliveries.overdue(now, AT_ONCE), async (id) => {
      const delivery = (await d.store.deliveries.read(id))?.delivery;
      if (delivery === undefined || delivery.state !== 'pending') {
        await d.store.deliveries.forgetDue(id, delivery?.step ?? null);
        return;
      }
      if ((await d.producer.stateOf('deliver', delivery)) === 'there') {
        await d.store.deliveries.postpone(delivery, now + CHECK_AGAIN_MS);
        return;
      }
      const step = await d.store.deliveries.repair(delivery);
      if (step === null) return;
      d.metrics.repairs.inc({ kind: 'delivery' });
      d.log.warn({ event: 'webhook.repaired', delivery_id: id, step }, 'the entry of a pending delivery was lost, added again');
      const entry = { id, step, endpoint: endpointNameOf(delivery.tenant, delivery.url) };
      await d.producer.enqueueDelivery(entry, Math.max(0, (delivery.next_attempt_at ?? now) - now));
    });
  };
}
