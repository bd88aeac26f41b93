import { BATCH_EVENTS, type Delivery as DeliveryRecord, JOB_EVENTS } from '@grsai-jobs/jobs';
import { z } from 'zod';

export const DELIVERY_STATES = [
  'pending',
  'delivered',
  'failed',
  'skipped',
] as const satisfies readonly DeliveryRecord['state'][];
export const DELIVERY_TYPES = [...JOB_EVENTS, ...BATCH_EVENTS] as const;
const time = z.iso.datetime();
export const id = z.string().meta({ example: 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_job_succeeded' });

/** Refusals of a route with a JSON body. */
export const ofBody = [
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
    id: id.describe('the `webhook-id` of each attempt, and the `id` of the body'),
    object: z.literal('webhook_delivery'),
    job_id: z.string().optional(),
    batch_id: z.string().optional().describe('in place of job_id, for events of a batch'),
    run: z.int().describe('the run of the job, or the round of the batch, that it reports'),
    type: z.enum(DELIVERY_TYPES),
    url: z.string(),
    state: z
      .enum(DELIVERY_STATES)
      .describe(
        '`skipped`: nothing was sent, as the endpoint was disabled, or in trouble when a progress webhook of a live job came',
      ),
    tries: z.int().describe('attempts made so far'),
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
      .describe('the newest 20 attempts'),
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
