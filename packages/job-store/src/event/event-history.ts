import type { Stage, Status } from '@grsai-jobs/jobs';

/** Something that happened to a job, as the shared stream has it. */
export interface FeedEvent {
  job_id: string;
  /** Counts the events of a job from 1, over all its runs. */
  seq: number;
  type: string;
  status: Status;
  stage: Stage | null;
  run: number;
  progress: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** The newest events of all jobs in memory, found by job; the oldest are forgotten first. */
export function createEventHistory(keep: number) {
  const byJob = new Map<string, FeedEvent[]>();
  const ring: string[] = [];
  let next = 0;

  function forgetOldest(): void {
    const job = ring[next];
    if (job === undefined) return;
    const events = byJob.get(job);
    events?.shift();
    if (events?.length === 0) byJob.delete(job);
  }

  return {
    add(event: FeedEvent): void {
      forgetOldest();
      ring[next] = event.job_id;
      next = (next + 1) % keep;
      const events = byJob.get(event.job_id) ?? [];
      // The stream was trimmed before it was read, or Redis lost its newest lines: what is before a gap is of no use.
      if (events.at(-1)?.seq !== event.seq - 1) events.length = 0;
      events.push(event);
      byJob.set(event.job_id, events);
    },
    clear(): void {
      byJob.clear();
      ring.length = 0;
      next = 0;
    },
    /** What is still known of a job, oldest first, without gaps. */
    of: (jobId: string): readonly FeedEvent[] => byJob.get(jobId) ?? [],
  };
}
