/** The words of `packages/jobs`, which a browser cannot import; a test holds them against each other. */
export const CODES = [
  'content_rejected',
  'invalid_input',
  'model_unavailable',
  'upstream_auth',
  'upstream_balance',
  'upstream_rate_limited',
  'upstream_unavailable',
  'upstream_failed',
  'upstream_timeout',
  'upstream_result_lost',
  'submit_unknown',
  'storage_failed',
  'deadline_exceeded',
  'crashed',
  'internal',
];

export const STAGES = ['submitting', 'generating', 'storing'];

export const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'canceling', 'canceled', 'expired'];
