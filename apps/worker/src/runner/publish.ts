import { type DeliveryStart, endDelivery, type JobStore, type TransitionResult } from '@grsai-jobs/job-store';
import {
  deliveryAtEnd,
  isTerminal,
  type JobDoc,
  type JobRecord,
  messageOf,
  type PolledJob,
  type QueueMessage,
  type Transition,
  waitsInRoom,
} from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { Deliveries } from '../webhooks/deliveries.ts';

export interface PublishDeps {
  producer: Pick<Producer, 'enqueue' | 'enqueueLetIn' | 'enqueueDelivery'>;
  /** Room for the first attempt of a webhook in the process that ends its job. */
  deliveries: Pick<Deliveries, 'reserve'>;
  store: { deliveries: Pick<JobStore['deliveries'], 'report'> };
  clock: Clock;
  log: Logger;
}

/** What follows from a transition that was committed: the next queue entry, or that of the delivery that reports its end. */
export async function publish(
  d: Pick<PublishDeps, 'producer' | 'log'>,
  { message, letIn, placed }: { message: QueueMessage | null; letIn: readonly QueueMessage[]; placed: DeliveryStart },
): Promise<void> {
  if (message !== null) await d.producer.enqueue(message);
  await publishLetIn(d, letIn);
  if (placed.kind === 'entry') await d.producer.enqueueDelivery(placed);
}

/** Jobs of other entries have left their rooms. Nobody waits for this: an entry that could not be added is added by a repair. */
export async function publishLetIn(d: Pick<PublishDeps, 'producer' | 'log'>, letIn: readonly QueueMessage[]): Promise<void> {
  if (letIn.length === 0) return;
  await d.producer.enqueueLetIn(letIn).catch((err: unknown) => {
    d.log.warn(
      { event: 'job.entry_missing', err, job_ids: letIn.map(({ id }) => id) },
      'jobs that were let in have no queue entries; a periodic task adds them',
    );
  });
}

/**
 * Adds once more what the job waits for, as it stands. Its process died, or failed, after a transition and maybe before its queue entry;
 * without this the job would wait until a periodic task repairs it.
 */
export async function publishAgain(d: Pick<PublishDeps, 'producer'>, job: JobRecord): Promise<void> {
  if (waitsInRoom(job)) return;
  if (!isTerminal(job.status)) return await d.producer.enqueue(messageOf(job));
  const delivery = endDelivery(job, job.status);
  if (delivery !== null) await d.producer.enqueueDelivery(delivery);
}

/**
 * Runs a commit that may end a run. This process makes the first attempt of its webhook at once if it has a free slot and the endpoint a
 * free permit.
 */
export async function withFirstAttempt<J extends PolledJob & Partial<JobRecord>>(
  d: Pick<PublishDeps, 'deliveries'>,
  job: J,
  transition: Transition,
  commit: (attempt: { token?: string | undefined; busy?: boolean | undefined }) => Promise<TransitionResult<J>>,
): Promise<TransitionResult<J>> {
  const { doc, run } = job;
  const ends = transition.kind === 'finish' && doc !== undefined && run !== undefined;
  const delivery = ends ? deliveryAtEnd({ id: job.id, doc, run }, transition.status) : null;
  const reserved = delivery === null ? null : d.deliveries.reserve(job.tenant);
  let placed: DeliveryStart = { kind: 'none' };
  try {
    const result = await commit(reserved?.attempt ?? {});
    if (result.kind === 'ok') placed = result.placed;
    return result;
  } finally {
    reserved?.use(placed);
  }
}

type Reported = Pick<JobRecord, 'id' | 'tenant' | 'run'> & { webhook: JobDoc['webhook'] };

/**
 * Reports the progress of a live job to a caller who asked for it. Fire and forget: a failed write is logged and dropped. Costs nothing
 * for callers who did not ask.
 */
export function reportByWebhook(
  d: PublishDeps,
  { id, tenant, run, webhook }: Reported,
  report: { type: 'job.started' } | { type: 'job.progress'; percent: number },
): void {
  if (!webhook?.events.includes(report.type)) return;
  const send = async () => {
    const entry = await d.store.deliveries.report({ id, tenant, run, url: webhook.url }, report);
    if (entry !== null) await d.producer.enqueueDelivery(entry);
  };
  send().catch((err: unknown) => {
    d.log.warn({ event: 'webhook.not_reported', err, job_id: id, type: report.type }, 'a progress webhook was not written');
  });
}
