import { endpointNameOf, type JobStore } from '@grsai-jobs/job-store';
import type { Job } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';

export interface RedeliverDeps {
  store: Pick<JobStore, 'deliveries'>;
  producer: Pick<Producer, 'enqueueDelivery'>;
}

/**
 * One more attempt of the job's last delivery, when it is over and was not delivered. What was attempted since the order was given
 * (`before`) may have been resent by it already.
 */
export async function redeliver(d: RedeliverDeps, job: Job, before: number) {
  const id = job.webhook.last_delivery_id;
  const found = id === null ? null : await d.store.deliveries.read(id);
  if (id === null || found === null) return 'skipped:no_webhook';
  const { delivery } = found;
  if (delivery.state === 'pending' || delivery.state === 'delivered') return `skipped:${delivery.state}` as const;
  if ((delivery.attempts.at(-1)?.at ?? 0) > before) return 'skipped:tried_since';
  const step = await d.store.deliveries.resend(delivery);
  if (step === null) return 'skipped:pending';
  await d.producer.enqueueDelivery({ id, step, endpoint: endpointNameOf(delivery.tenant, delivery.url) });
  return 'done';
}
