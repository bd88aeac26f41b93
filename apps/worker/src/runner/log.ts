import { endLine } from '@grsai-jobs/job-actions';
import { type JobRecord, type NewAttempt, numbered, withoutInput } from '@grsai-jobs/jobs';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';

export interface LogDeps {
  clock: Clock;
  log: Logger;
  metrics: WorkerMetrics;
}

/** Logs and counts the end of a run. */
export function logEnd({ clock, log, metrics }: LogDeps, job: JobRecord): void {
  metrics.ended.inc({ type: job.doc.type, status: job.status, code: job.error?.code ?? '' });
  log.info(endLine(job, clock.now()), `job ${job.status}`);
}

/** Counts an attempt, and logs it at `debug`; at `warn` when it may have been paid for in vain. Leaves out what the caller wrote. */
export function logAttempt(
  { log, metrics }: LogDeps,
  job: Pick<JobRecord, 'id' | 'tenant' | 'doc' | 'run' | 'attempts'>,
  attempt: NewAttempt,
  more: { retryInMs?: number | undefined; reason?: string | undefined } = {},
): void {
  metrics.attempts.inc({ stage: attempt.stage, outcome: attempt.outcome, code: attempt.error_code ?? '' });
  const level = attempt.outcome === 'unknown' ? 'warn' : 'debug';
  if (!log.isLevelEnabled(level)) return;
  const { run, number } = numbered(job, attempt);
  log[level](
    {
      event: 'job.attempted',
      job_id: job.id,
      tenant: job.tenant,
      model: job.doc.input.model,
      stage: attempt.stage,
      run,
      attempt: number,
      outcome: attempt.outcome,
      code: attempt.error_code,
      upstream_status: attempt.upstream_status,
      retry_in_ms: more.retryInMs,
      reason: reasonOf(job, attempt, more.reason),
      duration_ms: attempt.ended_at - attempt.started_at,
    },
    'job attempted',
  );
}

/** The words of the `store` stage are our own; all others may be upstream's. */
function reasonOf({ doc }: Pick<JobRecord, 'doc'>, { stage }: NewAttempt, reason: string | undefined): string | undefined {
  return reason === undefined || stage === 'store' ? reason : withoutInput(reason, doc.input);
}
