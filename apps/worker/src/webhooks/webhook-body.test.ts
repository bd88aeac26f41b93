import {
  type BatchRecord,
  type Delivery,
  type Job,
  type JobError,
  type JobRecord,
  JobRequest,
  jobOf,
  newRecord,
} from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { webhookBody } from './webhook-body.ts';

const JOB = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const delivery: Delivery = {
  id: `evt_${JOB.slice(4)}_1_job_failed`,
  tenant: 'acme',
  job_id: JOB,
  batch_id: null,
  run: 1,
  type: 'job.failed',
  url: 'https://a.example',
  state: 'pending',
  step: 1,
  sequence: 7,
  snapshot: null,
  once: null,
  extra: 0,
  asked: false,
  attempts: [],
  attempts_made: 0,
  created_at: 1_800_000_000_000,
  next_attempt_at: null,
};
const CHAT = JobRequest.parse({ type: 'chat', input: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } });
const lost: JobError = { code: 'submit_unknown', message: 'm', retryable: false, stage: 'submitting' };
const record = (more: Partial<JobRecord> = {}): Job =>
  jobOf({
    ...newRecord({ id: JOB, tenant: 'acme', doc: { ...CHAT, on_unknown_submit: 'fail' }, createdAt: 1, turn: 1 }),
    status: 'succeeded',
    run: 2,
    output: { kind: 'chat', completion: { text: 'now' } },
    past: { 1: { status: 'failed', error: lost, output: null, finished_at: 2 } },
    ...more,
  });
const sign = async (key: string, ttlS: number) => ({ url: `https://s3.example/${key}`, expiresAt: 5 + ttlS * 1000 });
const body = async (job: Job | null, more: Partial<Delivery> = {}) =>
  JSON.parse(await webhookBody({ delivery: { ...delivery, ...more }, job, batch: null }, sign));

test('when the job was reopened since then the body reports the run that ended', async () => {
  expect(await body(record())).toMatchObject({
    id: delivery.id,
    type: 'job.failed',
    timestamp: '2027-01-15T08:00:00.000Z',
    sequence: 7,
    data: { id: JOB, status: 'failed', run: 1, result: null, error: { code: 'submit_unknown' } },
  });
});

test('when the whole job would be larger than 20 KiB then the body is thin and still names id and status', async () => {
  const large = record({
    run: 1,
    past: {},
    status: 'failed',
    doc: {
      ...record().doc,
      metadata: {},
      input: { model: 'm', messages: [{ role: 'user', content: 'x'.repeat(21_000) }] },
    } as never,
  });
  const thin = await body(large);
  expect(thin.data).toMatchObject({ id: JOB, status: 'failed', thin: true, links: { self: `/v1/jobs/${JOB}` } });
  expect(JSON.stringify(thin).length).toBeLessThan(20 * 1024);
});

test('when the job was deleted then the body says id, status and deleted', async () => {
  expect(await body(null)).toMatchObject({
    id: delivery.id,
    type: 'job.failed',
    data: { id: JOB, status: 'failed', deleted: true },
  });
});

test('when a progress webhook of a live job is sent after its end then the body reports the job as it was', async () => {
  const progress = {
    id: `evt_${JOB.slice(4)}_2_job_progress_40`,
    type: 'job.progress',
    run: 2,
    sequence: 12,
    snapshot: { status: 'running', stage: 'generating', progress: 40 } as const,
  };
  const sent = await body(record({ progress: 100, finished_at: 3 }), progress);
  expect(sent).toMatchObject({ sequence: 12, data: { status: 'running', stage: 'generating', progress: 40, run: 2 } });
  expect(sent.data).toMatchObject({ result: null, error: null, finished_at: null });
  expect(await body(null, progress)).toMatchObject({ sequence: 12, data: { id: JOB, status: 'running', deleted: true } });
});

test('when a batch was reopened since then the body reports the round that ended, and of a batch that is gone what is known', async () => {
  const ulid = JOB.slice(4);
  const counts = { total: 2, queued: 0, running: 0, succeeded: 1, failed: 1, canceled: 0, expired: 0 };
  const results = { key: 'a/b/results-1.ndjson', bytes: 7, sha256: 'x' };
  const batch: BatchRecord = {
    id: `batch_${ulid}`,
    tenant: 'acme',
    status: 'running',
    counts: { ...counts, running: 1, failed: 0 },
    unknown: 0,
    cost: { charged: 28, refunded: null, reserved: 0, isGuess: false },
    round: 2,
    doc: { metadata: { a: 'b' }, priority: 'normal', expires_in_s: 60, output: { url_ttl_s: 60 } },
    invalid: 0,
    passed_over: 0,
    created_at: 1,
    finished_at: null,
    expires_at: 2,
    results: null,
    past: { 1: { status: 'completed', counts, finished_at: 9, results } },
    webhook: { state: 'pending', last_delivery_id: null },
  };
  const ended = { ...delivery, id: `evt_${ulid}_1_batch_completed`, type: 'batch.completed', job_id: null, batch_id: batch.id };
  const whole = JSON.parse(await webhookBody({ delivery: ended, job: null, batch }, sign));
  expect(whole).toMatchObject({
    sequence: 1,
    data: {
      id: batch.id,
      status: 'completed',
      round: 1,
      counts,
      results_file: { url: 'https://s3.example/a/b/results-1.ndjson' },
    },
  });
  const gone = JSON.parse(await webhookBody({ delivery: ended, job: null, batch: null }, sign));
  expect(gone).toMatchObject({ type: 'batch.completed', data: { id: batch.id, status: 'completed', deleted: true } });
});
