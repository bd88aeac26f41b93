import { BATCH_EVENTS, dottedEventId, eventId, JOB_EVENTS, progressEventId } from '@grsai-jobs/jobs';

/** Each id, and the one that the same event has when it was made by a release before. */
const inBothForms = (ids: readonly string[]): string[] => ids.flatMap((id) => [id, dottedEventId(id)]);

/** The ids of all webhook events that the runs of a job can have had; ids are made from job, run and type. */
export function eventIdsOf(jobId: string, o: { runs: number; progress: boolean }): string[] {
  const percents = Array.from({ length: o.progress ? 100 : 0 }, (_, percent) => percent);
  const ids = Array.from({ length: o.runs }, (_, i) => i + 1).flatMap((run) => [
    ...JOB_EVENTS.map((type) => eventId(jobId, run, type)),
    ...percents.map((percent) => progressEventId(jobId, run, percent)),
  ]);
  return inBothForms(ids);
}

/** The same of the rounds of a batch. */
export const batchEventIdsOf = (batchId: string, rounds: number): string[] =>
  inBothForms(
    Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round) => BATCH_EVENTS.map((type) => eventId(batchId, round, type))),
  );

/** Whether a webhook reports progress: an event for each step of it. */
export const reportsProgress = (webhook: { events: readonly string[] } | undefined): boolean =>
  webhook?.events.includes('job.progress') ?? false;
