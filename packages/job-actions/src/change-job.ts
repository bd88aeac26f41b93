import type { JobStore } from '@grsai-jobs/job-store';
import type { Job, Transition } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Logger } from '@grsai-jobs/runtime';

export interface ChangeDeps {
  store: { transitions: Pick<JobStore['transitions'], 'commit'>; jobs: Pick<JobStore['jobs'], 'read'> };
  producer: Pick<Producer, 'enqueue' | 'enqueueLetIn' | 'enqueueDelivery'>;
  log: Logger;
}

/** A job changes state a handful of times in its life, so somebody who loses this often is asked to come back. */
const TRIES = 8;

/** The job is gone, or changes too fast at this moment to be acted on. */
export type NotChanged = { kind: 'missing' } | { kind: 'busy' };

export type Changed<R> = { kind: 'changed'; job: Job; transition: Transition } | { kind: 'refused'; why: R } | NotChanged;

/**
 * The way of everything that changes a job from outside its stages: decide on the job as it was read, commit, and when somebody else was
 * first read and decide again. Once the transition is committed the answer is yes: a queue entry that could not be added is added by a
 * periodic task.
 *
 * @param decide a transition, or why there is none.
 * @param tries 1: only the job as it was read is meant; one that has changed since is `busy`.
 */
export async function changeJob<R>(
  d: ChangeDeps,
  job: Job,
  decide: (job: Job) => Transition | { refuse: R },
  tries = TRIES,
): Promise<Changed<R>> {
  for (let n = 0, current: Job | null = job; n < tries; n += 1, current = await d.store.jobs.read(job.id)) {
    if (current === null) return { kind: 'missing' };
    const transition = decide(current);
    if ('refuse' in transition) return { kind: 'refused', why: transition.refuse };
    const result = await d.store.transitions.commit(current, transition);
    if (result.kind !== 'ok') continue;
    const { message, letIn, placed } = result;
    const added = [
      ...(message === null ? [] : [d.producer.enqueue(message)]),
      ...(letIn.length === 0 ? [] : [d.producer.enqueueLetIn(letIn)]),
      ...(placed.kind === 'entry' ? [d.producer.enqueueDelivery(placed)] : []),
    ];
    await Promise.all(added).catch((err: unknown) =>
      d.log.warn({ event: 'job.entry_missing', err, job_id: job.id }, 'its queue entry was not added; a periodic task adds it'),
    );
    return { kind: 'changed', job: result.job as Job, transition };
  }
  return { kind: 'busy' };
}
