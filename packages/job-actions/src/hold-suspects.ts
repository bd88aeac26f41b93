import type { JobStore } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';

/** What waits for its call and is not to be called twice, images mostly: a call of theirs may have been made and forgotten. */
const isSuspect = (job: JobRecord | null): job is JobRecord =>
  job !== null && job.status === 'queued' && job.doc.on_unknown_submit === 'fail';

/** Holds every job that may have been paid for already, of those that are queued now. Answers how many are held by this. */
export async function holdSuspects(d: {
  store: { suspects: Pick<JobStore['suspects'], 'liveIds' | 'hold'>; jobs: Pick<JobStore['jobs'], 'heads' | 'each'> };
  clock: Clock;
}): Promise<number> {
  let count = 0;
  for await (const ids of d.store.suspects.liveIds()) {
    const heads = await d.store.jobs.heads(ids);
    const queued = heads.flatMap((head) => (head?.status === 'queued' ? [head.id] : []));
    const held: string[] = [];
    for await (const job of d.store.jobs.each(queued)) if (isSuspect(job)) held.push(job.id);
    await d.store.suspects.hold(held, d.clock.now());
    count += held.length;
  }
  return count;
}
