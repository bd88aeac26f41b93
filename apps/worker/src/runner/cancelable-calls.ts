import type { JobStore } from '@grsai-jobs/job-store';

/** One call of this process that a caller may want to stop. */
interface Cancelable {
  /** Aborts when the job is canceled. */
  readonly signal: AbortSignal;
  /** The call is over. */
  close(): void;
}

export interface CancelableCalls {
  /** Opened before the lease is taken, so that a cancel that comes right after it finds the call. */
  open(jobId: string): Cancelable;
  cancel(jobId: string): void;
  /** Aborts calls whose cancel message was missed: the records say which. */
  catchUp(jobs: Pick<JobStore['jobs'], 'heads'>): Promise<void>;
}

/** The synchronous calls in flight of this process by job. */
export function createCancelableCalls(): CancelableCalls {
  const calls = new Map<string, Set<AbortController>>();
  const cancel = (jobId: string) => {
    for (const call of calls.get(jobId) ?? []) call.abort();
  };
  return {
    open(jobId) {
      const call = new AbortController();
      const ofJob = calls.get(jobId) ?? new Set();
      calls.set(jobId, ofJob.add(call));
      return {
        signal: call.signal,
        close: () => {
          ofJob.delete(call);
          if (ofJob.size === 0 && calls.get(jobId) === ofJob) calls.delete(jobId);
        },
      };
    },
    cancel,
    async catchUp(jobs) {
      if (calls.size === 0) return;
      for (const head of await jobs.heads([...calls.keys()])) if (head?.status === 'canceling') cancel(head.id);
    },
  };
}
