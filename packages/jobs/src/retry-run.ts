import type { FailureCode } from './failures.ts';
import type { JobRecord, UnstoredResult } from './job/job.ts';
import { isTerminal } from './job/states.ts';
import { TASK_LIFE_MS } from './poll-pace.ts';

/** What a retry does: go on with what is there, or submit anew. */
export const RETRY_MODES = ['resume', 'resubmit'] as const;
export type RetryMode = (typeof RETRY_MODES)[number];

/** Ends that a task itself came to: there is nothing of it to go on with. */
const TASK_FAILED: readonly string[] = [
  'content_rejected',
  'invalid_input',
  'model_unavailable',
  'upstream_failed',
] satisfies FailureCode[];

export type RetryPlan =
  | { kind: 'reopen'; mode: RetryMode; to: 'queued' | 'running/generating' | 'running/storing' }
  /** The state of the job does not allow it; the text says why, and what does. */
  | { kind: 'refuse'; why: 'live' | 'erasing' | 'succeeded' | 'submit_unknown' | 'nothing_to_resume'; text: string };

type Ended = Pick<JobRecord, 'status' | 'unstored' | 'task' | 'error' | 'lease' | 'doc' | 'erasing'>;

/** Its outputs stand in our own store, whatever has become of their links. */
const isKept = ({ links = [] }: UnstoredResult): boolean => links.length > 0 && links.every(({ stored }) => stored !== undefined);

/** Where a run can go on without a new submit, if anywhere. */
function resumable(job: Ended, now: number): 'running/generating' | 'running/storing' | null {
  if (job.unstored !== null && (now < job.unstored.dies_at || isKept(job.unstored))) return 'running/storing';
  const alive = job.task !== null && now < job.task.submitted_at + TASK_LIFE_MS;
  return alive && !TASK_FAILED.includes(job.error?.code ?? '') ? 'running/generating' : null;
}

/** Whether a task may exist that nobody knows of: said so, or canceled while its submit was lost. */
const mayHaveSubmitted = (job: Ended): boolean =>
  job.error?.code === 'submit_unknown' || (job.lease !== null && job.doc.on_unknown_submit === 'fail');

const refuse = (why: Extract<RetryPlan, { kind: 'refuse' }>['why'], text: string): RetryPlan => ({ kind: 'refuse', why, text });

/** The rules of a retry (design.md §2.8). Without a mode what was paid for goes first; a lost submit is repeated only when asked for. */
export function planRetry(job: Ended, now: number, mode?: RetryMode): RetryPlan {
  if (!isTerminal(job.status))
    return refuse('live', `The job is ${job.status}; only a failed, expired or canceled one can be retried.`);
  if (job.erasing)
    return refuse(
      'erasing',
      'The job is being deleted, and some of what it stored may be gone. Send the DELETE again, or a new job.',
    );
  if (job.status === 'succeeded') return refuse('succeeded', 'The job has succeeded; send a new one for another result.');
  const resumeTo = mode === 'resubmit' ? null : resumable(job, now);
  if (resumeTo !== null) return { kind: 'reopen', mode: 'resume', to: resumeTo };
  if (mode === 'resubmit') return { kind: 'reopen', mode, to: 'queued' };
  if (mayHaveSubmitted(job))
    return refuse(
      'submit_unknown',
      'The answer to the paid submit was lost, so the upstream may have made and charged a task. Send {"mode": "resubmit"} to submit, and perhaps pay, once more.',
    );
  if (mode === 'resume')
    return refuse(
      'nothing_to_resume',
      'Neither an output nor a living upstream task is left to go on with. Send {"mode": "resubmit"}.',
    );
  return { kind: 'reopen', mode: 'resubmit', to: 'queued' };
}
