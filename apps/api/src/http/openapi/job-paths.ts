import { JobRequest, LIMITS } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ListQuery } from '../list-query.ts';
import { RetryRequest } from '../routes/job-actions.ts';
import {
  canceledJob,
  cancelingJob,
  chatJob,
  eventStream,
  failedJob,
  imageJob,
  listExample,
  progressEvent,
  queuedJob,
  reopenedJob,
  runningJob,
} from './examples.ts';
import { idempotencyKey, Job, JobEventBody, json, listOf, refusals } from './schemas.ts';

const CURSOR = 'MTc5NTQyMDgwMDAwMC5qb2JfMDFLOVpWNVczTjhRMlI0VDZWOFgwWjJCNEQ';
const id = z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' });
const oneJob = { path: z.object({ id }) };
/** Refusals of each route that reads or changes one job. */
const ofOneJob = ['unauthorized', 'forbidden', 'not_found', 'unavailable'] as const;
const address = z.string().describe('where the job is');
const replayed = z.string().optional().describe('true when this Idempotency-Key had made the job before');
const waited = z.string().describe('the wait that was taken, as wait=30');
const comeBack = z.string().describe('seconds until it is worth asking again');

/** The first one is what most callers send first; each is sent to a running service by a test. */
const jobRequests = {
  chat: {
    summary: 'A chat',
    value: {
      type: 'chat',
      input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }], temperature: 0.2 },
      webhook: { url: 'https://caller.example/hooks' },
    },
  },
  image: {
    summary: 'An image, with all that can be said of a job',
    value: {
      type: 'image',
      input: {
        model: 'nano-banana-2',
        prompt: 'a paper lighthouse on a foggy desk',
        images: ['https://caller.example/sketch.png'],
        aspect_ratio: '4:3',
        image_size: '2K',
      },
      via: 'generate',
      webhook: { url: 'https://caller.example/hooks', events: ['job.succeeded', 'job.failed'] },
      metadata: { order: 'A-17' },
      priority: 'high',
      expires_in_s: 3600,
      max_attempts: 2,
      on_unknown_submit: 'fail',
      output: { url_ttl_s: 86_400 },
    },
  },
  'image with a held call': {
    summary: 'An image by the call that waits for it',
    value: { type: 'image', input: { model: 'gpt-image-2', prompt: 'a paper lighthouse' }, via: 'generations', priority: 'low' },
  },
  'chat with an image': {
    summary: 'A question about an image',
    value: {
      type: 'chat',
      input: {
        model: 'gemini-3.1-pro',
        messages: [
          { role: 'system', content: 'Answer in one sentence.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is on this picture?' },
              { type: 'image_url', image_url: { url: 'https://caller.example/sketch.png' } },
            ],
          },
        ],
      },
    },
  },
};

/** What callers do with jobs. */
export const jobPaths: ZodOpenApiPathsObject = {
  '/v1/jobs': {
    post: {
      operationId: 'createJob',
      summary: 'Send a job',
      requestParams: {
        header: z.object({
          'Idempotency-Key': idempotencyKey('order-A-17', 'the same key and body make one job, for 72 hours'),
          Prefer: z
            .string()
            .optional()
            .meta({ example: 'wait=30' })
            .describe('wait=30: the answer waits so many seconds, at most 60, for the end of the job; 60 without a number'),
        }),
      },
      requestBody: { required: true, content: { 'application/json': { schema: JobRequest, examples: jobRequests } } },
      responses: {
        '200': {
          ...json(Job, 'The job has ended within the preferred wait', chatJob),
          headers: z.object({ Location: address, 'Idempotent-Replayed': replayed, 'Preference-Applied': waited }),
        },
        '202': {
          ...json(Job, 'Accepted: the job will reach a terminal state', queuedJob),
          headers: z.object({
            Location: address,
            'Retry-After': comeBack,
            'Idempotent-Replayed': replayed,
            'Preference-Applied': waited.optional(),
          }),
        },
        ...refusals(
          'malformed_json',
          'bad_request',
          'unauthorized',
          'forbidden',
          'not_found',
          'request_timeout',
          'body_too_large',
          'unsupported_media_type',
          'invalid_request',
          'idempotency_key_reused',
          'unavailable',
        ),
      },
    },
    get: {
      operationId: 'listJobs',
      summary: 'List jobs, the newest first',
      description: `Beside these parameters \`metadata.<key>=<value>\` filters by metadata, up to ${LIMITS.metadataPairs} times. At most 2000 records are read for one page: it can be shorter than \`limit\`, or empty, and still have a \`next_cursor\`.`,
      requestParams: { query: ListQuery },
      responses: {
        '200': json(listOf(Job), 'A page; `next_cursor` is null on the last one', {
          ...listExample(imageJob, failedJob),
          next_cursor: CURSOR,
        }),
        ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
      },
    },
  },
  '/v1/jobs/{id}': {
    get: {
      operationId: 'getJob',
      summary: 'Read a job',
      requestParams: {
        ...oneJob,
        header: z.object({
          'If-None-Match': z.string().optional().meta({ example: '"3f-1"' }).describe('the ETag that you have'),
        }),
      },
      responses: {
        '200': {
          ...json(Job, 'The job', runningJob, imageJob, chatJob, failedJob),
          headers: z.object({ ETag: z.string().describe('for If-None-Match'), 'Retry-After': comeBack.optional() }),
        },
        '304': { description: 'Nothing has changed since the answer with this ETag' },
        ...refusals(...ofOneJob),
      },
    },
    delete: {
      operationId: 'deleteJob',
      summary: 'Erase an ended job with its input, its output and its stored objects',
      description: 'A webhook that is still owed goes out with id, status and `deleted: true`.',
      requestParams: oneJob,
      responses: { '204': { description: 'Erased, now or before' }, ...refusals(...ofOneJob, 'conflict') },
    },
  },
  '/v1/jobs/{id}/cancel': {
    post: {
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      requestParams: oneJob,
      responses: {
        '200': json(Job, 'Canceled', canceledJob),
        '202': {
          ...json(Job, 'A call or a store is open: it ends the job as canceled, or in the state it reaches', cancelingJob),
          headers: z.object({ 'Retry-After': comeBack }),
        },
        ...refusals(...ofOneJob, 'conflict'),
      },
    },
  },
  '/v1/jobs/{id}/retry': {
    post: {
      operationId: 'retryJob',
      summary: 'Run a failed, expired or canceled job again',
      description:
        'Without a mode it goes on with what was paid for (`resume`) when outputs or a living task are there, else it submits anew (`resubmit`). After `submit_unknown` only an explicit `resubmit` submits again.',
      requestParams: oneJob,
      requestBody: {
        required: false,
        content: {
          'application/json': {
            schema: RetryRequest,
            examples: { again: { summary: 'Submit, and pay, anew', value: { mode: 'resubmit' } }, 'as it fits': { value: {} } },
          },
        },
      },
      responses: {
        '202': {
          ...json(Job, 'Reopened: `run` is one more', reopenedJob),
          headers: z.object({ Location: address, 'Retry-After': comeBack }),
        },
        ...refusals('malformed_json', ...ofOneJob, 'conflict', 'body_too_large', 'unsupported_media_type', 'invalid_request'),
      },
    },
  },
  '/v1/jobs/{id}/events': {
    get: {
      operationId: 'watchJob',
      summary: 'Follow a job until it ends',
      description:
        'With `Accept: text/event-stream` a stream that ends with the job: `id` is `seq`, `event` is `type`, `data` a JobEvent. With another Accept the events that are still known, as a list. Where older ones are forgotten, one event with the present state stands for them.',
      requestParams: {
        ...oneJob,
        header: z.object({
          'Last-Event-ID': z.string().optional().meta({ example: '3' }).describe('the seq of the last event that you have seen'),
        }),
      },
      responses: {
        '200': {
          description: 'The events',
          content: {
            'text/event-stream': { schema: z.string(), example: eventStream },
            'application/json': { schema: listOf(JobEventBody), example: listExample(progressEvent) },
          },
        },
        '204': { description: 'The job has ended and you have seen all of it' },
        ...refusals('bad_request', ...ofOneJob),
      },
    },
  },
  '/v1/jobs/{id}/images/{n}': {
    get: {
      operationId: 'getJobImage',
      summary: 'An image of the result, by way of a fresh link',
      requestParams: { path: z.object({ id, n: z.string().meta({ example: '0' }).describe('the index of the image, from 0') }) },
      responses: {
        '302': { description: 'The image is at `Location` for `url_ttl_s` seconds', headers: z.object({ Location: z.string() }) },
        ...refusals(...ofOneJob),
      },
    },
  },
};
