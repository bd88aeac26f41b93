import { type Delivery, type JobRecord, type SignLink, viewJob } from '@grsai-jobs/jobs';

/** A body is at most this large; what is larger is sent thin, with links (design §5). */
const MAX_BODY_BYTES = 20 * 1024;

/** The record as it stood at the end of the run that the delivery tells of. */
function asOfRun(record: JobRecord, run: number): JobRecord {
  const past = record.past[run];
  if (run === record.run || past === undefined) return record;
  return {
    ...record,
    run,
    stage: null,
    status: past.status,
    error: past.error,
    output: past.output,
    finished_at: past.finished_at,
  };
}

/**
 * The body of one webhook try, built for each try from the record, so that its links are signed afresh.
 * `data.id` and `data.status` are in every body.
 */
export async function webhookBody(delivery: Delivery, record: JobRecord | null, sign: SignLink, now: number): Promise<string> {
  const envelope = { id: delivery.id, type: delivery.type, timestamp: new Date(delivery.created_at).toISOString() };
  const status = delivery.type.slice(delivery.type.indexOf('.') + 1);
  if (record === null) return JSON.stringify({ ...envelope, data: { id: delivery.job_id, status, deleted: true } });
  const view = await viewJob(asOfRun(record, delivery.run), sign, now);
  const whole = JSON.stringify({ ...envelope, data: view });
  if (Buffer.byteLength(whole) <= MAX_BODY_BYTES) return whole;
  const { input: _input, result: _result, attempts: _attempts, ...thin } = view;
  const small = JSON.stringify({ ...envelope, data: { ...thin, thin: true } });
  if (Buffer.byteLength(small) <= MAX_BODY_BYTES) return small;
  const { id, run, links } = thin;
  return JSON.stringify({ ...envelope, data: { id, status: thin.status, run, links, thin: true } });
}
