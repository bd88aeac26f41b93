import type { Delivery, DeliveryAttempt } from './delivery.ts';
import { subjectOfEvent } from './ids.ts';
import { rfc3339 } from './rfc3339.ts';

const attemptView = ({ at, answer, ...attempt }: DeliveryAttempt, whole: boolean) => ({
  ...attempt,
  at: rfc3339(at),
  ...(whole && answer !== undefined ? { answer } : {}),
});

/** The same as operators see it, who see those of all tenants. */
export function viewAdminDelivery(delivery: Delivery, o: { whole: boolean }) {
  const { links, ...view } = viewDelivery(delivery, o);
  const self = `/admin/v1/webhook-deliveries/${delivery.id}`;
  const { kind, id } = subjectOfEvent(delivery.id);
  const subject = kind === 'batch' ? { batch: `/admin/v1/batches/${id}` } : { job: `/admin/v1/jobs/${id}` };
  const resend = links.resend === undefined ? {} : { resend: `${self}/resend` };
  return { ...view, tenant: delivery.tenant, links: { self, ...subject, ...resend } };
}

/**
 * A webhook delivery as callers see it. What the receiver answered, up to 2 KiB for each attempt, is only in the
 * whole view: a list of them could be megabytes.
 */
export function viewDelivery(delivery: Delivery, { whole }: { whole: boolean }) {
  const subject = subjectOfEvent(delivery.id);
  const self = `/v1/webhook-deliveries/${delivery.id}`;
  return {
    id: delivery.id,
    object: 'webhook_delivery' as const,
    ...(subject.kind === 'job' ? { job_id: subject.id } : { batch_id: subject.id }),
    run: delivery.run,
    type: delivery.type,
    url: delivery.url,
    state: delivery.state,
    // `tries` is the public name of it, and callers read it: it stays.
    tries: delivery.attempts_made,
    attempts: delivery.attempts.map((attempt) => attemptView(attempt, whole)),
    next_attempt_at: rfc3339(delivery.next_attempt_at),
    created_at: rfc3339(delivery.created_at),
    links: {
      self,
      ...(subject.kind === 'job' ? { job: `/v1/jobs/${subject.id}` } : { batch: `/v1/batches/${subject.id}` }),
      ...(delivery.state === 'pending' ? {} : { resend: `${self}/resend` }),
    },
  };
}
