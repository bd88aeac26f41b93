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

/** The job that an event id tells of. */
export const jobOfEvent = (event: string): string => jobId(event.split('_')[1] ?? '');
