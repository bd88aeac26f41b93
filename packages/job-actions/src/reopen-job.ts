import type { MemoryWatch } from '@grsai-jobs/job-store';
import { budgetMs, type Job, planRetry, type RetryMode, type RetryPlan, type Transition } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { type ChangeDeps, changeJob, type NotChanged } from './change-job.ts';

type Refused = Extract<RetryPlan, { kind: 'refuse' }>;

/** The job in its new run, or why it has none; `full`: Redis is nearly full and a new submit would need room. */
export type Reopened =
  | { kind: 'reopened'; mode: RetryMode; job: Job }
  | { kind: 'refused'; plan: Refused }
  | { kind: 'full' }
  /** It is not in the run that was meant. */
  | { kind: 'other_run'; job: Job }
  | NotChanged;

/**
 * `asRead`: only the job as it was read is meant. One that has changed since is `busy`, and whoever asks has to judge the newest record
 * before it asks again: it can have been run, and have ended as an unknown submit, meanwhile. `run`: only that run is meant.
 */
export type ReopenJob = (job: Job, mode?: RetryMode, o?: { asRead?: boolean; run?: number | undefined }) => Promise<Reopened>;

export interface ReopenDeps extends ChangeDeps {
  memory: Pick<MemoryWatch, 'tight'>;
  clock: Clock;
}

/** Reopens an ended job by the rules of a retry. Of two that do it at once, or of one and a late result, one does it and the other gets a refusal. */
export const createReopenJob =
  (d: ReopenDeps): ReopenJob =>
  async (job, mode, { asRead = false, run: meant } = {}) => {
    let planned: RetryMode = 'resume';
    const decide = (current: Job): Transition | { refuse: Refused | 'full' | { kind: 'other_run'; job: Job } } => {
      if (meant !== undefined && current.run !== meant) return { refuse: { kind: 'other_run', job: current } };
      const plan = planRetry(current, d.clock.now(), mode);
      if (plan.kind === 'refuse') return { refuse: plan };
      if (plan.to === 'queued' && d.memory.tight()) return { refuse: 'full' };
      planned = plan.mode;
      return { kind: 'reopen', to: plan.to, ...(plan.to === 'running/generating' ? { aliveMs: budgetMs() } : {}) };
    };
    const changed = await changeJob(d, job, decide, asRead ? 1 : undefined);
    if (changed.kind === 'refused') {
      const { why } = changed;
      if (why === 'full') return { kind: 'full' };
      return why.kind === 'other_run' ? why : { kind: 'refused', plan: why };
    }
    if (changed.kind !== 'changed') return changed;
    const { id, tenant, run } = changed.job;
    d.log.info({ event: 'job.retry', job_id: id, tenant, run, mode: planned }, 'job reopened');
    return { kind: 'reopened', mode: planned, job: changed.job };
  };
