import { type Delivery, type JobError, type JobRecord, JobRequest, newRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { webhookBody } from './webhook-body.ts';

const JOB = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const delivery: Delivery = {
  id: `evt_${JOB.slice(4)}_1_job.failed`,
  tenant: 'acme',
  job_id: JOB,
  run: 1,
  type: 'job.failed',
  url: 'https://a.example',
  state: 'pending',
  step: 1,
  attempts: [],
  tries: 0,
  created_at: 1_800_000_000_000,
  next_attempt_at: null,
};
const CHAT = JobRequest.parse({ type: 'chat', input: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } });
const lost: JobError = { code: 'submit_unknown', message: 'm', retryable: false, stage: 'submitting' };
const record = (more: Partial<JobRecord> = {}): JobRecord => ({
  ...newRecord({ id: JOB, tenant: 'acme', doc: { ...CHAT, on_unknown_submit: 'fail' }, createdAt: 1, turn: 1 }),
  status: 'succeeded',
  run: 2,
  output: { kind: 'chat', completion: { text: 'now' } },
  past: { 1: { status: 'failed', error: lost, output: null, finished_at: 2 } },
  ...more,
});
const sign = async (key: string) => `https://s3.example/${key}`;
const body = async (job: JobRecord | null) => JSON.parse(await webhookBody(delivery, job, sign, 5));

test('when the job was reopened since then the body tells of the run that ended', async () => {
  expect(await body(record())).toMatchObject({
    id: delivery.id,
    type: 'job.failed',
    timestamp: '2027-01-15T08:00:00.000Z',
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
