import type { DeliveryFilter, JobStore, ListPlace } from '@grsai-jobs/job-store';
import {
  BATCH_EVENTS,
  type Delivery,
  endpointOf,
  isSentOnce,
  JOB_EVENTS,
  JOB_ID,
  LIMITS,
  rfc3339,
  viewDelivery,
} from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import type { RecoverEndpoint } from '../../use-cases/recover-endpoint.ts';
import type { ResendDelivery } from '../../use-cases/resend-delivery.ts';
import { type Auth, principalOf } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { oneOf, PageQuery, single, TenantParameter } from '../list-query.ts';
import { ownDelivery } from '../named.ts';
import { orProblem, RESEND_REFUSALS } from '../refusals.ts';
import { invalid, validate, validateBody } from '../validate.ts';

export const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'skipped'] as const satisfies readonly Delivery['state'][];
export const DELIVERY_TYPES = [...JOB_EVENTS, ...BATCH_EVENTS] as const;

/** The query of `GET /v1/webhook-deliveries`. */
export const DeliveryQuery = z.strictObject({
  job_id: z
    .string()
    .regex(JOB_ID, 'must be the id of a job')
    .optional()
    .meta({ param: { example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' } }),
  state: oneOf(DELIVERY_STATES)
    .optional()
    .meta({ param: { example: 'failed,skipped' } })
    .describe('one or more, separated by commas'),
  type: oneOf(DELIVERY_TYPES)
    .optional()
    .meta({ param: { example: 'job.succeeded' } })
    .describe('one or more, separated by commas'),
  url: z
    .string()
    .min(1)
    .max(LIMITS.url)
    .optional()
    .meta({ param: { example: 'https://caller.example/hooks' } })
    .describe('deliveries to the endpoint of this URL: its query does not matter'),
  ...PageQuery,
});

/** The query of `GET /admin/v1/webhook-deliveries`: the same over all tenants. */
export const AdminDeliveryQuery = DeliveryQuery.extend({ tenant: TenantParameter });

/** @throws Problem 422 for what is no URL of a webhook. */
function endpointIn(url: string): string {
  if (!/^https?:/.test(URL.parse(url)?.protocol ?? ''))
    throw invalid([{ pointer: '/url', message: 'must be a URL such as https://caller.example/hooks' }]);
  return endpointOf(url);
}

function isTo(url: string): (other: string) => boolean {
  const endpoint = endpointIn(url);
  return (other) => endpointOf(other) === endpoint;
}

interface Asked {
  filter: DeliveryFilter;
  after: ListPlace | null;
  limit: number;
}

const deliveryQuery = (query: Readonly<Record<string, unknown>>): Asked =>
  askedFor(validate(DeliveryQuery, Object.fromEntries(single(query))));

/** The same for all tenants: `tenant` is `null` when the query names none. */
export function adminDeliveryQuery(query: Readonly<Record<string, unknown>>): Asked & { tenant: string | null } {
  const known = validate(AdminDeliveryQuery, Object.fromEntries(single(query)));
  return { ...askedFor(known), tenant: known.tenant ?? null };
}

function askedFor(known: z.output<typeof DeliveryQuery>): Asked {
  return {
    filter: {
      ...(known.job_id ? { jobId: known.job_id } : {}),
      ...(known.state ? { state: known.state } : {}),
      ...(known.type ? { type: known.type } : {}),
      ...(known.url ? { goesTo: isTo(known.url) } : {}),
    },
    after: known.cursor === undefined ? null : placeOf(known.cursor),
    limit: known.limit,
  };
}

/** News of a live job would be old by now, so they are left out. */
const RECOVERED = DELIVERY_TYPES.filter((type) => !isSentOnce(type)).join(',');
const SMALL_BODY = 16 * 1024;

/** The body of `POST /v1/webhook-deliveries/recover`. */
export const RecoverRequest = z.strictObject({
  url: z.string().min(1).max(LIMITS.url).describe('any URL of the endpoint: its query does not matter'),
  since: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-01-31T08:00:00Z' })
    .describe('webhooks that were made before are left alone'),
});

/** The answer to it. */
export const Recovery = z
  .strictObject({
    object: z.literal('webhook_recovery'),
    url: z.string(),
    since: z.iso.datetime(),
    links: z.strictObject({ remaining: z.string().describe('what is still failed or skipped of this endpoint') }),
  })
  .meta({ id: 'WebhookRecovery' });

/** What became of the tenant's webhooks, the newest first, and what resends them. */
export function webhookDeliveryRoutes(o: {
  auth: Auth;
  deliveries: Pick<JobStore['deliveries'], 'read'>;
  list: JobStore['deliveryList'];
  resend: ResendDelivery;
  recover: RecoverEndpoint;
}): Router {
  const router = Router();
  const read = o.auth.requireScope('jobs:read');
  const write = o.auth.requireScope('webhooks:write');

  router.get('/v1/webhook-deliveries', read, async (request, response) => {
    const { deliveries, next } = await o.list.page({ tenant: principalOf(response).tenant, ...deliveryQuery(request.query) });
    const data = deliveries.map((delivery) => viewDelivery(delivery, { whole: false }));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/v1/webhook-deliveries/:id', read, async (request: Request<{ id: string }>, response) => {
    response.json(viewDelivery(await ownDelivery(o.deliveries, request.params.id, response), { whole: true }));
  });

  router.post('/v1/webhook-deliveries/:id/resend', write, async (request: Request<{ id: string }>, response) => {
    const resent = orProblem(await o.resend(await ownDelivery(o.deliveries, request.params.id, response)), RESEND_REFUSALS);
    response
      .status(202)
      .set('Retry-After', '2')
      .json(viewDelivery(resent.delivery, { whole: true }));
  });

  router.post('/v1/webhook-deliveries/recover', write, ...jsonBody(SMALL_BODY), async (request, response) => {
    const { url, since } = validateBody(RecoverRequest, request.body);
    endpointIn(url);
    await o.recover({ tenant: principalOf(response).tenant, url, since: Date.parse(since) });
    const answer: z.output<typeof Recovery> = {
      object: 'webhook_recovery',
      url,
      since: rfc3339(Date.parse(since)),
      links: { remaining: `/v1/webhook-deliveries?state=failed,skipped&type=${RECOVERED}&url=${encodeURIComponent(url)}` },
    };
    response.status(202).set('Retry-After', '2').json(answer);
  });

  return router;
}
