import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { AdminBatchQuery } from '../routes/admin-batches.ts';
import { ResendRequest } from '../routes/admin-deliveries.ts';
import { AdminDeliveryQuery } from '../routes/webhook-deliveries.ts';
import { completedBatch } from './batch-examples.ts';
import { Batch } from './batch-schemas.ts';
import { listExample } from './examples.ts';
import { json, listOf, refusals } from './schemas.ts';
import { Delivery, delivered, listed, resent } from './webhook-paths.ts';

const always = ['unauthorized', 'forbidden', 'unavailable'] as const;
const ofBody = ['malformed_json', 'body_too_large', 'unsupported_media_type', 'invalid_request'] as const;

const AdminDelivery = Delivery.extend({ tenant: z.string() }).meta({ id: 'AdminWebhookDelivery' });
const AdminBatch = Batch.extend({ tenant: z.string() }).meta({ id: 'AdminBatch' });

const self = `/admin/v1/webhook-deliveries/${delivered.id}`;
const ofTenant = (delivery: typeof delivered): z.output<typeof AdminDelivery> => ({
  ...delivery,
  tenant: 'acme',
  links: {
    self,
    job: `/admin/v1/jobs/${delivery.job_id}`,
    ...(delivery.state === 'pending' ? {} : { resend: `${self}/resend` }),
  },
});
const batch: z.output<typeof AdminBatch> = {
  ...completedBatch,
  tenant: 'acme',
  links: { self: `/admin/v1/batches/${completedBatch.id}`, jobs: `/admin/v1/jobs?batch_id=${completedBatch.id}` },
};

const oneDelivery = { path: z.object({ id: z.string().meta({ example: delivered.id }) }) };
const oneBatch = { path: z.object({ id: z.string().meta({ example: completedBatch.id }) }) };

/** What operators see of the webhooks and batches of all tenants. */
export const adminTenantPaths: ZodOpenApiPathsObject = {
  '/admin/v1/webhook-deliveries': {
    get: {
      operationId: 'listAllWebhookDeliveries',
      summary: 'Webhook deliveries of all tenants, the newest first',
      description:
        'The parameters of `GET /v1/webhook-deliveries`, and `tenant`. At most 2000 deliveries are read for one page: it can be shorter than `limit`, or empty, and still have a `next_cursor`.',
      requestParams: { query: AdminDeliveryQuery },
      responses: {
        '200': json(listOf(AdminDelivery), 'A page; `next_cursor` is null on the last one', listExample(ofTenant(listed))),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/webhook-deliveries/{id}': {
    get: {
      operationId: 'getAnyWebhookDelivery',
      summary: 'A webhook delivery of any tenant with all its tries',
      requestParams: oneDelivery,
      responses: { '200': json(AdminDelivery, 'The delivery', ofTenant(delivered)), ...refusals('not_found', ...always) },
    },
  },
  '/admin/v1/webhook-deliveries/{id}/resend': {
    post: {
      operationId: 'resendAnyWebhookDelivery',
      summary: 'Try a webhook delivery of any tenant once more',
      description: 'By the rules of `POST /v1/webhook-deliveries/{id}/resend`.',
      requestParams: oneDelivery,
      requestBody: {
        required: true,
        content: { 'application/json': { schema: ResendRequest, example: { reason: 'their receiver is well again' } } },
      },
      responses: {
        '202': {
          ...json(AdminDelivery, 'One more try is under way', ofTenant(resent)),
          headers: z.object({ 'Retry-After': z.string().describe('seconds until it is worth asking again') }),
        },
        ...refusals('not_found', 'conflict', ...ofBody, ...always),
      },
    },
  },
  '/admin/v1/batches': {
    get: {
      operationId: 'listAllBatches',
      summary: 'Batches of all tenants, the newest first',
      requestParams: { query: AdminBatchQuery },
      responses: {
        '200': json(listOf(AdminBatch), 'A page; `next_cursor` is null on the last one', listExample(batch)),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/batches/{id}': {
    get: {
      operationId: 'getAnyBatch',
      summary: 'A batch of any tenant',
      requestParams: oneBatch,
      responses: { '200': json(AdminBatch, 'The batch', batch), ...refusals('not_found', ...always) },
    },
  },
};
