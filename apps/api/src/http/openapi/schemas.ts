import { FAILURE_CODES, STAGES, STATUSES } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from '../problem.ts';

const time = z.iso.datetime().nullable();

/** A job as callers see it (design §2 "Job record"). */
export const Job = z
  .object({
    id: z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }),
    object: z.literal('job'),
    type: z.enum(['chat', 'image']),
    status: z.enum(STATUSES),
    stage: z.enum(STAGES).nullable(),
    run: z.int(),
    model: z.string(),
    input: z.looseObject({}).describe('as sent, but an inline image over 32 KiB is shown as {content_type, bytes}'),
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

/** The answers of a route that refuse, by status. */
export const refusals = (...codes: ProblemCode[]) =>
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

/** An answer with a JSON body. */
export const json = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });

/** One page of a list. */
export const listOf = (item: z.ZodType) =>
  z.object({ object: z.literal('list'), data: z.array(item), next_cursor: z.string().nullable() });

/** Something that happened to a job. */
export const JobEventBody = z
  .object({
    job_id: z.string(),
    seq: z.int().min(1).describe('counts the events of a job from 1; the Last-Event-ID of the stream'),
    type: z.string().meta({ example: 'job.progress' }),
    status: z.enum(STATUSES),
    stage: z.enum(STAGES).nullable(),
    run: z.int(),
    progress: z.int().min(0).max(100),
    timestamp: z.iso.datetime(),
  })
  .meta({ id: 'JobEvent' });
