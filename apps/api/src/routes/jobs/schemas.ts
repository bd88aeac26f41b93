import { COST_STATES, FAILURE_CODES, STAGES, STATUSES, WAITING_REASONS } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { WARNING_CODES } from '../../use-cases/check-request.ts';

const time = z.iso.datetime().nullable();

const ImageResult = z
  .strictObject({
    images: z.array(
      z.strictObject({
        index: z.int(),
        url: z.string().describe('signed afresh in each answer'),
        expires_at: z.iso.datetime().describe('when the link dies'),
        content_type: z
          .string()
          .describe(
            'from the bytes: image/png, image/jpeg, image/webp, image/gif, image/avif, image/heic, image/heif, image/jxl, image/tiff, image/bmp, image/svg+xml, video/mp4, video/quicktime or video/webm',
          ),
        bytes: z.int(),
        width: z.int().nullable().describe('null for video, and where the file does not say'),
        height: z.int().nullable(),
        sha256: z.string(),
        key: z.string().describe('in the bucket'),
      }),
    ),
    lost: z
      .array(z.strictObject({ index: z.int(), reason: z.string() }))
      .optional()
      .describe('outputs of the task that could not be kept, beside those that are; left out when there are none'),
  })
  .meta({ id: 'ImageResult' });

const ChatFile = z
  .strictObject({
    url: z.string(),
    expires_at: z.iso.datetime(),
    content_type: z.literal('application/json'),
    bytes: z.int(),
    sha256: z.string(),
    key: z.string(),
  })
  .meta({ id: 'ChatFile', description: 'A link to a completion that is larger than 16 KiB' });

const Completion = z
  .looseObject({ choices: z.array(z.unknown()) })
  .meta({ id: 'Completion', description: 'As OpenAI answers it' });

const Attempt = z.strictObject({
  run: z.int(),
  stage: z.enum(['call', 'submit', 'poll', 'store']),
  number: z.int().describe('counts within run and stage, from 1'),
  started_at: time,
  ended_at: time,
  outcome: z.enum(['succeeded', 'retry', 'failed', 'unknown', 'cut', 'accepted']),
  error_code: z.string().optional(),
  upstream_status: z.int().optional(),
  base: z.string().optional(),
});

/** Something in a request that was accepted and may come to nothing. */
export const Warning = z
  .strictObject({
    pointer: z.string().describe('a JSON pointer into the request, or into its line'),
    code: z
      .enum(WARNING_CODES)
      .describe(
        '`unknown_value`: it is passed on though nobody here knows it; the others: the model takes no calls at this time',
      ),
    message: z.string(),
  })
  .meta({ id: 'Warning' });

/** What a job came to. */
export const JobResult = z.union([ImageResult, ChatFile, Completion]).meta({ id: 'JobResult' });

/** Why a job failed, or expired. */
export const JobError = z
  .strictObject({
    code: z.enum(FAILURE_CODES as [string, ...string[]]).describe('docs/errors.md says what each means'),
    message: z.string(),
    retryable: z.boolean().describe('whether a new run of the same job may help'),
    stage: z.string(),
    upstream: z
      .strictObject({
        status: z.int().optional(),
        code: z.string().optional(),
        message: z.string().optional(),
        task_id: z.string().optional(),
      })
      .optional()
      .describe('what the upstream said'),
  })
  .meta({ id: 'JobError' });

/** What paid calls come to. */
export const Cost = z
  .strictObject({
    credits: z.int().min(0).describe('charged, over all runs'),
    reserved: z
      .int()
      .min(0)
      .describe(
        'set aside for calls in flight and for tasks that run, and for calls of which nobody knows whether they were charged',
      ),
    state: z
      .enum(COST_STATES)
      .describe(
        '`none`: nothing was paid for yet; `reserved`: something is in flight; `unknown`: it is not known whether some calls were charged; else what they came to',
      ),
    estimated: z
      .boolean()
      .describe('some of it is an estimate: set aside, or by a price or a number of tokens that upstream has not said'),
  })
  .meta({ id: 'Cost', description: 'In credits of the upstream account' });

/** Why something is queued. */
export const Waiting = z
  .strictObject({
    reason: z
      .enum(WAITING_REASONS as [string, ...string[]])
      .describe(
        '`turn`: others come first, and a call can begin; `tenant_limit`, `account_limit`: the tenant, or the account, has no room for another call of it now; `rate_limit`: the calls of this minute are used up; `budget`: its price does not fit into the budget of the tenant; `backoff`: its last attempt failed, and the next one has a time; `no_caller`: its caller at `/openai/v1` has left and may come back; `paused:…`: its queue or its model is paused, or (`suspect`) it may have been paid for and waits for a decision',
      ),
    since: z.iso.datetime(),
    position: z
      .int()
      .min(1)
      .nullable()
      .describe(
        'from 1, among the queued jobs of its tenant that make the same kind of call; null: it waits for a time of its own',
      ),
  })
  .meta({ id: 'Waiting' });

/** A job as callers see it. */
export const Job = z
  .strictObject({
    id: z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }),
    object: z.literal('job'),
    type: z.enum(['chat', 'image']),
    origin: z.enum(['v1', 'openai']).describe('the API that it came by: `/v1`, or `/openai/v1`'),
    status: z.enum(STATUSES),
    stage: z.enum(STAGES).nullable(),
    waiting: Waiting.nullable().describe(
      'why it is queued; null when it is not, in webhooks, and in the answers that accept, retry or cancel it',
    ),
    run: z.int().describe('1, and one more for each reopening'),
    model: z
      .string()
      .describe('that of the call in flight, or that made the result: one of `fallback_models` where those before failed'),
    fallback_models: z.array(z.string()).optional(),
    input: z
      .looseObject({})
      .nullable()
      .describe('as sent, but an inline image over 32 KiB is shown as {content_type, bytes}; null with `input_truncated`'),
    input_truncated: z
      .literal(true)
      .optional()
      .describe('an input whose JSON is over 32 KiB is shown by `GET /v1/jobs/{id}` alone'),
    via: z.enum(['generate', 'generations']).optional().describe('of an image'),
    resubmit_failed: z.enum(['auto', 'never', 'always']).optional().describe('of an image'),
    metadata: z.record(z.string(), z.string()),
    priority: z.enum(['low', 'normal', 'high']),
    on_unknown_submit: z.enum(['fail', 'resubmit']),
    max_attempts: z.int(),
    progress: z.int().min(0).max(100).describe('never falls within a run'),
    result: JobResult.nullable().describe('of a job that has succeeded'),
    error: JobError.nullable().describe('why it failed, or expired'),
    cost: Cost.nullable().describe('null: no price of its model is known'),
    attempts: z
      .array(Attempt)
      .describe(
        'calls and submits that may have been paid for, the newest 100; of all others the newest 20; a poll only when it failed',
      ),
    upstream: z
      .strictObject({
        base: z.string().nullable(),
        task_id: z.string(),
        submitted_at: time,
        polls: z.int(),
        last_polled_at: time,
      })
      .nullable()
      .describe('the task id is a secret: whoever has it can read the result'),
    webhook: z.strictObject({
      url: z.string().nullable(),
      events: z.array(z.string()),
      state: z.enum(['none', 'pending', 'delivered', 'failed']),
      last_delivery_id: z.string().nullable(),
    }),
    batch_id: z.string().nullable(),
    custom_id: z.string().nullable(),
    late_result: z.boolean().describe('the result came after the run had been given up'),
    created_at: time,
    started_at: time,
    finished_at: time,
    expires_at: time,
    links: z.record(z.string(), z.string()),
    warnings: z
      .array(Warning)
      .optional()
      .describe('only in the answer to `POST /v1/jobs`: what was accepted and may come to nothing'),
  })
  .meta({ id: 'Job' });

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
