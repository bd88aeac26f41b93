import type { Spending, Tenants } from '@grsai-jobs/job-store';
import { dateOf, dayOf, SPENT_DAYS, type SpentRow, TENANT, USAGE_GROUPS, type UsageGroup, usageBy } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { principalOf } from '../http/auth.ts';
import { oneOf, single } from '../http/list-query.ts';
import { json, refusals } from '../http/openapi/answers.ts';
import { route } from '../http/route.ts';
import { invalid, validate } from '../http/validate.ts';

/** What paid calls came to, by day, model and key: for a tenant its own, for operators those of all. */

/** Days that are read of all tenants at once. */
const DAYS_OF_ALL = 31;
const MOST_ROWS = 10_000;
const OWN_GROUPS = USAGE_GROUPS.filter((group) => group !== 'tenant');

const date = (about: string, example: string) =>
  z.iso.date('must be a date such as 2026-11-01').optional().meta({ param: { example } }).describe(about);

const range = {
  from: date('the first day, UTC; left out: the first of this month', '2026-11-01'),
  to: date('the last day; left out: today', '2026-11-27'),
};

const UsageQuery = z.strictObject({
  ...range,
  group_by: oneOf(OWN_GROUPS)
    .default(['day'])
    .meta({ param: { example: 'day,model' } })
    .describe('one or more of day, model and key, separated by commas'),
});

const AdminUsageQuery = z.strictObject({
  ...range,
  group_by: oneOf(USAGE_GROUPS)
    .default(['day'])
    .meta({ param: { example: 'tenant,model' } })
    .describe('one or more of day, model, key and tenant, separated by commas'),
  tenant: z
    .string()
    .regex(TENANT, 'is no name of a tenant')
    .optional()
    .meta({ param: { example: 'acme' } }),
});

const sum = z.int().min(0);
const own = {
  day: z.iso.date().nullable().describe('UTC, on which the calls began; null: not grouped by'),
  model: z.string().nullable(),
  key: z.string().nullable().describe('id of the API key that sent the jobs'),
};
const sums = {
  jobs: sum.describe('whose first paid call began'),
  credits: sum.describe('charged'),
  reserved: sum.describe('set aside for what is in flight, and for calls of which nobody knows whether they were charged'),
  refunded: sum,
  prompt_tokens: sum,
  completion_tokens: sum,
};
const usageOf = <T extends z.ZodType>(row: T) =>
  z.object({ object: z.literal('usage'), from: z.iso.date(), to: z.iso.date(), data: z.array(row) });
const UsageRowBody = z.object({ ...own, ...sums }).meta({ id: 'UsageRow' });
const Usage = usageOf(UsageRowBody).meta({ id: 'Usage', description: 'In credits of the upstream account' });
const AdminUsage = usageOf(z.object({ tenant: z.string().nullable(), ...own, ...sums }).meta({ id: 'AdminUsageRow' })).meta({
  id: 'AdminUsage',
});

const row = {
  ...{ day: '2026-11-27', model: 'nano-banana-2', key: null },
  ...{ jobs: 152, credits: 180_000, reserved: 2400, refunded: 3600, prompt_tokens: 0, completion_tokens: 0 },
};
const span = { object: 'usage', from: '2026-11-01', to: '2026-11-27' } as const;

interface UsageDeps {
  spending: Pick<Spending, 'rows'>;
  clock: { now(): number };
}

interface Days {
  from: number;
  to: number;
}

const dayIn = (text: string): number => dayOf(Date.parse(text));

/** @throws Problem for days that are not counted, or are too many at once. */
function daysOf({ from, to }: { from?: string | undefined; to?: string | undefined }, now: number, most: number): Days {
  const today = dayOf(now);
  const last = to === undefined ? today : dayIn(to);
  const first = from === undefined ? Math.min(last, dayIn(`${dateOf(today).slice(0, 7)}-01`)) : dayIn(from);
  const wrong = (pointer: string, message: string) => invalid([{ pointer, message }]);
  if (first > last) throw wrong('/from', 'must not be after "to"');
  if (first <= today - SPENT_DAYS)
    throw wrong('/from', `is too long ago: usage is kept for ${SPENT_DAYS} days, since ${dateOf(today - SPENT_DAYS + 1)}`);
  if (first > today) throw wrong('/from', 'is still to come');
  if (last - first >= most)
    throw wrong(
      '/to',
      `is too far from "from": at most ${most} days are read at once${most === DAYS_OF_ALL ? ' of all tenants; name a tenant for more' : ''}`,
    );
  return { from: first, to: Math.min(last, today) };
}

function grouped(rows: readonly SpentRow[], groups: readonly UsageGroup[]) {
  const data = usageBy(rows, groups);
  if (data.length > MOST_ROWS)
    throw invalid([
      {
        pointer: '/group_by',
        message: `makes ${data.length} rows; at most ${MOST_ROWS} are answered: group by less, or name fewer days`,
      },
    ]);
  return data;
}

export const readUsage = route({
  method: 'get',
  path: '/v1/usage',
  scope: 'jobs:read',
  operation: {
    operationId: 'getUsage',
    summary: 'What paid calls came to',
    description: `Of jobs whose model had a known price, on the day on which each call began. Kept for ${SPENT_DAYS} days, also when the jobs are deleted.`,
    requestParams: { query: UsageQuery },
    responses: {
      '200': json(Usage, 'Sums, in the order of what they are grouped by', { ...span, data: [row] }),
      ...refusals('unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: UsageDeps) => [
    async (request, response) => {
      const query = validate(UsageQuery, Object.fromEntries(single(request.query)));
      const days = daysOf(query, o.clock.now(), SPENT_DAYS);
      const rows = await o.spending.rows(principalOf(response).tenant, days.from, days.to);
      const data = grouped(rows, query.group_by).map(({ tenant: _, ...each }) => each);
      response.json({ object: 'usage', from: dateOf(days.from), to: dateOf(days.to), data });
    },
  ],
});

export const readAllUsage = route({
  method: 'get',
  path: '/admin/v1/usage',
  scope: 'admin:read',
  operation: {
    operationId: 'getAllUsage',
    summary: 'What paid calls of tenants came to',
    description: `Of all tenants at most ${DAYS_OF_ALL} days at once.`,
    requestParams: { query: AdminUsageQuery },
    responses: {
      '200': json(AdminUsage, 'Sums, in the order of what they are grouped by', { ...span, data: [{ tenant: 'acme', ...row }] }),
      ...refusals('unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: UsageDeps & { tenants: Pick<Tenants, 'all'> }) => [
    async (request, response) => {
      const query = validate(AdminUsageQuery, Object.fromEntries(single(request.query)));
      const days = daysOf(query, o.clock.now(), query.tenant === undefined ? DAYS_OF_ALL : SPENT_DAYS);
      const rows: SpentRow[] = [];
      for (const tenant of query.tenant === undefined ? await o.tenants.all() : [query.tenant])
        rows.push(...(await o.spending.rows(tenant, days.from, days.to)));
      response.json({ object: 'usage', from: dateOf(days.from), to: dateOf(days.to), data: grouped(rows, query.group_by) });
    },
  ],
});
