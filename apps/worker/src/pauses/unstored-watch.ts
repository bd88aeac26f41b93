import type { JobStore } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';

/** A result that has waited this long for our store stops new tasks. */
const WAIT_LIMIT_MS = 10 * 60_000;
const AT_ONCE = 200;

/** The last store failed at our own store, or there was none yet: what a file or its host does is no reason to stop others. */
function waitsForUs(job: JobRecord): boolean {
  const last = job.attempts.findLast(({ run, stage }) => run === job.run && stage === 'store');
  return last === undefined || last.error_code === 'storage_failed';
}

/** Whether paid results have waited for our store too long for more to be paid for (P3), however many others wait for theirs. */
export function createUnstoredWatch(o: { store: Pick<JobStore, 'sweeps' | 'jobs'>; clock: Clock }): () => Promise<boolean> {
  return async () => {
    const before = o.clock.now() - WAIT_LIMIT_MS;
    for (let skip = 0; ; skip += AT_ONCE) {
      const ids = await o.store.sweeps.unstoredBefore(before, { skip, limit: AT_ONCE });
      for await (const job of o.store.jobs.each(ids)) if (job !== null && waitsForUs(job)) return true;
      if (ids.length < AT_ONCE) return false;
    }
  };
}
