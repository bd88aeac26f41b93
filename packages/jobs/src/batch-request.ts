import { z } from 'zod';
import { BATCH_EVENTS, JOB_EVENTS, type JobEvent } from './events.ts';
import { LIMITS } from './limits.ts';
import { ChatJob, ExpiresInS, httpUrl, ImageJob, type JobRequest, Metadata, Priority } from './request.ts';

/** What callers send to make a batch. */

/** Names an item within its batch, in results and in lists of bad lines. */
export const CUSTOM_ID = /^[A-Za-z0-9_-]{1,64}$/;

const custom_id = z.string().regex(CUSTOM_ID, 'must be 1 to 64 of A-Z a-z 0-9 _ -').meta({ example: 'order-17' });

/** One line of a batch: as the body of `POST /v1/jobs`, with a name. */
export const BatchItem = z
  .discriminatedUnion('type', [
    ChatJob.extend({ custom_id }).meta({ id: 'ChatBatchItem' }),
    ImageJob.extend({ custom_id }).meta({ id: 'ImageBatchItem' }),
  ])
  .meta({ id: 'BatchItem' });

const EVENTS = [...BATCH_EVENTS, ...JOB_EVENTS] as const;

/** Where a batch reports its end. Events of jobs are reported only when they are named: job webhooks only when asked for. */
export const BatchWebhook = z.strictObject({
  url: httpUrl.meta({ example: 'https://caller.example/hooks' }),
  events: z
    .array(z.enum(EVENTS))
    .min(1)
    .max(EVENTS.length)
    .default([...BATCH_EVENTS]),
});
export type BatchWebhook = z.output<typeof BatchWebhook>;

/** What lies under each item of the JSON form; `priority` and `expires_in_s` are those of the batch itself too. */
const BatchDefaults = z.strictObject({
  type: z.unknown().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  via: z.unknown().optional(),
  webhook: z.record(z.string(), z.unknown()).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  priority: Priority.optional(),
  expires_in_s: ExpiresInS.optional(),
  max_attempts: z.unknown().optional(),
  on_unknown_submit: z.unknown().optional(),
  output: z.record(z.string(), z.unknown()).optional(),
});

/** An item of the JSON form that leaves out what the defaults say. */
const ItemOverDefaults = BatchDefaults.extend({ custom_id }).meta({
  id: 'BatchItemOverDefaults',
  description: 'With the `defaults` of the request under it, it is a BatchItem.',
});

/** What each item of the JSON form is documented as. */
export const JsonBatchItem = z.union([BatchItem, ItemOverDefaults]).meta({ id: 'JsonBatchItem' });

/** The JSON body of `POST /v1/batches`. Its items are checked one by one, each with the defaults under it. */
export const BatchRequest = z.strictObject({
  defaults: BatchDefaults.default({}),
  webhook: BatchWebhook.optional(),
  metadata: Metadata.default({}),
  items: z
    .array(z.unknown())
    .min(1, 'a batch needs at least one item')
    .max(LIMITS.batch.items, `items are limited to ${LIMITS.batch.items}; send more as application/x-ndjson`),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The item with what it leaves out taken from the defaults, at each level of objects; lists are taken whole. */
export function overDefaults(defaults: unknown, item: unknown): unknown {
  if (!isObject(defaults) || !isObject(item)) return item === undefined ? defaults : item;
  const names = new Set([...Object.keys(defaults), ...Object.keys(item)]);
  return Object.fromEntries([...names].map((name) => [name, overDefaults(defaults[name], item[name])]));
}

const isJobEvent = (event: string): event is JobEvent => (JOB_EVENTS as readonly string[]).includes(event);

/** The webhook of jobs of a batch that name none themselves: only the types of jobs that the batch asks for. */
export function jobWebhook(webhook: BatchWebhook | undefined): JobRequest['webhook'] {
  const events = webhook?.events.filter(isJobEvent) ?? [];
  return webhook === undefined || events.length === 0 ? undefined : { url: webhook.url, events };
}
