import type { JobStore } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { isRetryable } from '@grsai-jobs/webhooks';

/** A result that has waited this long to be stored stops new tasks. */
const WAIT_LIMIT_MS = 10 * 60_000;
/** So many dead links are no accident of one task: then nothing that upstream makes can be fetched. */
const DEAD_LINKS = 10;

/** The file itself is at fault, and not a network or a store. */
function hasDeadLink(job: JobRecord): boolean {
  const last = job.attempts.findLast(({ run, stage }) => run === job.run && stage === 'store');
  const { error_code: code = '', upstream_status: status } = last ?? {};
  return code === 'not_media' || !isRetryable(code, status);
}

/**
 * Whether paid results have waited too long to be stored for more to be paid for (P3). One whose own link is dead is tried for two
 * hours, and does not stop the others.
 */
export function createUnstoredWatch(o: { store: Pick<JobStore, 'sweeps' | 'jobs'>; clock: Clock }): () => Promise<boolean> {
  return async () => {
    const ids = await o.store.sweeps.unstoredBefore(o.clock.now() - WAIT_LIMIT_MS, DEAD_LINKS);
    if (ids.length === DEAD_LINKS) return true;
    for await (const job of o.store.jobs.each(ids)) if (job !== null && !hasDeadLink(job)) return true;
    return false;
  };
}
