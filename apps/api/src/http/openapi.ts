import { FAILURE_CODES, JobRequest, STAGES, STATUSES } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import { PROBLEMS, type ProblemCode } from './problem.ts';
import { KeyAnswer, KeyRequest } from './routes/admin-keys.ts';

const time = z.iso.datetime().nullable();

/** A job as callers see it (design §2 "Job record"). */
const Job = z
  .object({
    id: z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }),
    object: z.literal('job'),
    type: z.enum(['chat', 'image']),
    status: z.enum(STATUSES),
    stage: z.enum(STAGES).nullable(),
    run: z.int(),
    model: z.string(),
    input: z.looseObject({}),
    via: z.enum(['generate', 'generations']).optional(),
    metadata: z.record(z.string(), z.string()),
    priority: z.enum(['low', 'normal', 'high']),
    on_unknown_submit: z.enum(['fail', 'resubmit']),
    max_attempts: z.int(),
    progress: z.int().min(0).max(100),
    result: z
      .looseObject({})
      .nullable()
      .describe(
        'chat: the completion, or a link to it when it is larger than 16 KiB; image: images[{index, url, expires_at, content_type, bytes, width, height, sha256, key}]',
      ),
    error: z
      .object({
        code: z.enum(FAILURE_CODES as [string, ...string[]]),
        message: z.string(),
        retryable: z.boolean(),
        stage: z.string(),
        upstream: z.looseObject({}).optional(),
      })
      .nullable(),
    attempts: z.array(z.looseObject({})),
    upstream: z
      .object({ base: z.string().nullable(), task_id: z.string(), submitted_at: time, polls: z.int(), last_polled_at: time })
      .nullable()
      .describe('the task id is a secret: whoever has it can read the result'),
    webhook: z.object({
      url: z.string().nullable(),
      events: z.array(z.string()),
      state: z.enum(['none', 'pending', 'delivered', 'failed']),
      last_delivery_id: z.string().nullable(),
    }),
    batch_id: z.string().nullable(),
    custom_id: z.string().nullable(),
    late_result: z.boolean(),
    created_at: time,
    started_at: time,
    finished_at: time,
    expires_at: time,
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Job' });

const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(Object.keys(PROBLEMS) as [string, ...string[]]),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

const refusals = (...codes: ProblemCode[]) =>
  Object.fromEntries(
    [...new Set(codes.map((code) => PROBLEMS[code].status))].map((status) => [
      String(status) as `${1 | 4 | 5}${string}`,
      {
        description: codes
          .filter((code) => PROBLEMS[code].status === status)
          .map((code) => `${PROBLEMS[code].title} (\`${code}\`)`)
          .join('; '),
        content: { 'application/problem+json': { schema: ProblemBody } },
      },
    ]),
  );

const json = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });

const jobExample = {
  type: 'image',
  input: { model: 'nano-banana-2', prompt: 'a paper lighthouse on a foggy desk', aspect_ratio: '4:3', image_size: '2K' },
  webhook: { url: 'https://caller.example/hooks' },
  metadata: { order: 'A-17' },
};

/** The OpenAPI 3.1 document, made from the schemas that the routes themselves check with. */
export function openApiDocument(version: string): object {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'grsai-jobs',
      version,
      description:
        'Durable chat and image generation jobs on the Grsai API. An accepted job reaches a terminal state and is never paid for twice by us.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: gj_…' } } },
    paths: {
      '/v1/jobs': {
        post: {
          operationId: 'createJob',
          summary: 'Send a job',
          requestParams: {
            header: z.object({
              'Idempotency-Key': z
                .string()
                .min(1)
                .max(255)
                .optional()
                .describe('the same key and body make one job, for 72 hours'),
            }),
          },
          requestBody: { required: true, content: { 'application/json': { schema: JobRequest, example: jobExample } } },
          responses: {
            '202': {
              ...json(Job, 'Accepted: the job will reach a terminal state'),
              headers: z.object({
                Location: z.string(),
                'Retry-After': z.string(),
                'Idempotent-Replayed': z.string().optional(),
              }),
            },
            ...refusals(
              'malformed_json',
              'bad_request',
              'unauthorized',
              'forbidden',
              'body_too_large',
              'unsupported_media_type',
              'invalid_request',
              'idempotency_key_reused',
              'unavailable',
            ),
          },
        },
      },
      '/v1/jobs/{id}': {
        get: {
          operationId: 'getJob',
          summary: 'Read a job',
          requestParams: { path: z.object({ id: z.string() }) },
          responses: { '200': json(Job, 'The job'), ...refusals('unauthorized', 'forbidden', 'not_found', 'unavailable') },
        },
      },
      '/v1/webhook-secret': {
        get: {
          operationId: 'getWebhookSecret',
          summary: 'Read the secret that webhooks are signed with',
          responses: {
            '200': json(
              z.object({ object: z.literal('webhook_secret'), secret: z.string() }),
              'A Standard Webhooks secret: whsec_…',
            ),
            ...refusals('unauthorized', 'forbidden', 'unavailable'),
          },
        },
      },
      '/admin/v1/keys': {
        post: {
          operationId: 'createKey',
          summary: 'Make an API key for a tenant',
          requestBody: { required: true, content: { 'application/json': { schema: KeyRequest } } },
          responses: {
            '201': json(KeyAnswer, 'The key; its text is shown only here'),
            ...refusals(
              'malformed_json',
              'unauthorized',
              'forbidden',
              'unsupported_media_type',
              'invalid_request',
              'unavailable',
            ),
          },
        },
      },
      '/livez': { get: { operationId: 'live', security: [], responses: { '200': { description: 'The process is alive' } } } },
      '/readyz': {
        get: {
          operationId: 'ready',
          security: [],
          responses: {
            '200': { description: 'Requests can be taken' },
            '503': { description: 'They cannot; `checks` says why' },
          },
        },
      },
      '/metrics': {
        get: { operationId: 'metrics', security: [], responses: { '200': { description: 'Prometheus exposition' } } },
      },
    },
  });
}
