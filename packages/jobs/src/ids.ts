/** A job's id: `job_` and a ULID, so that ids sort by time of creation. */
export const JOB_ID = /^job_[0-9A-HJKMNP-TV-Z]{26}$/;

export const jobId = (ulid: string): string => `job_${ulid}`;

/** A batch's id, in the same way. */
export const BATCH_ID = /^batch_[0-9A-HJKMNP-TV-Z]{26}$/;

export const batchId = (ulid: string): string => `batch_${ulid}`;

/** A file's id, in the same way; of what a batch puts out it ends with `-output` or `-errors`, and has the ULID of the batch. */
export const FILE_ID = /^file-([0-9A-HJKMNP-TV-Z]{26})(?:-(output|errors))?$/;

export const fileId = (ulid: string): string => `file-${ulid}`;

const ulidOf = (id: string): string => id.slice(id.indexOf('_') + 1);

/**
 * The id of an event, made from what it is about, so that a second event for the same run and type cannot exist. It is the
 * `webhook-id` of each attempt, and the id of its delivery. It holds no dot: Standard Webhooks signs `id.timestamp.body`, where
 * one would leave open what ends the id.
 */
export const eventId = (job: string, run: number, type: string): string =>
  `evt_${ulidOf(job)}_${run}_${type.replaceAll('.', '_')}`;

/**
 * The id of a `job.progress` event. Progress never falls within a run, so the percentage distinguishes one from the next, and the
 * same progress reported by two workers is one event.
 */
export const progressEventId = (job: string, run: number, percent: number): string =>
  `${eventId(job, run, 'job.progress')}_${percent}`;

/**
 * The id under which an event was made by a release whose ids held the type with its dot (`…_job.succeeded`). Deliveries keep
 * the id that they were made with for as long as they live.
 */
export const dottedEventId = (id: string): string => id.replace(/_(job|batch)_/, '_$1.');

/** What an event's id looks like, and did in releases before. */
export const EVENT_ID = /^evt_[0-9A-HJKMNP-TV-Z]{26}_\d{1,9}_(?:job|batch)[._][a-z]+(_\d{1,3})?$/;

/** What an event is about. */
export interface Subject {
  kind: 'job' | 'batch';
  id: string;
}

/** What an event id is about: `evt_<ulid>_<run>_job_…` of a job, `evt_<ulid>_<round>_batch_…` of a batch. */
export function subjectOfEvent(event: string): Subject {
  const [, ulid = '', , type = ''] = event.split(/[_.]/);
  return type === 'batch' ? { kind: 'batch', id: batchId(ulid) } : { kind: 'job', id: jobId(ulid) };
}
