import { expect, test } from 'vitest';
import { type Delivery, type JobDoc, type JobRecord, JobRequest, jobError, newRecord, timelineOf } from './index.ts';

const doc: JobDoc = {
  ...JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'x' } }),
  on_unknown_submit: 'fail',
};
const job: JobRecord = {
  ...newRecord({ id: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D', tenant: 'acme', doc, createdAt: 1000, turn: 1 }),
  started_at: 1100,
};
const delivery: Delivery = {
  id: 'evt_1',
  tenant: 'acme',
  job_id: job.id,
  run: 1,
  type: 'job.failed',
  url: 'https://a.example',
  state: 'pending',
  step: 1,
  attempts: [{ number: 1, at: 2600, duration_ms: 5, ok: false, phase: 'connect', error: 'refused', answer: 'long' }],
  attempts_made: 1,
  created_at: 2500,
  next_attempt_at: 9000,
  batch_id: null,
  sequence: null,
  snapshot: null,
  once: null,
  extra: 0,
  asked: false,
};

test('when a job failed, notified its caller and runs again then the timeline has all of it in order', () => {
  const record: JobRecord = {
    ...job,
    status: 'running',
    stage: 'generating',
    run: 2,
    attempts: [
      { run: 1, stage: 'submit', number: 1, started_at: 1100, ended_at: 1200, outcome: 'accepted' },
      { run: 2, stage: 'submit', number: 1, started_at: 5000, ended_at: 5100, outcome: 'accepted' },
    ],
    past: { 1: { status: 'failed', error: jobError('upstream_failed', 'generating'), output: null, finished_at: 2500 } },
    task: { base: 'https://b.example', id: '1-t', submitted_at: 5100, polls: 0, last_polled_at: null },
  };
  expect(timelineOf(record, [delivery]).map(({ at, event, run }) => [at, event, run])).toEqual([
    [1000, 'accepted', 1],
    [1100, 'started', 1],
    [1100, 'attempt', 1],
    [2500, 'run_ended', 1],
    [2500, 'delivery_pending', 1],
    [2600, 'webhook_attempt', 1],
    [5000, 'attempt', 2],
    [5100, 'task', 2],
  ]);
  expect(timelineOf(record, [])[3]?.detail).toEqual({ status: 'failed', error_code: 'upstream_failed' });
});

test('when a job has just been accepted then there is one thing to show, and when it ended the last is its end', () => {
  expect(timelineOf({ ...job, started_at: null }, [])).toEqual([{ at: 1000, event: 'accepted', run: 1, detail: {} }]);
  const ended = timelineOf({ ...job, status: 'canceled', finished_at: 3000 }, []);
  expect(ended.at(-1)).toEqual({ at: 3000, event: 'run_ended', run: 1, detail: { status: 'canceled', error_code: null } });
});
