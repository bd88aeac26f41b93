import type { z } from 'zod';
import type { AcceptedBatch, Batch, RetriedBatch } from './schemas.ts';

/** Batches as they look, for people and for the test that holds them against the schemas. */

type BatchExample = z.output<typeof Batch>;

const ID = 'batch_01K9ZW0D5E7F9G1H3J5K7M9N1P';
const self = `/v1/batches/${ID}`;
const JOBS = ['job_01K9ZW0D5F0A2B4C6D8E0G2H4J', 'job_01K9ZW0D5F1B3C5D7E9F1G3H5K'] as const;

export const runningBatch: BatchExample = {
  id: ID,
  object: 'batch',
  status: 'running',
  counts: { total: 2, queued: 2, running: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0 },
  waiting: { reason: 'turn', since: '2026-11-23T08:00:00.000Z', position: 1 },
  round: 1,
  cost: null,
  invalid_count: 0,
  metadata: { order: 'A-17' },
  webhook: {
    url: 'https://caller.example/hooks',
    events: ['batch.completed', 'batch.canceled', 'batch.expired'],
    state: 'none',
    last_delivery_id: null,
  },
  results_file: null,
  created_at: '2026-11-23T08:00:00.000Z',
  finished_at: null,
  expires_at: '2026-11-24T08:00:00.000Z',
  links: {
    self,
    results: `${self}/results`,
    errors: `${self}/errors`,
    cancel: `${self}/cancel`,
    retry_failed: `${self}/retry-failed`,
    jobs: `/v1/jobs?batch_id=${ID}`,
  },
};

const { cancel: _cancel, ...endedLinks } = runningBatch.links;

const ended = (status: 'completed' | 'canceled' | 'expired', at: string): BatchExample => ({
  ...runningBatch,
  status,
  waiting: null,
  webhook: { ...runningBatch.webhook, state: 'pending', last_delivery_id: `evt_${ID.slice(6)}_1_batch_${status}` },
  results_file: {
    url: `https://s3.example/results/grsai-jobs/acme/2026/11/23/${ID}/results-1-3f9a2c71.ndjson?X-Amz-Signature=…`,
    expires_at: '2026-11-25T08:00:00.000Z',
    content_type: 'application/x-ndjson',
    bytes: 1240,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    key: `grsai-jobs/acme/2026/11/23/${ID}/results-1-3f9a2c71.ndjson`,
  },
  finished_at: at,
  links: endedLinks,
});

export const completedBatch: BatchExample = {
  ...ended('completed', '2026-11-23T08:01:12.400Z'),
  counts: { ...runningBatch.counts, queued: 0, succeeded: 1, failed: 1 },
  cost: { credits: 28, reserved: 0, state: 'charged', estimated: false },
};
export const canceledBatch: BatchExample = {
  ...ended('canceled', '2026-11-23T08:00:20.000Z'),
  counts: { ...runningBatch.counts, queued: 0, canceled: 2 },
};
export const expiredBatch: BatchExample = {
  ...ended('expired', '2026-11-24T08:00:02.000Z'),
  counts: { ...runningBatch.counts, queued: 0, succeeded: 1, expired: 1 },
};
export const cancelingBatch: BatchExample = { ...runningBatch, status: 'canceling' };

const badLine = {
  line: 2,
  custom_id: 'poster-2',
  errors: [{ pointer: '/input/prompt', message: 'prompt must not be empty' }],
};

export const acceptedBatch: z.output<typeof AcceptedBatch> = { ...runningBatch, invalid: { count: 0, errors: [] } };
export const acceptedInPart: z.output<typeof AcceptedBatch> = {
  ...runningBatch,
  counts: { ...runningBatch.counts, total: 1, queued: 1 },
  invalid_count: 1,
  invalid: { count: 1, errors: [badLine] },
};
export const retriedBatch: z.output<typeof RetriedBatch> = { ...completedBatch, retrying: 1, left_out: 0, in_round: 2 };

const lines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export const errorLines = lines(badLine);

export const resultLines = lines(
  {
    line: 1,
    custom_id: 'hello-1',
    job_id: JOBS[0],
    status: 'succeeded',
    run: 1,
    result: { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }] },
    error: null,
    finished_at: '2026-11-23T08:00:01.310Z',
  },
  {
    line: 2,
    custom_id: 'poster-2',
    job_id: JOBS[1],
    status: 'failed',
    run: 1,
    result: null,
    error: { code: 'model_unavailable', message: 'The model is unknown or not available.', retryable: true, stage: 'submitting' },
    finished_at: '2026-11-23T08:01:12.300Z',
  },
);

const hello = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] } };
const poster = { type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse', aspect_ratio: '4:3' } };

/** Each is sent to a running service by a test. */
export const batchLines = lines(
  { custom_id: 'hello-1', ...hello },
  { custom_id: 'poster-2', ...poster, metadata: { sheet: '2' }, priority: 'high' },
);

export const batchForms = {
  'one request, many prompts': {
    value: {
      defaults: { type: 'image', input: { model: 'nano-banana-2', aspect_ratio: '4:3' }, expires_in_s: 7200 },
      webhook: { url: 'https://caller.example/hooks', events: ['batch.completed', 'job.failed'] },
      metadata: { order: 'A-17' },
      items: [
        { custom_id: 'poster-1', input: { prompt: 'a paper lighthouse' } },
        { custom_id: 'poster-2', input: { prompt: 'a paper boat', aspect_ratio: '1:1' } },
      ],
    },
  },
  'items of several kinds': {
    value: {
      items: [
        { custom_id: 'hello-1', ...hello },
        { custom_id: 'poster-2', ...poster, priority: 'low' },
      ],
    },
  },
};
