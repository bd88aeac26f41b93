import type { Metrics } from '@grsai-jobs/runtime';

export type StageMetrics = ReturnType<typeof createStageMetrics>;

export const createStageMetrics = (metrics: Metrics) => ({
  attempts: metrics.counter('attempts_total', 'Tries at calls, submits, looks that failed, and stores', [
    'stage',
    'outcome',
    'code',
  ]),
  ended: metrics.counter('jobs_ended_total', 'Runs that ended', ['type', 'status', 'code']),
  tries: metrics.counter('webhook_tries_total', 'Webhook tries by what they came to', ['outcome', 'phase']),
  repairs: metrics.counter('repairs_total', 'Entries that were gone and were added again', ['kind']),
  crashes: metrics.counter('crashes_total', 'Stages that threw, or whose process died', ['kind', 'stage']),
});
