import { endpointNameOf } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import type { Kit } from '../../stages/kit.ts';

/**
 * One more try of the job's last webhook, when it is over and was not delivered. What was tried since the order was given
 * (`before`) may have been resent by it already.
 */
export async function redeliver(kit: Pick<Kit, 'store' | 'producer' | 'clock'>, job: JobRecord, before: number) {
  const id = job.webhook.last_delivery_id;
  const found = id === null ? null : await kit.store.deliveries.read(id);
  if (id === null || found === null) return 'skipped:no_webhook';
  const { delivery } = found;
  if (delivery.state === 'pending' || delivery.state === 'delivered') return `skipped:${delivery.state}` as const;
  if ((delivery.attempts.at(-1)?.at ?? 0) > before) return 'skipped:tried_since';
  const step = await kit.store.deliveries.resend(delivery, kit.clock.now());
  if (step === null) return 'skipped:pending';
  await kit.producer.enqueueDelivery({ id, step, endpoint: endpointNameOf(delivery.tenant, delivery.url) });
  return 'done';
}
