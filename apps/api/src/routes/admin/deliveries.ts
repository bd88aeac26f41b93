import type { JobStore } from '@grsai-jobs/job-store';
import { viewAdminDelivery } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { writeCursor } from '../../http/list-query.ts';
import { anyDelivery } from '../../http/named.ts';
import { json, listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { orProblem, RESEND_REFUSALS } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import type { ResendDelivery } from '../../use-cases/resend-delivery.ts';
import { Reason } from '../../validation/fields.ts';
import { Delivery, delivered, listed, resent } from '../webhooks/delivery.ts';
import { AdminDeliveryQuery, adminDeliveryQuery } from '../webhooks/query.ts';
import { always, ofBody } from './operation.ts';

/** Webhook deliveries of all tenants. */

type Deliveries = Pick<JobStore['deliveries'], 'read'>;

/** The body of `POST /admin/v1/webhook-deliveries/{id}/resend`. */
const ResendRequest = z.strictObject({ reason: Reason });

const AdminDelivery = Delivery.extend({ tenant: z.string() }).meta({ id: 'AdminWebhookDelivery' });

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

const oneDelivery = { path: z.object({ id: z.string().meta({ example: delivered.id }) }) };

export const listAllWebhookDeliveries = route({
  method: 'get',
  path: '/admin/v1/webhook-deliveries',
  scope: 'admin:read',
  operation: {
    operationId: 'listAllWebhookDeliveries',
    summary: 'Webhook deliveries of all tenants, the newest first',
    description:
      'The parameters of `GET /v1/webhook-deliveries`, and `tenant`. At most 2000 deliveries are read for one page, for at most 2 s: it can be shorter than `limit`, or empty, and still have a `next_cursor`.',
    requestParams: { query: AdminDeliveryQuery },
    responses: {
      '200': json(listOf(AdminDelivery), 'A page; `next_cursor` is null on the last one', listExample(ofTenant(listed))),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { deliveryList: JobStore['deliveryList'] }) => [
    async (request, response) => {
      const { deliveries, next } = await o.deliveryList.page(adminDeliveryQuery(request.query));
      const data = deliveries.map((delivery) => viewAdminDelivery(delivery, { whole: false }));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});

export const readAnyWebhookDelivery = route({
  method: 'get',
  path: '/admin/v1/webhook-deliveries/{id}',
  scope: 'admin:read',
  operation: {
    operationId: 'getAnyWebhookDelivery',
    summary: 'A webhook delivery of any tenant with all its attempts',
    requestParams: oneDelivery,
    responses: { '200': json(AdminDelivery, 'The delivery', ofTenant(delivered)), ...refusals('not_found', ...always) },
  },
  handlers: (o: { deliveries: Deliveries }) => [
    async (request, response) => {
      response.json(viewAdminDelivery(await anyDelivery(o.deliveries, request.params.id), { whole: true }));
    },
  ],
});

export const resendAnyWebhookDelivery = route({
  method: 'post',
  path: '/admin/v1/webhook-deliveries/{id}/resend',
  scope: 'admin:write',
  operation: {
    operationId: 'resendAnyWebhookDelivery',
    summary: 'Make one more attempt of a webhook delivery of any tenant',
    description: 'By the rules of `POST /v1/webhook-deliveries/{id}/resend`.',
    requestParams: oneDelivery,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: ResendRequest, example: { reason: 'their receiver is well again' } } },
    },
    responses: {
      '202': {
        ...json(AdminDelivery, 'One more attempt is under way', ofTenant(resent)),
        headers: z.object({ 'Retry-After': z.string().describe('seconds until it is worth asking again') }),
      },
      ...refusals('not_found', 'conflict', ...ofBody, ...always),
    },
  },
  handlers: (o: { deliveries: Deliveries; resendDelivery: ResendDelivery; audited: Audited }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { reason } = validateBody(ResendRequest, request.body);
      const asked = await anyDelivery(o.deliveries, request.params.id);
      const delivery = await o.audited(response, { action: 'webhook.resend', target: asked.id, reason }, async () => {
        const result = orProblem(await o.resendDelivery(asked), RESEND_REFUSALS);
        return { result: result.delivery, detail: `tenant ${asked.tenant}` };
      });
      response
        .status(202)
        .set('Retry-After', '2')
        .json(viewAdminDelivery(delivery, { whole: true }));
    },
  ],
});
