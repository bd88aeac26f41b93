import type { Cursor, DeliveryFilter } from '@grsai-jobs/job-store';
import { endpointOf, JOB_ID, LIMITS } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { oneOf, PageQuery, readCursor, single, TenantParameter } from '../../http/list-query.ts';
import { invalid, validate } from '../../http/validate.ts';
import { DELIVERY_STATES, DELIVERY_TYPES } from './delivery.ts';

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
export function endpointIn(url: string): string {
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
  after: Cursor | null;
  limit: number;
}

export const deliveryQuery = (query: Readonly<Record<string, unknown>>): Asked =>
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
    after: known.cursor === undefined ? null : readCursor(known.cursor),
    limit: known.limit,
  };
}
