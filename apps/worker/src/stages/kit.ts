import type { JobStore, MemoryWatch } from '@grsai-jobs/job-store';
import { type Attempt, type FailureCode, type JobRecord, withoutInput } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Backoff, Clock, Logger } from '@grsai-jobs/runtime';
import type { Deliveries } from '../webhooks/deliveries.ts';
import type { StageMetrics } from './metrics.ts';

/** What every stage works with. */
export interface Kit {
  store: JobStore;
  producer: Producer;
  clock: Clock;
  log: Logger;
  metrics: StageMetrics;
  backoff: Backoff;
  shutdown: Shutdown;
  memory: Pick<MemoryWatch, 'tight' | 'critical'>;
  /** A place for the first attempt of a webhook in the process that ends its job. */
  deliveries: Pick<Deliveries, 'reserve'>;
}

/** How a stop reaches open work (P6). */
interface Shutdown {
  /** Fires at SIGTERM: what costs nothing to repeat ends at once. */
  readonly stopping: AbortSignal;
  /** Fires shortly before the deadline: held calls still open are cut. */
  readonly cutting: AbortSignal;
}

/** Writes one line for one try, and counts it. Of what upstream said it leaves out what the caller wrote. */
export function noteAttempt(
  kit: Kit,
  record: Pick<JobRecord, 'id' | 'tenant' | 'doc'>,
  attempt: Attempt,
  more: { retryInMs?: number; reason?: string } = {},
): void {
  kit.metrics.attempts.inc({ stage: attempt.stage, outcome: attempt.outcome, code: attempt.error_code ?? '' });
  const bad = attempt.outcome === 'failed' || attempt.outcome === 'unknown';
  kit.log[bad ? 'warn' : 'info'](
    {
      event: 'job.attempted',
      job_id: record.id,
      tenant: record.tenant,
      model: record.doc.input.model,
      stage: attempt.stage,
      run: attempt.run,
      attempt: attempt.number,
      outcome: attempt.outcome,
      code: attempt.error_code,
      upstream_status: attempt.upstream_status,
      retry_in_ms: more.retryInMs,
      reason: reasonOf(record, attempt, more.reason),
      duration_ms: attempt.ended_at - attempt.started_at,
    },
    'job attempted',
  );
}

/** The words of the `store` stage are our own; all others may be upstream's. */
function reasonOf({ doc }: Pick<JobRecord, 'doc'>, { stage }: Attempt, reason: string | undefined): string | undefined {
  return reason === undefined || stage === 'store' ? reason : withoutInput(reason, doc.input);
}

/** The next attempt of a stage in this run; its number goes on from those before it. */
export function attemptOf(
  record: Pick<JobRecord, 'run' | 'attempts'>,
  stage: Attempt['stage'],
  startedAt: number,
  endedAt: number,
  outcome: Attempt['outcome'],
  more: { code?: FailureCode | string | undefined; status?: number | undefined; base?: string | undefined } = {},
): Attempt {
  const before = record.attempts.filter((each) => each.run === record.run && each.stage === stage);
  return {
    run: record.run,
    stage,
    number: (before.at(-1)?.number ?? 0) + 1,
    started_at: startedAt,
    ended_at: endedAt,
    outcome,
    ...(more.code === undefined ? {} : { error_code: more.code }),
    ...(more.status === undefined ? {} : { upstream_status: more.status }),
    ...(more.base === undefined ? {} : { base: more.base }),
  };
}
