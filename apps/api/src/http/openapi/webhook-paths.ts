import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { DELIVERY_STATES, DELIVERY_TYPES, DeliveryQuery, RecoverRequest, Recovery } from '../routes/webhook-deliveries.ts';
import { RotateRequest, WebhookSecret } from '../routes/webhook-secret.ts';
import { listExample } from './examples.ts';
import { json, listOf, refusals } from './schemas.ts';

const comeBack = z.string().describe('seconds until it is worth asking again');
const time = z.iso.datetime();
const id = z.string().meta({ example: 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded' });
const oneDelivery = { path: z.object({ id }) };
/** Refusals of a route with a JSON body. */
const ofBody = [
  'malformed_json',
  'unauthorized',
  'forbidden',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
  'unavailable',
] as const;

/** A webhook delivery. */
export const Delivery = z
  .strictObject({
    id: id.describe('the `webhook-id` of each try, and the `id` of the body'),
    object: z.literal('webhook_delivery'),
    job_id: z.string().optional(),
    batch_id: z.string().optional().describe('in place of job_id, for events of a batch'),
    run: z.int().describe('the run of the job, or the round of the batch, that it tells of'),
    type: z.enum(DELIVERY_TYPES),
    url: z.string(),
    state: z
      .enum(DELIVERY_STATES)
      .describe('`skipped`: nothing was sent, as the endpoint was disabled, or in trouble when news of a live job came'),
    tries: z.int(),
    attempts: z
      .array(
        z.strictObject({
          number: z.int(),
          at: time,
          duration_ms: z.int(),
          ok: z.boolean(),
          phase: z.string().describe('how far it came: dns, connect, tls, write or response'),
          status: z.int().optional(),
          error: z.string().optional(),
          answer: z.string().optional().describe('up to 2 KiB of what the receiver answered; not in lists'),
        }),
      )
      .describe('the newest 20 tries'),
    next_attempt_at: time.nullable(),
    created_at: time,
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'WebhookDelivery' });

const refused = { number: 1, at: '2026-11-23T08:00:31.560Z', duration_ms: 84, ok: false, phase: 'response', status: 503 };
const taken = { number: 2, at: '2026-11-23T08:00:36.420Z', duration_ms: 31, ok: true, phase: 'response', status: 204 };
const self = '/v1/webhook-deliveries/evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded';
export const delivered: z.output<typeof Delivery> = {
  id: 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded',
  object: 'webhook_delivery',
  job_id: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
  run: 1,
  type: 'job.succeeded',
  url: 'https://caller.example/hooks',
  state: 'delivered',
  tries: 2,
  attempts: [{ ...refused, answer: 'upstream connect error' }, taken],
  next_attempt_at: null,
  created_at: '2026-11-23T08:00:31.540Z',
  links: { self, job: '/v1/jobs/job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D', resend: `${self}/resend` },
};
export const listed: typeof delivered = { ...delivered, attempts: [refused, taken] };
export const resent: typeof delivered = {
  ...delivered,
  state: 'pending',
  next_attempt_at: '2026-11-23T09:12:00.000Z',
  links: { self, job: '/v1/jobs/job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' },
};

const secret: z.output<typeof WebhookSecret> = {
  object: 'webhook_secret',
  id: 'whk_3f0c9d1e8b7a6542',
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDb3q2w4cTkvE=',
  older: [{ id: 'whk_90ab12cd34ef5678', expires_at: '2026-11-24T08:00:00.000Z' }],
};

const recovery: z.output<typeof Recovery> = {
  object: 'webhook_recovery',
  url: 'https://caller.example/hooks',
  since: '2026-11-20T00:00:00.000Z',
  links: {
    remaining:
      '/v1/webhook-deliveries?state=failed,skipped&type=job.succeeded,job.failed,job.canceled,job.expired,batch.completed,batch.canceled,batch.expired&url=https%3A%2F%2Fcaller.example%2Fhooks',
  },
};

/** Secrets and deliveries of webhooks; what a receiver gets stands in `webhooks.ts`. */
export const webhookPaths: ZodOpenApiPathsObject = {
  '/v1/webhook-secret': {
    get: {
      operationId: 'getWebhookSecret',
      summary: 'Read the secret that webhooks are signed with',
      responses: {
        '200': json(WebhookSecret, 'The newest secret, and which older ones still sign', { ...secret, older: [] }),
        ...refusals('unauthorized', 'forbidden', 'unavailable'),
      },
    },
  },
  '/v1/webhook-secret/rotate': {
    post: {
      operationId: 'rotateWebhookSecret',
      summary: 'Make a new secret; the old one signs along for a while',
      description:
        'During the overlap each webhook has a signature by each living secret, the newest first, separated by spaces. At most five live at once: a sixth ends the oldest.',
      requestBody: {
        required: false,
        content: { 'application/json': { schema: RotateRequest, example: { overlap_s: 86_400 } } },
      },
      responses: { '200': json(WebhookSecret, 'The new secret', secret), ...refusals(...ofBody) },
    },
  },
  '/v1/webhook-deliveries': {
    get: {
      operationId: 'listWebhookDeliveries',
      summary: 'List webhook deliveries, the newest first',
      description:
        'At most 2000 deliveries are read for one page: it can be shorter than `limit`, or empty, and still have a `next_cursor`.',
      requestParams: { query: DeliveryQuery },
      responses: {
        '200': json(listOf(Delivery), 'A page; `next_cursor` is null on the last one', listExample(listed)),
        ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
      },
    },
  },
  '/v1/webhook-deliveries/{id}': {
    get: {
      operationId: 'getWebhookDelivery',
      summary: 'Read a webhook delivery with all its tries',
      requestParams: oneDelivery,
      responses: {
        '200': json(Delivery, 'The delivery', delivered),
        ...refusals('unauthorized', 'forbidden', 'not_found', 'unavailable'),
      },
    },
  },
  '/v1/webhook-deliveries/{id}/resend': {
    post: {
      operationId: 'resendWebhookDelivery',
      summary: 'Try a webhook delivery once more',
      description:
        'For one that is delivered, failed, skipped or waits for a later try, which goes on with its schedule then. It keeps its `webhook-id`; timestamp, signature and the links in its body are new. Of two requests at once one is a 409, so they make one try.',
      requestParams: oneDelivery,
      responses: {
        '202': { ...json(Delivery, 'One more try is under way', resent), headers: z.object({ 'Retry-After': comeBack }) },
        ...refusals('unauthorized', 'forbidden', 'not_found', 'conflict', 'unavailable'),
      },
    },
  },
  '/v1/webhook-deliveries/recover': {
    post: {
      operationId: 'recoverWebhookEndpoint',
      summary: 'Resend all that an endpoint has missed',
      description:
        'Enables the endpoint again and resends its failed and skipped deliveries that were made since then, the oldest first, but not `job.started` and `job.progress`, which would be old news. It goes on by itself, also over tens of thousands.',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: RecoverRequest,
            example: { url: 'https://caller.example/hooks', since: '2026-11-20T00:00:00Z' },
          },
        },
      },
      responses: {
        '202': {
          ...json(Recovery, 'The endpoint is enabled, and resending has begun', recovery),
          headers: z.object({ 'Retry-After': comeBack }),
        },
        ...refusals(...ofBody),
      },
    },
  },
};
