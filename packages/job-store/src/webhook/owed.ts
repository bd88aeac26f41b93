import { endEvent, eventId, type JobRecord, type TerminalStatus } from '@grsai-jobs/jobs';
import { endpointNameOf } from './endpoints.ts';

/** A queue entry of a webhook, as `enqueueDelivery` takes it. */
export interface OwedEntry {
  id: string;
  step: number;
  /** `endpointName`. */
  endpoint: string;
}

/** The webhook that a job owes when its run ends like this; `null` when its caller did not ask to hear of it. */
export function owedEntry(job: Pick<JobRecord, 'id' | 'tenant' | 'run' | 'doc'>, status: TerminalStatus): OwedEntry | null {
  const type = endEvent(status);
  const { webhook } = job.doc;
  if (!webhook?.events.includes(type)) return null;
  return { id: eventId(job.id, job.run, type), step: 1, endpoint: endpointNameOf(job.tenant, webhook.url) };
}
