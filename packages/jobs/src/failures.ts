/** Whether a failed job was charged by upstream. */
type Paid = 'no' | 'yes' | 'refunded' | 'unknown' | 'maybe';

export interface Failure {
  /** A new run may help. What the caller sees as `error.retryable`. */
  readonly retryable: boolean;
  readonly paid: Paid;
  /** What it means and what to do, for callers; kept in `docs/errors.md` by a test. */
  readonly message: string;
}

/** Every code that a job can end with. `docs/errors.md` has a row for each, held by a test. */
export const FAILURES = {
  content_rejected: {
    retryable: false,
    paid: 'yes',
    message: 'The content policy of the upstream refused the input or the output. Change the prompt or the images.',
  },
  invalid_input: {
    retryable: false,
    paid: 'no',
    message: 'The upstream refused the input. A retry sends the same again: correct it and send a new job.',
  },
  model_unavailable: {
    retryable: true,
    paid: 'no',
    message: 'The model is unknown, not supported or under maintenance. Use another model, or retry later.',
  },
  upstream_auth: {
    retryable: true,
    paid: 'no',
    message: 'The job expired while the upstream refused our key. The operator has to repair it; then retry.',
  },
  upstream_balance: {
    retryable: true,
    paid: 'no',
    message: 'The job expired while the upstream account had no credits. The operator has to top it up; then retry.',
  },
  upstream_rate_limited: {
    retryable: true,
    paid: 'no',
    message: 'The job expired while the upstream limited our rate. Retry, or give the job more time.',
  },
  upstream_unavailable: {
    retryable: true,
    paid: 'no',
    message: 'The upstream could not be reached to the last attempt, or its answer was lost. Retry later.',
  },
  upstream_failed: {
    retryable: true,
    paid: 'refunded',
    message:
      'The upstream failed at the work, or refused it in words that are not known. Retry; if it fails again, change the input.',
  },
  upstream_timeout: {
    retryable: true,
    paid: 'maybe',
    message: 'The task was still running when its time budget was over. A late result reopens the job by itself.',
  },
  upstream_result_lost: {
    retryable: true,
    paid: 'yes',
    message: 'The task or its result can no longer be read from the upstream. A retry with mode "resubmit" pays again.',
  },
  submit_unknown: {
    retryable: false,
    paid: 'unknown',
    message:
      'The answer to the paid call was lost: the upstream may have made and charged the task, and its id is not known. ' +
      'It is submitted again only by a retry with mode "resubmit".',
  },
  storage_failed: {
    retryable: true,
    paid: 'yes',
    message: 'The result could not be stored before its link died. A retry asks the task again while it is readable.',
  },
  deadline_exceeded: {
    retryable: true,
    paid: 'maybe',
    message: 'The job was not done by its expires_at. Retry, or send it with a longer expires_in_s.',
  },
  crashed: {
    retryable: true,
    paid: 'maybe',
    message: 'The process that worked on the job died five times. Tell the operator the job id.',
  },
  internal: {
    retryable: true,
    paid: 'maybe',
    message: 'The service failed five times while it worked on the job. Tell the operator the job id.',
  },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof FAILURES;

export const FAILURE_CODES = Object.keys(FAILURES) as FailureCode[];
