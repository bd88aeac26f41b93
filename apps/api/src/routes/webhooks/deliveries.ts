import type { JobStore } from '@grsai-jobs/job-store';
import { isSentOnce, LIMITS, rfc3339, viewDelivery } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { writeCursor } from '../../http/list-query.ts';
import { ownDelivery } from '../../http/named.ts';
import { comeBack, json, listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { orProblem, RESEND_REFUSALS } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import type { RecoverEndpoint } from '../../use-cases/recover-endpoint.ts';
import type { ResendDelivery } from '../../use-cases/resend-delivery.ts';
import { DELIVERY_TYPES, Delivery, delivered, id, listed, ofBody, resent } from './delivery.ts';
import { DeliveryQuery, deliveryQuery, endpointIn } from './query.ts';

/** What became of the tenant's webhooks, the newest first, and what resends them. */

type Deliveries = Pick<JobStore['deliveries'], 'read'>;

const oneDelivery = { path: z.object({ id }) };

export const listWebhookDeliveries = route({
  method: 'get',
  path: '/v1/webhook-deliveries',
  scope: 'jobs:read',
  operation: {
    operationId: 'listWebhookDeliveries',
    summary: 'List webhook deliveries, the newest first',
    description:
      'At most 2000 deliveries are read for one page, for at most 2 s: it can be shorter than `limit`, or empty, and still have a `next_cursor`.',
    requestParams: { query: DeliveryQuery },
    responses: {
      '200': json(listOf(Delivery), 'A page; `next_cursor` is null on the last one', listExample(listed)),
      ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: { deliveryList: JobStore['deliveryList'] }) => [
    async (request, response) => {
      const { deliveries, next } = await o.deliveryList.page({
        tenant: principalOf(response).tenant,
        ...deliveryQuery(request.query),
      });
      const data = deliveries.map((delivery) => viewDelivery(delivery, { whole: false }));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});

export const readWebhookDelivery = route({
  method: 'get',
  path: '/v1/webhook-deliveries/{id}',
  scope: 'jobs:read',
  operation: {
    operationId: 'getWebhookDelivery',
    summary: 'Read a webhook delivery with all its attempts',
    requestParams: oneDelivery,
    responses: {
      '200': json(Delivery, 'The delivery', delivered),
      ...refusals('unauthorized', 'forbidden', 'not_found', 'unavailable'),
    },
  },
  handlers: (o: { deliveries: Deliveries }) => [
    async (request, response) => {
      response.json(viewDelivery(await ownDelivery(o.deliveries, request.params.id, response), { whole: true }));
    },
  ],
});

export const resendWebhookDelivery = route({
  method: 'post',
  path: '/v1/webhook-deliveries/{id}/resend',
  scope: 'webhooks:write',
  operation: {
    operationId: 'resendWebhookDelivery',
    summary: 'Make one more attempt of a webhook delivery',
    description:
      'For one that is delivered, failed, skipped or waits for a later attempt, which goes on with its schedule then. It keeps its `webhook-id`; timestamp, signature and the links in its body are new. Of two requests at once one is a 409, so they make one attempt.',
    requestParams: oneDelivery,
    responses: {
      '202': { ...json(Delivery, 'One more attempt is under way', resent), headers: z.object({ 'Retry-After': comeBack }) },
      ...refusals('unauthorized', 'forbidden', 'not_found', 'conflict', 'unavailable'),
    },
  },
  handlers: (o: { deliveries: Deliveries; resendDelivery: ResendDelivery }) => [
    async (request, response) => {
      const { delivery } = orProblem(
        await o.resendDelivery(await ownDelivery(o.deliveries, request.params.id, response)),
        RESEND_REFUSALS,
      );
      response
        .status(202)
        .set('Retry-After', '2')
        .json(viewDelivery(delivery, { whole: true }));
    },
  ],
});

/** Progress webhooks are left out: they would be out of date. */
const RECOVERED = DELIVERY_TYPES.filter((type) => !isSentOnce(type)).join(',');

/** The body of `POST /v1/webhook-deliveries/recover`. */
const RecoverRequest = z.strictObject({
  url: z.string().min(1).max(LIMITS.url).describe('any URL of the endpoint: its query does not matter'),
  since: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-01-31T08:00:00Z' })
    .describe('webhooks that were made before are left alone'),
});

/** The answer to it. */
const Recovery = z
  .strictObject({
    object: z.literal('webhook_recovery'),
    url: z.string(),
    since: z.iso.datetime(),
    links: z.strictObject({ remaining: z.string().describe('what is still failed or skipped of this endpoint') }),
  })
  .meta({ id: 'WebhookRecovery' });

const recovery: z.output<typeof Recovery> = {
  object: 'webhook_recovery',
  url: 'https://caller.example/hooks',
  since: '2026-11-20T00:00:00.000Z',
  links: {
    remaining:
      '/v1/webhook-deliveries?state=failed,skipped&type=job.succeeded,job.failed,job.canceled,job.expired,batch.completed,batch.canceled,batch.expired&url=https%3A%2F%2Fcaller.example%2Fhooks',
  },
};

export const recoverWebhookEndpoint = route({
  method: 'post',
  path: '/v1/webhook-deliveries/recover',
  scope: 'webhooks:write',
  operation: {
    operationId: 'recoverWebhookEndpoint',
    summary: 'Resend all that an endpoint has missed',
    description:
      'Enables the endpoint again and resends its failed and skipped deliveries that were made since then, the oldest first, but not `job.started` and `job.progress`, which would be out of date. It goes on by itself, also over tens of thousands.',
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
  handlers: (o: { recoverEndpoint: RecoverEndpoint }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { url, since } = validateBody(RecoverRequest, request.body);
      endpointIn(url);
      await o.recoverEndpoint({ tenant: principalOf(response).tenant, url, since: Date.parse(since) });
      const answer: z.output<typeof Recovery> = {
        object: 'webhook_recovery',
        url,
        since: rfc3339(Date.parse(since)),
        links: { remaining: `/v1/webhook-deliveries?state=failed,skipped&type=${RECOVERED}&url=${encodeURIComponent(url)}` },
      };
      response.status(202).set('Retry-After', '2').json(answer);
    },
  ],
});
