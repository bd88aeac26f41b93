import { endEvent, eventId, type JobRecord, type TerminalStatus } from '@grsai-jobs/jobs';
import { endpointNameOf } from './endpoints.ts';

/** A queue entry of a webhook, as `enqueueDelivery` takes it. */
export interface DeliveryEntry {
  id: string;
  step: number;
  /** `endpointName`. */
  endpoint: string;
}

/** The entry of the delivery that reports the end of this run; `null` when its caller did not ask for it. */
export function endDelivery(job: Pick<JobRecord, 'id' | 'tenant' | 'run' | 'doc'>, status: TerminalStatus): DeliveryEntry | null {
  const type = endEvent(status);
  const { webhook } = job.doc;
  if (!webhook?.events.includes(type)) return null;
  return { id: eventId(job.id, job.run, type), step: 1, endpoint: endpointNameOf(job.tenant, webhook.url) };
}
