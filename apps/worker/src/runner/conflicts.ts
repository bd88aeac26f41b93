import type { Conflict } from '@grsai-jobs/job-store';
import type { State, Transition } from '@grsai-jobs/jobs';

/** What is done when a transition meets a job that somebody else has changed. */
export type Resolution =
  /** The job was to be canceled, and this is the end of what was in flight. */
  | 'finish_canceled'
  /** Its run was given up for dead; what was paid for proves otherwise, and a new run goes on with it. */
  | 'reopen_late'
  /** The task that was paid for is recorded, for the late polls. */
  | 'record_task'
  /** The run has ended, and its call has come to nothing that it could go on with: what that cost is known by now. */
  | 'settle_call'
  /** The transition does not matter any more. */
  | 'drop';

interface Row {
  readonly wanted: readonly Transition['kind'][];
  /** States in which the job was found; `any`: also another step or lease, or no record. */
  readonly found: readonly State[] | 'any';
  readonly as: Resolution;
}

/** Read from the top; the one place that decides. A synchronous result of a canceling job is no conflict: the table of transitions allows it. */
const CONFLICTS: readonly Row[] = [
  { wanted: ['release', 'task_accepted', 'finish'], found: ['canceling/submitting'], as: 'finish_canceled' },
  { wanted: ['retry_storing'], found: ['canceling/storing'], as: 'finish_canceled' },
  { wanted: ['task_accepted', 'start_storing', 'finish'], found: ['failed'], as: 'reopen_late' },
  { wanted: ['task_accepted'], found: 'any', as: 'record_task' },
  { wanted: ['release', 'start_storing', 'finish'], found: ['failed', 'canceled', 'expired'], as: 'settle_call' },
];

export function resolve(wanted: Transition, found: Conflict): Resolution {
  const state = found.kind === 'wrong' ? found.state : null;
  const isMet = ({ found: states }: Row) => states === 'any' || (state !== null && states.includes(state));
  // An end that brings nothing has nothing to reopen a job with.
  const bringsNothing = wanted.kind === 'finish' && wanted.status !== 'succeeded';
  const row = CONFLICTS.find(
    (each) => each.wanted.includes(wanted.kind) && isMet(each) && !(each.as === 'reopen_late' && bringsNothing),
  );
  return row?.as ?? 'drop';
}
