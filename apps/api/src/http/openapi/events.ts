import { BATCH_EVENTS, BATCH_STATUSES, type BatchEvent, JOB_EVENTS, type JobEvent, STATUSES } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { ZodOpenApiPathItemObject } from 'zod-openapi';
import { canceledBatch, completedBatch, expiredBatch } from '../../routes/batches/examples.ts';
import { Batch } from '../../routes/batches/schemas.ts';
import { canceledJob, expiredJob, failedJob, imageJob, runningJob } from '../../routes/jobs/examples.ts';
import { Job } from '../../routes/jobs/schemas.ts';

/** What a receiver gets. A new event type is a row in `EVENTS`; a test asks for a row for each type that is sent. */

const thin = { thin: z.literal(true).describe('the whole would be over 20 KiB: read the job') };

/** The job in a body, as much of it as fits 20 KiB. `id` and `status` are in all of them. */
const JobInBody = z.union([
  Job,
  Job.omit({ input: true, result: true, attempts: true }).extend(thin).meta({ id: 'ThinJob' }),
  Job.pick({ id: true, status: true, run: true, links: true }).extend(thin).meta({ id: 'ThinnestJob' }),
  z
    .strictObject({ id: z.string(), status: z.enum(STATUSES), deleted: z.literal(true) })
    .meta({ id: 'DeletedJob', description: 'The job was deleted before its webhook went out' }),
]);

/** The batch in a body, as it stood at the end of the round that is reported. */
const BatchInBody = z.union([
  Batch,
  Batch.omit({ metadata: true })
    .extend({ thin: z.literal(true).describe('the whole would be over 20 KiB: read the batch') })
    .meta({ id: 'ThinBatch' }),
  z
    .strictObject({ id: z.string(), status: z.enum(BATCH_STATUSES), deleted: z.literal(true) })
    .meta({ id: 'DeletedBatch', description: 'The batch was gone before its webhook went out' }),
]);

interface Row {
  summary: string;
  description?: string;
  /** Schema of `data`. */
  data: z.ZodType;
  /** Value of `data`. */
  example: { id: string };
}

const ofJob = (summary: string, example: Row['example'], description?: string): Row => ({
  summary,
  data: JobInBody,
  example,
  ...(description === undefined ? {} : { description }),
});
const ASKED_FOR = 'Sent only when `webhook.events` names it, and only once: it is not tried again.';

const ofBatch = (summary: string, example: Row['example'], description?: string): Row => ({
  summary,
  data: BatchInBody,
  example,
  ...(description === undefined ? {} : { description }),
});
const ONCE_A_ROUND = 'Once for each round: a batch whose jobs are run again ends again.';

const EVENTS: Readonly<Record<JobEvent | BatchEvent, Row>> = {
  'job.succeeded': ofJob('A job has succeeded', imageJob),
  'job.failed': ofJob('A job has failed', failedJob),
  'job.canceled': ofJob('A job was canceled', canceledJob),
  'job.expired': ofJob('A job did not end in time', expiredJob),
  'job.started': ofJob('A job has begun', runningJob, ASKED_FOR),
  'job.progress': ofJob('A job goes on', runningJob, `${ASKED_FOR} At most every 5 seconds.`),
  'batch.completed': ofBatch('All jobs of a batch have ended', completedBatch, ONCE_A_ROUND),
  'batch.canceled': ofBatch('A batch was canceled', canceledBatch, ONCE_A_ROUND),
  'batch.expired': ofBatch('A batch did not end in time', expiredBatch, ONCE_A_ROUND),
};

const signature = z.object({
  'webhook-id': z
    .string()
    .meta({ example: 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded' })
    .describe('the same on every attempt of an event: what you have seen before you can drop'),
  'webhook-timestamp': z
    .string()
    .meta({ example: '1795420831' })
    .describe('seconds since 1970, of this attempt; refuse what is older than five minutes'),
  'webhook-signature': z
    .string()
    .meta({ example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=' })
    .describe(
      '`v1,` and the base64 HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` with the secret of the tenant; several with spaces between them while a secret is rotated',
    ),
});

/** `JobSucceededEvent` for `job.succeeded`. */
const nameOf = (type: string): string =>
  `${type
    .split('.')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Event`;

const bodyOf = (type: JobEvent | BatchEvent) =>
  z
    .strictObject({
      id: z.string().describe('the webhook-id'),
      type: z.literal(type),
      timestamp: z.iso.datetime().describe('when it happened'),
      sequence: z
        .int()
        .nonnegative()
        .describe('webhooks can arrive in any order: of two about the same job, or batch, the later one has the greater number'),
      data: EVENTS[type].data,
    })
    .meta({ id: nameOf(type) });

const TYPES = [...JOB_EVENTS, ...BATCH_EVENTS] as const;
type Body = ReturnType<typeof bodyOf>;
const BODIES = Object.fromEntries(TYPES.map((type) => [type, bodyOf(type)])) as Record<(typeof TYPES)[number], Body>;

/** The body of any webhook. */
export const WebhookEvent = z
  .discriminatedUnion('type', TYPES.map((type) => BODIES[type]) as [Body, ...Body[]])
  .meta({ id: 'WebhookEvent', description: 'The body of a webhook, by its `type`' });

function hook(type: JobEvent | BatchEvent, { summary, description, example }: Row): ZodOpenApiPathItemObject {
  const id = `evt_${example.id.replace(/^[a-z]+_/, '')}_1_${type.replace('.', '_')}`;
  return {
    post: {
      operationId: `on.${type}`,
      summary,
      tags: ['Webhooks'],
      ...(description === undefined ? {} : { description }),
      security: [],
      requestParams: { header: signature },
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: BODIES[type],
            example: { id, type, timestamp: '2026-11-23T08:00:31.540Z', sequence: 5, data: example },
          },
        },
      },
      responses: {
        '2XX': { description: 'Taken. Any 2xx within 15 seconds will do' },
        '410': { description: 'Nobody listens here any more: no attempt follows, and the endpoint is disabled' },
        default: {
          description: 'Tried again, ten times over three days; `Retry-After` is obeyed. A redirect counts as a failure',
        },
      },
    },
  };
}

/** The `webhooks` of the document, by event type. */
export const webhooks: Readonly<Record<string, ZodOpenApiPathItemObject>> = Object.fromEntries(
  TYPES.map((type) => [type, hook(type, EVENTS[type])]),
);
