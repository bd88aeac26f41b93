import type { z } from 'zod';
import type { Job, JobEventBody } from './schemas.ts';

/** Answers as they look, for people and for the test that holds them against the schemas. */

type JobExample = z.output<typeof Job>;

const ID = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const TASK_ID = '14-3f6b1c9e-7a52-4d0e-9b8f-2c1d5e6a7f80';
const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const KEY = `grsai-jobs/acme/2026/11/23/${ID}/1-0.png`;
const WEBHOOK = 'https://caller.example/hooks';

const links = (id: string, live: boolean) => ({
  self: `/v1/jobs/${id}`,
  ...(live ? { cancel: `/v1/jobs/${id}/cancel` } : {}),
  events: `/v1/jobs/${id}/events`,
  deliveries: `/v1/webhook-deliveries?job_id=${id}`,
});

export const queuedJob: JobExample = {
  id: ID,
  object: 'job',
  type: 'image',
  origin: 'v1',
  status: 'queued',
  stage: null,
  waiting: null,
  run: 1,
  model: 'nano-banana-2',
  input: { model: 'nano-banana-2', prompt: 'a paper lighthouse on a foggy desk', aspect_ratio: '4:3', image_size: '2K' },
  via: 'generate',
  resubmit_failed: 'auto',
  metadata: { order: 'A-17' },
  priority: 'normal',
  on_unknown_submit: 'fail',
  max_attempts: 4,
  progress: 0,
  result: null,
  error: null,
  cost: { credits: 0, reserved: 0, state: 'none', estimated: false },
  attempts: [],
  upstream: null,
  webhook: {
    url: WEBHOOK,
    events: ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired'],
    state: 'none',
    last_delivery_id: null,
  },
  batch_id: null,
  custom_id: null,
  late_result: false,
  created_at: '2026-11-23T08:00:00.000Z',
  started_at: null,
  finished_at: null,
  expires_at: '2026-11-24T08:00:00.000Z',
  links: links(ID, true),
};

/** As `GET` shows it. */
export const waitingJob: JobExample = {
  ...queuedJob,
  waiting: { reason: 'tenant_limit', since: '2026-11-23T08:00:00.000Z', position: 3 },
};

export const runningJob: JobExample = {
  ...queuedJob,
  status: 'running',
  stage: 'generating',
  progress: 40,
  cost: { credits: 0, reserved: 1200, state: 'reserved', estimated: true },
  attempts: [
    {
      run: 1,
      stage: 'submit',
      number: 1,
      started_at: '2026-11-23T08:00:00.120Z',
      ended_at: '2026-11-23T08:00:00.870Z',
      outcome: 'accepted',
      base: 'https://grsaiapi.com',
    },
  ],
  upstream: {
    base: 'https://grsaiapi.com',
    task_id: TASK_ID,
    submitted_at: '2026-11-23T08:00:00.870Z',
    polls: 1,
    last_polled_at: '2026-11-23T08:00:12.900Z',
  },
  started_at: '2026-11-23T08:00:00.120Z',
};

const ended = (status: 'succeeded' | 'failed' | 'canceled' | 'expired') => ({
  status,
  stage: null,
  finished_at: '2026-11-23T08:00:31.540Z',
  webhook: {
    ...queuedJob.webhook,
    state: 'pending' as const,
    last_delivery_id: `evt_${ID.slice(4)}_1_job_${status}`,
  },
  links: links(ID, false),
});

export const imageJob: JobExample = {
  ...runningJob,
  ...ended('succeeded'),
  progress: 100,
  cost: { credits: 1200, reserved: 0, state: 'charged', estimated: false },
  result: {
    images: [
      {
        index: 0,
        url: `https://s3.example/results/${KEY}?X-Amz-Signature=…`,
        expires_at: '2026-11-24T08:00:31.600Z',
        content_type: 'image/png',
        bytes: 1_843_200,
        width: 2048,
        height: 1536,
        sha256: SHA256,
        key: KEY,
      },
    ],
  },
};

export const failedJob: JobExample = {
  ...runningJob,
  ...ended('failed'),
  cost: { credits: 1200, reserved: 0, state: 'charged', estimated: false },
  error: {
    code: 'content_rejected',
    message: 'The content policy of the upstream refused the input or the output. Change the prompt or the images.',
    retryable: false,
    stage: 'generating',
    upstream: { status: 200, code: 'violation', message: 'input_moderation', task_id: TASK_ID },
  },
};

export const canceledJob: JobExample = { ...queuedJob, ...ended('canceled') };

export const expiredJob: JobExample = {
  ...queuedJob,
  ...ended('expired'),
  finished_at: '2026-11-24T08:00:00.000Z',
  error: {
    code: 'deadline_exceeded',
    message: 'The job was not done by its expires_at. Retry, or send it with a longer expires_in_s.',
    retryable: true,
    stage: 'queued',
  },
};

export const cancelingJob: JobExample = { ...runningJob, status: 'canceling', stage: 'storing', progress: 100 };

export const reopenedJob: JobExample = { ...queuedJob, run: 2, expires_at: '2026-11-24T09:30:00.000Z' };

const CHAT_ID = 'job_01K9ZVB7F0G2H4J6K8M0N2P4Q6';

export const chatJob: JobExample = {
  ...queuedJob,
  id: CHAT_ID,
  type: 'chat',
  status: 'succeeded',
  model: 'gemini-3.1-pro',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] },
  via: undefined,
  resubmit_failed: undefined,
  metadata: {},
  on_unknown_submit: 'resubmit',
  progress: 100,
  cost: { credits: 1, reserved: 0, state: 'charged', estimated: false },
  result: {
    id: 'chatcmpl-8f2d',
    object: 'chat.completion',
    created: 1_795_420_800,
    model: 'gemini-3.1-pro',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
  },
  webhook: { url: null, events: [], state: 'none', last_delivery_id: null },
  started_at: '2026-11-23T08:00:00.080Z',
  finished_at: '2026-11-23T08:00:01.310Z',
  links: links(CHAT_ID, false),
};

export const progressEvent: z.output<typeof JobEventBody> = {
  job_id: ID,
  seq: 4,
  type: 'job.progress',
  status: 'running',
  stage: 'generating',
  run: 1,
  progress: 40,
  timestamp: '2026-11-23T08:00:12.900Z',
};

export const eventStream = [
  `id: ${progressEvent.seq}`,
  `event: ${progressEvent.type}`,
  `data: ${JSON.stringify(progressEvent)}`,
  '',
  '',
].join('\n');

const tokenPiece = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1795420800,
  model: 'gemini-3.1-pro',
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }],
};

export const tokenStream = [
  'id: 3000001',
  `data: ${JSON.stringify(tokenPiece)}`,
  '',
  'id: 4000002',
  'event: end',
  'data: {"status":"succeeded"}',
  '',
  '',
].join('\n');
