import type { EventFeed, FeedEvent, JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Timers } from '@grsai-jobs/runtime';

/** Answers the job when it has ended, or as it is when `ms` are over, nobody waits any more, or this process stops. */
export type WaitForEnd = (job: JobRecord, ms: number, gone: AbortSignal) => Promise<JobRecord>;

/** Whoever had to read the record and could not reads it again so much later. */
const READ_AGAIN_MS = 500;

/** Waits in memory: no request to Redis is made until the event of the end arrives. */
export function createWaitForEnd(o: {
  feed: EventFeed;
  jobs: Pick<JobStore['jobs'], 'read'>;
  timers: Pick<Timers, 'after'>;
}): WaitForEnd {
  const endOrLimit = async (job: JobRecord, ms: number, gone: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = (event: FeedEvent | undefined) => {
      if (event !== undefined && event.seq > job.seq && isTerminal(event.status)) resolve();
    };
    let over = false;
    let endPause: (() => void) | undefined;
    // No event may ever come again, so the record is read until it can be.
    const missed = async () => {
      endPause?.();
      endPause = undefined;
      const now = await o.jobs.read(job.id).catch(() => 'away' as const);
      if (over) return;
      if (now === 'away') endPause ??= o.timers.after(READ_AGAIN_MS, () => void missed());
      else if (now !== null && isTerminal(now.status)) resolve();
    };
    if (gone.aborted) return;
    const endWait = o.timers.after(ms, resolve);
    const stop = o.feed.watch(job.id, { event: ended, missed: () => void missed(), end: resolve });
    const left = () => resolve();
    gone.addEventListener('abort', left);
    ended(o.feed.known(job.id).at(-1));
    await promise;
    over = true;
    endPause?.();
    gone.removeEventListener('abort', left);
    endWait();
    stop();
  };

  return async (job, ms, gone) => {
    if (isTerminal(job.status)) return job;
    await endOrLimit(job, ms, gone);
    // The job is accepted whatever becomes of this reading.
    return (await o.jobs.read(job.id).catch(() => null)) ?? job;
  };
}
