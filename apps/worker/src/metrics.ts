import type { Metrics } from '@grsai-jobs/runtime';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export const createWorkerMetrics = (metrics: Metrics) => ({
  attempts: metrics.counter('attempts_total', 'Attempts at calls, submits and stores, and polls that failed', [
    'stage',
    'outcome',
    'code',
  ]),
  ended: metrics.counter('jobs_ended_total', 'Runs that ended', ['type', 'status', 'code']),
  webhookAttempts: metrics.counter('webhook_attempts_total', 'Webhook attempts by what they came to', ['outcome', 'phase']),
  waits: metrics.counter('webhook_waits_total', 'Deliveries that wait in the room of their endpoint, by what they wait for', [
    'why',
  ]),
  endpoints: metrics.counter('webhook_endpoints_total', 'Receivers whose breaker opened or closed, or that were disabled', [
    'became',
  ]),
  repairs: metrics.counter('repairs_total', 'Entries that were gone and were added again', ['kind']),
  probes: metrics.counter('probes_total', 'Probes that said that the trouble of a pause is over', ['reason']),
  paused: metrics.gauge('paused', 'Whether a queue is paused for a reason', ['queue', 'reason']),
  late: metrics.counter('late_results_total', 'Ended runs whose task succeeded after all'),
  erased: metrics.counter('records_erased_total', 'Ended jobs older than RETENTION_DAYS'),
  catalogueReads: metrics.counter('catalogue_reads_total', "Reads of upstream's list of models", ['outcome']),
  primaryChanges: metrics.counter(
    'primary_changes_total',
    'Other servers that became the primary of Redis, as this worker saw it',
  ),
  crashes: metrics.counter('crashes_total', 'Stages that threw, or whose process died', ['kind', 'stage']),
});
