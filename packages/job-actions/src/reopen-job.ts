import type { JobStore, MemoryWatch } from '@grsai-jobs/job-store';
import { budgetMs, type JobRecord, planRetry, type RetryMode, type RetryPlan, type Stage, type Status } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { moveOn, type NotMoved } from './move-on.ts';

/** The job in its new run, or why it has none; `full`: Redis is nearly full and a new submit would need room. */
export type Reopened =
  | { kind: 'reopened'; mode: RetryMode; record: JobRecord }
  | { kind: 'refused'; plan: Extract<RetryPlan, { kind: 'refuse' }> }
  | { kind: 'full' }
  | NotMoved;

/**
 * `asRead`: only the job as this record has it is meant. One that has moved on since is `busy`, and whoever asks has to
 * judge the newest record before it asks again: it can have been run, and have ended as an unknown submit, meanwhile.
 */
export type ReopenJob = (record: JobRecord, mode?: RetryMode, o?: { asRead: boolean }) => Promise<Reopened>;

/**
 * Reopens an ended job (design §2 "Retry"). Of two that do it at once, or of one and a late result, one does it and the
 * other is told.
 */
export function createReopenJob(o: {
  store: JobStore;
  producer: Producer;
  memory: Pick<MemoryWatch, 'tight'>;
  clock: Clock;
  log: Logger;
}): ReopenJob {
  const { moves, jobs } = o.store;

  async function reopen(record: JobRecord, mode: RetryMode | undefined): Promise<Reopened | null> {
    const now = o.clock.now();
    const plan = planRetry(record, now, mode);
    if (plan.kind === 'refuse') return { kind: 'refused', plan };
    if (plan.to === 'queued' && o.memory.tight()) return { kind: 'full' };
    const moved = await moves.reopen(record, {
      to: plan.to,
      ...(plan.to === 'running/generating' ? { aliveUntil: now + budgetMs() } : {}),
    });
    if (moved.kind !== 'ok') return null;
    const reopened = { ...inNewRun(record, plan.to, now), step: moved.step, turn: moved.turn };
    await o.producer.enqueue(reopened).catch((err: unknown) => {
      o.log.warn({ event: 'job.entry_missing', err, job_id: record.id }, 'reopened; the entry is added by maintain');
    });
    o.log.info(
      { event: 'job.retry', job_id: record.id, tenant: record.tenant, run: reopened.run, mode: plan.mode },
      'job reopened',
    );
    return { kind: 'reopened', mode: plan.mode, record: reopened };
  }

  return (record, mode, { asRead } = { asRead: false }) =>
    moveOn<Reopened>(jobs, record, (current) => reopen(current, mode), asRead ? 1 : undefined);
}

/** The record as the move has just left it; reading it back could fail when the move has not. */
function inNewRun(record: JobRecord, to: Extract<RetryPlan, { kind: 'reopen' }>['to'], now: number): JobRecord {
  const [status, stage = null] = to.split('/') as [Status, Stage?];
  return {
    ...record,
    status,
    stage,
    run: record.run + 1,
    progress: 0,
    error: null,
    output: null,
    finished_at: null,
    spent: 0,
    crashes: 0,
    sent: null,
    expires_at: now + record.doc.expires_in_s * 1000,
    ...(to === 'queued' ? { base: null, task_id: null, submitted_at: null, pending: null, late_result: false } : {}),
  };
}
