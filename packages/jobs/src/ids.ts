/** A job's id: `job_` and a ULID, so that ids sort by time of creation. */
export const JOB_ID = /^job_[0-9A-HJKMNP-TV-Z]{26}$/;

export const jobId = (ulid: string): string => `job_${ulid}`;

/** A batch's id, in the same way. */
export const BATCH_ID = /^batch_[0-9A-HJKMNP-TV-Z]{26}$/;

export const batchId = (ulid: string): string => `batch_${ulid}`;

const ulidOf = (id: string): string => id.slice(id.indexOf('_') + 1);

/**
 * The id of an event, made from what it tells of, so that a second event for the same run and type cannot exist
 * (design §5). It is the `webhook-id` of each try, and the id of its delivery.
 */
export const eventId = (job: string, run: number, type: string): string => `evt_${ulidOf(job)}_${run}_${type}`;

/**
 * The id of a `job.progress` event. Progress never falls within a run, so the percentage tells one from the next, and the
 * same news by two workers is one event.
 */
export const progressEventId = (job: string, run: number, percent: number): string =>
  `${eventId(job, run, 'job.progress')}_${percent}`;

/** What an event's id looks like. */
export const EVENT_ID = /^evt_[0-9A-HJKMNP-TV-Z]{26}_\d{1,9}_[a-z]+\.[a-z]+(_\d{1,3})?$/;

/** What an event tells of. */
export interface Subject {
  kind: 'job' | 'batch';
  id: string;
}

/** What an event id tells of: `evt_<ulid>_<run>_job.…` of a job, `evt_<ulid>_<round>_batch.…` of a batch. */
export function subjectOfEvent(event: string): Subject {
  const [, ulid = '', , type = ''] = event.split('_');
  return type.startsWith('batch.') ? { kind: 'batch', id: batchId(ulid) } : { kind: 'job', id: jobId(ulid) };
}
