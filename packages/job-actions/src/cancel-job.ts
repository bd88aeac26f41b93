import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type Job, type State, stateIn, TRANSITIONS, type Transition } from '@grsai-jobs/jobs';
import { type ChangeDeps, changeJob, type NotChanged } from './change-job.ts';
import { endLine } from './end-of-run.ts';

/** `canceled` at once, `canceling` while a call is in flight or a result is being stored; `ended`: there was nothing left to cancel. */
export type Canceled = { kind: 'canceled' | 'canceling' | 'ended'; job: Job } | NotChanged;

export type CancelJob = (job: Job) => Promise<Canceled>;

export interface CancelDeps extends ChangeDeps {
  store: ChangeDeps['store'] & { cancels: Pick<JobStore['cancels'], 'send'> };
}

type Refusal = { kind: 'canceling' | 'ended'; job: Job };

function decide(job: Job): Transition | { refuse: Refusal } {
  if (isTerminal(job.status)) return { refuse: { kind: 'ended', job } };
  if (job.status === 'canceling') return { refuse: { kind: 'canceling', job } };
  const atOnce = (TRANSITIONS.cancel.from as readonly State[]).includes(stateIn(job));
  return { kind: atOnce ? 'cancel' : 'request_cancel' };
}

/** Cancels a job wherever it is. The worker whose call is in flight is notified; one that misses the message finds it in the record. */
export const createCancelJob =
  (d: CancelDeps): CancelJob =>
  async (job) => {
    const changed = await changeJob(d, job, decide);
    if (changed.kind === 'refused') return changed.why;
    if (changed.kind !== 'changed') return changed;
    const kind = changed.job.status === 'canceled' ? 'canceled' : 'canceling';
    if (kind === 'canceling')
      await d.store.cancels
        .send(job.id)
        .catch((err: unknown) =>
          d.log.warn({ event: 'job.hint_missing', err, job_id: job.id }, 'the worker was not notified of a cancel'),
        );
    if (kind === 'canceled') d.log.info(endLine(changed.job, changed.job.finished_at ?? 0), 'job canceled');
    else d.log.info({ event: 'job.cancel', job_id: job.id, tenant: job.tenant }, 'job is being canceled');
    return { kind, job: changed.job };
  };
