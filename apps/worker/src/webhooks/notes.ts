import type { Opened, Settled } from '@grsai-jobs/job-store';
import type { Delivery } from '@grsai-jobs/jobs';
import type { Logger } from '@grsai-jobs/runtime';
import type { NextAttempt } from '@grsai-jobs/webhooks';
import type { WorkerMetrics } from '../metrics.ts';

/** Where attempts are logged and counted. */
interface NoteDeps {
  log: Logger;
  metrics: Pick<WorkerMetrics, 'webhookAttempts' | 'endpoints'>;
}

const idsOf = (delivery: Delivery) => ({
  delivery_id: delivery.id,
  ...(delivery.job_id === null ? {} : { job_id: delivery.job_id }),
  ...(delivery.batch_id === null ? {} : { batch_id: delivery.batch_id }),
  tenant: delivery.tenant,
});

/** One line and one count for one attempt. */
export function noteAttempt(d: NoteDeps, delivery: Delivery, attempt: Delivery['attempts'][number], next: NextAttempt): void {
  d.metrics.webhookAttempts.inc({ outcome: next.state, phase: attempt.phase });
  d.log[attempt.ok ? 'debug' : 'warn'](
    {
      event: 'webhook.attempted',
      ...idsOf(delivery),
      attempt: attempt.number,
      outcome: next.state,
      phase: attempt.phase,
      status: attempt.status,
      reason: attempt.error,
      retry_in_ms: next.state === 'pending' ? next.waitMs : undefined,
      duration_ms: attempt.duration_ms,
    },
    'webhook attempted',
  );
}

export function noteSkipped(d: NoteDeps, skipped: Extract<Opened, { kind: 'skipped' }>, endpoint: string): void {
  const { delivery, state } = skipped;
  d.metrics.webhookAttempts.inc({ outcome: 'skipped', phase: '' });
  d.log.warn({ event: 'webhook.skipped', ...idsOf(delivery), endpoint, state }, 'no attempt was made');
}

export function noteCrashed(d: NoteDeps, delivery: Delivery): void {
  d.metrics.webhookAttempts.inc({ outcome: 'failed', phase: '' });
  d.log.error({ event: 'webhook.crashed', ...idsOf(delivery) }, 'workers died with this webhook in their hands: it is set aside');
}

const BECAME = {
  opened: { level: 'warn', text: 'a receiver fails: no attempts to it but a probe now and then' },
  closed: { level: 'info', text: 'a receiver is back' },
  disabled: { level: 'warn', text: 'a receiver is disabled: new webhooks to it are skipped' },
} as const;

export function noteEndpoint(d: NoteDeps, delivery: Delivery, endpoint: string, became: Settled['endpoint']): void {
  if (became === '') return;
  const { level, text } = BECAME[became];
  d.metrics.endpoints.inc({ became });
  d.log[level]({ event: `endpoint.${became}`, endpoint, ...idsOf(delivery) }, text);
}
