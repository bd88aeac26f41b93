import { endpointNameOf } from '@grsai-jobs/job-store';
import type { Kit } from '../stages/kit.ts';
import { eachOf } from './each.ts';

export const OWED_EVERY_MS = 10_000;
const AT_ONCE = 500;
const LOOK_AGAIN_MS = 10 * 60_000;

export const ROOMS_EVERY_MS = 1000;

/**
 * Looks at the rooms of endpoints in which nothing has moved: a worker died with the permits, the time of a breaker is over, deliver
 * was paused, or a tenant had its share of all workers. Safe in several workers at once.
 */
export function createRoomLook(kit: Pick<Kit, 'store' | 'producer' | 'clock' | 'log'>): () => Promise<void> {
  return async () => {
    for (const endpoint of await kit.store.deliveries.overdueRooms(kit.clock.now(), AT_ONCE))
      for (const entry of await kit.store.deliveries.letIn(endpoint, kit.clock.now())) await kit.producer.enqueueDelivery(entry);
  };
}

/** Gives a new entry to owed webhooks that have lost theirs (P4). Safe in several workers at once. */
export function createOwedDeliveries(kit: Kit): () => Promise<void> {
  return async () => {
    const now = kit.clock.now();
    await eachOf(kit, await kit.store.deliveries.overdue(now, AT_ONCE), async (id) => {
      const delivery = (await kit.store.deliveries.read(id))?.delivery;
      if (delivery === undefined || delivery.state !== 'pending') {
        await kit.store.deliveries.forgetDue(id, delivery?.step ?? null);
        return;
      }
      if ((await kit.producer.stateOf('deliver', delivery)) === 'there') {
        await kit.store.deliveries.postpone(delivery, now + LOOK_AGAIN_MS);
        return;
      }
      const step = await kit.store.deliveries.repair(delivery, now);
      if (step === null) return;
      kit.metrics.repairs.inc({ kind: 'delivery' });
      kit.log.warn({ event: 'webhook.repaired', delivery_id: id, step }, 'the entry of an owed webhook was gone, added again');
      const entry = { id, step, endpoint: endpointNameOf(delivery.tenant, delivery.url) };
      await kit.producer.enqueueDelivery(entry, Math.max(0, (delivery.next_attempt_at ?? now) - now));
    });
  };
}
