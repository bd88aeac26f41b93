import { eventId, JOB_EVENTS, progressEventId } from '@grsai-jobs/jobs';

/** The ids of all webhook events that the runs of a job can have had; ids are made from job, run and type. */
export function eventIdsOf(jobId: string, o: { runs: number; progress: boolean }): string[] {
  const percents = Array.from({ length: o.progress ? 100 : 0 }, (_, percent) => percent);
  return Array.from({ length: o.runs }, (_, i) => i + 1).flatMap((run) => [
    ...JOB_EVENTS.map((type) => eventId(jobId, run, type)),
    ...percents.map((percent) => progressEventId(jobId, run, percent)),
  ]);
}

/** Whether a webhook tells of progress: an event for each step of it. */
export const tellsProgress = (webhook: { events: readonly string[] } | undefined): boolean =>
  webhook?.events.includes('job.progress') ?? false;
