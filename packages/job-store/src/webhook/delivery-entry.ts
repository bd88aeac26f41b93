import { deliveryAtEnd, type JobRecord, type TerminalStatus } from '@grsai-jobs/jobs';
import { endpointNameOf } from './endpoints.ts';

/** A queue entry of a webhook, as `enqueueDelivery` takes it. */
export interface DeliveryEntry {
  id: string;
  step: number;
  /** `endpointName`. */
  endpoint: string;
}

/** The queue entry of the delivery that reports the end of a run; `null` when its caller did not ask for one. */
export function endDelivery(job: Pick<JobRecord, 'id' | 'tenant' | 'run' | 'doc'>, status: TerminalStatus): DeliveryEntry | null {
  const delivery = deliveryAtEnd(job, status);
  return delivery && { id: delivery.id, step: 1, endpoint: endpointNameOf(job.tenant, delivery.url) };
}
