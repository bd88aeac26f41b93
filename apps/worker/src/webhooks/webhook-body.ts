import type { DeliveryContext } from '@grsai-jobs/job-store';
import {
  type Delivery,
  type JobRecord,
  rfc3339,
  type SignLink,
  type Subject,
  subjectOfEvent,
  viewBatch,
  viewJob,
} from '@grsai-jobs/jobs';

/** A body is at most this large; what is larger is sent thin, with links. */
const MAX_BODY_BYTES = 20 * 1024;

/** The record as it stood at the end of the run that the delivery reports, or as it was when its progress was reported. */
function asReportedBy(record: JobRecord, { run, snapshot }: Delivery): JobRecord {
  if (snapshot !== null) return { ...record, ...snapshot, run, error: null, output: null, finished_at: null, attempts: [] };
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

/** `data` of a body: whole, and ever thinner for one that would be too large. `id` and `status` are in each. */
type Data = (reported: DeliveryContext, sign: SignLink) => Promise<readonly object[]>;

async function jobData({ delivery, job }: DeliveryContext, sign: SignLink): Promise<readonly object[]> {
  if (job === null) {
    const status = delivery.snapshot?.status ?? delivery.type.slice('job.'.length);
    return [{ id: subjectOfEvent(delivery.id).id, status, deleted: true }];
  }
  const view = await viewJob(asReportedBy(job, delivery), sign);
  const { input: _input, result: _result, attempts: _attempts, ...thin } = view;
  const { id, status, run, links } = thin;
  return [view, { ...thin, thin: true }, { id, status, run, links, thin: true }];
}

/** A batch as it stood at the end of the round that the delivery reports; its results file stays, but for what was erased. */
async function batchData({ delivery, batch }: DeliveryContext, sign: SignLink): Promise<readonly object[]> {
  if (batch === null) {
    const status = delivery.type.slice('batch.'.length);
    return [{ id: subjectOfEvent(delivery.id).id, status, deleted: true }];
  }
  const past = batch.past[delivery.run];
  const view = await viewBatch(past === undefined ? batch : { ...batch, ...past, round: delivery.run }, sign);
  const { metadata: _metadata, ...thin } = view;
  return [view, { ...thin, thin: true }];
}

/** Who writes the `data` of an event, by what it reports. */
const DATA: Record<Subject['kind'], Data> = { job: jobData, batch: batchData };

/**
 * The body of one webhook try, built for each try from the record, so that its links are signed afresh.
 * `sequence` puts the events of one job in order; those of a batch are its rounds.
 */
export async function webhookBody(context: DeliveryContext, sign: SignLink): Promise<string> {
  const { delivery } = context;
  const { kind } = subjectOfEvent(delivery.id);
  const sequence = kind === 'batch' ? delivery.run : (delivery.sequence ?? context.job?.seq ?? 0);
  const envelope = {
    id: delivery.id,
    type: delivery.type,
    timestamp: rfc3339(delivery.created_at),
    sequence,
  };
  let body = '';
  for (const each of await DATA[kind](context, sign)) {
    body = JSON.stringify({ ...envelope, data: each });
    if (Buffer.byteLength(body) <= MAX_BODY_BYTES) break;
  }
  return body;
}
