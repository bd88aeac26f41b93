import type { FeedEvent } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';

const STAGE_EVENT = { submitting: 'job.started', generating: 'job.generating', storing: 'job.storing' } as const;

const typeOf = (job: Pick<JobRecord, 'status' | 'stage'>): string =>
  job.status === 'running' && job.stage !== null ? STAGE_EVENT[job.stage] : `job.${job.status}`;

/** One event that stands for all that led to where the job is now. */
const presentState = (job: JobRecord, now: number): FeedEvent => ({
  job_id: job.id,
  seq: job.seq,
  type: typeOf(job),
  status: job.status,
  stage: job.stage,
  run: job.run,
  progress: job.progress,
  at: now,
});

/**
 * The events that somebody who has seen those up to `after` has missed. Where events are not known, one from the
 * record stands for them, so that the state is never missed. A number that was never given counts as none.
 */
export function missedEvents(known: readonly FeedEvent[], job: JobRecord, after: number, now: number): FeedEvent[] {
  const newest = known.at(-1)?.seq ?? 0;
  const seen = after > Math.max(job.seq, newest) ? 0 : after;
  const newer = known.filter(({ seq }) => seq > seen);
  if (job.seq <= seen) return newer;
  const whole = known[0] !== undefined && known[0].seq <= seen + 1;
  if (!whole) return [presentState(job, now), ...newer.filter(({ seq }) => seq > job.seq)];
  // What comes after the known ones may have been trimmed from the stream before it was read.
  return newest < job.seq ? [...newer, presentState(job, now)] : newer;
}
