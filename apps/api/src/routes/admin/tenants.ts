import type { Rooms, Spending, TenantLimitStore, Tenants, Usage } from '@grsai-jobs/job-store';
import { TENANT, TenantLimits } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { json, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { invalid, validateBody } from '../../http/validate.ts';
import type { ModelCatalogue } from '../../use-cases/model-catalogue.ts';
import type { TenantRules, TenantRulesOf } from '../../use-cases/tenant-limits.ts';
import { Reason } from '../../validation/fields.ts';
import { always, body, ofBody } from './operation.ts';

/** Limits of tenants: what operators set for each, and what holds. */

/** The body of `PUT /admin/v1/tenants/{tenant}`. */
const TenantPut = TenantLimits.extend({ reason: Reason.optional() });

const whole = z.int().nullable();

const TenantView = z
  .object({
    object: z.literal('tenant'),
    tenant: z.string(),
    limits: TenantLimits.describe('what is set for this tenant; what is left out is as the service is configured'),
    effective: z
      .object({
        requests_per_minute: whole,
        models: z.array(z.string()).nullable(),
        max_in_flight: whole,
        max_queued: whole,
        max_live_jobs: whole,
        budget: TenantLimits.shape.budget.unwrap().nullable(),
        max_redis_bytes: whole,
        max_stored_bytes: whole,
      })
      .describe('what holds; null: no limit'),
    used: z.object({
      queued_jobs: z.int(),
      live_jobs: z.int(),
      redis_bytes: z.int(),
      stored_bytes: z.int(),
      budget_credits: z.int().nullable().describe('charged and set aside in the period of its budget; null: it has none'),
    }),
  })
  .meta({ id: 'Tenant' });

const LIMITS = {
  requests_per_minute: 600,
  models: ['nano-banana-2', 'gemini-3.1-pro'],
  max_in_flight: 20,
  max_queued: 5000,
  max_live_jobs: 10_000,
  budget: { credits: 1_000_000, period: 'month' },
} satisfies TenantLimits;

const example: z.output<typeof TenantView> = {
  object: 'tenant',
  tenant: 'acme',
  limits: LIMITS,
  effective: { ...LIMITS, max_redis_bytes: 250_000_000, max_stored_bytes: null },
  used: { queued_jobs: 190, live_jobs: 212, redis_bytes: 540_123, stored_bytes: 81_000_000, budget_credits: 182_400 },
};

const oneTenant = {
  path: z.object({ tenant: z.string().meta({ example: 'acme' }) }),
};

const orNone = (limit: number): number | null => (limit === 0 ? null : limit);

const effective = ({
  quotas,
  maxInFlight,
  maxQueued,
  requestsPerMinute,
  models,
  budget,
}: TenantRules): z.output<typeof TenantView>['effective'] => ({
  requests_per_minute: orNone(requestsPerMinute),
  models: models === null ? null : [...models],
  max_in_flight: orNone(maxInFlight),
  max_queued: orNone(maxQueued),
  max_live_jobs: orNone(quotas.live),
  budget,
  max_redis_bytes: orNone(quotas.redis),
  max_stored_bytes: orNone(quotas.stored),
});

interface TenantDeps {
  tenants: Pick<Tenants, 'all'>;
  tenantLimits: Pick<TenantLimitStore, 'read' | 'replace'>;
  tenantRules: Pick<TenantRulesOf, 'under'>;
  usage: Pick<Usage, 'of'>;
  rooms: Pick<Rooms, 'queued'>;
  spending: Pick<Spending, 'spent'>;
  clock: { now(): number };
}

async function view(o: TenantDeps, tenant: string): Promise<z.output<typeof TenantView>> {
  const [limits, used, queued] = await Promise.all([o.tenantLimits.read(tenant), o.usage.of(tenant), o.rooms.queued(tenant)]);
  const spent = limits.budget ? await o.spending.spent(tenant, limits.budget.period, o.clock.now()) : null;
  return {
    object: 'tenant',
    tenant,
    limits,
    effective: effective(o.tenantRules.under(limits)),
    used: {
      queued_jobs: queued,
      live_jobs: used.live,
      redis_bytes: used.redis,
      stored_bytes: used.stored,
      budget_credits: spent,
    },
  };
}

/** @throws Problem for a name that no key was ever made for: limits of a mistyped tenant would hold for nobody. */
async function knownTenant({ tenants }: Pick<TenantDeps, 'tenants'>, name: string): Promise<string> {
  if (TENANT.test(name) && (await tenants.all()).includes(name)) return name;
  throw new Problem(
    'not_found',
    'There is no tenant with this name: no key was ever made for it. POST /admin/v1/keys makes one, GET /admin/v1/keys lists them.',
  );
}

/** @throws Problem for models that nobody knows: a mistyped one would be refused to a tenant that pays for it. */
async function requireKnown(catalogue: Pick<ModelCatalogue, 'all'>, models: readonly string[]): Promise<void> {
  const known = await catalogue.all();
  const unknown = models.flatMap((model, at) => (known.has(model) ? [] : [{ model, at }]));
  if (unknown.length === 0) return;
  throw invalid(
    unknown.map(({ model, at }) => ({ pointer: `/models/${at}`, message: `"${model}" is no model of GET /v1/models` })),
  );
}

/**
 * A budget that stands already may be sent again: the answer to it was lost.
 * @throws Problem for a budget in all that was spent before it was set: no job would ever be taken.
 */
async function requireUnspent(
  o: Pick<TenantDeps, 'spending' | 'clock' | 'tenantLimits'>,
  tenant: string,
  budget: TenantLimits['budget'],
): Promise<void> {
  if (budget?.period !== 'total') return;
  const spent = await o.spending.spent(tenant, budget.period, o.clock.now());
  if (spent < budget.credits) return;
  const { budget: set } = await o.tenantLimits.read(tenant);
  if (set?.period === budget.period && set.credits === budget.credits) return;
  throw invalid([
    {
      pointer: '/budget/credits',
      message: `this tenant has spent ${spent} credits already, so no job would ever be taken; name more than that, or delete its keys`,
    },
  ]);
}

const textOf = (value: TenantLimits[keyof TenantLimits]): string => {
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'object' ? `${value.credits} a ${value.period}` : String(value);
};

/** What a change sets, for the audit log. */
const described = (limits: TenantLimits): string =>
  Object.entries(limits)
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join(', ') || 'as configured';

export const readTenant = route({
  method: 'get',
  path: '/admin/v1/tenants/{tenant}',
  scope: 'admin:read',
  operation: {
    operationId: 'readTenant',
    summary: 'Limits of a tenant, and what it uses of them',
    requestParams: oneTenant,
    responses: { '200': json(TenantView, 'The tenant', example), ...refusals('not_found', ...always) },
  },
  handlers: (o: TenantDeps) => [
    async (request, response) => {
      response.json(await view(o, await knownTenant(o, request.params.tenant)));
    },
  ],
});

export const changeTenant = route({
  method: 'put',
  path: '/admin/v1/tenants/{tenant}',
  scope: 'admin:write',
  operation: {
    operationId: 'changeTenant',
    summary: 'Set the limits of a tenant',
    description:
      'Replaces all of them: what is left out is as the service is configured, and `{}` lifts all that was set. Every process follows within 2 s. Jobs that were accepted before go on.',
    requestParams: oneTenant,
    requestBody: body(TenantPut, { ...LIMITS, reason: 'their plan' }, {}),
    responses: { '200': json(TenantView, 'The tenant', example), ...refusals('not_found', ...ofBody, ...always) },
  },
  handlers: (o: TenantDeps & { audited: Audited; catalogue: Pick<ModelCatalogue, 'all'> }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { reason = '', ...limits } = validateBody(TenantPut, request.body);
      const tenant = await knownTenant(o, request.params.tenant);
      await requireKnown(o.catalogue, limits.models ?? []);
      await requireUnspent(o, tenant, limits.budget);
      await o.audited(response, { action: 'tenant.change', target: tenant, reason }, async () => {
        await o.tenantLimits.replace(tenant, limits);
        return { result: undefined, detail: described(limits) };
      });
      response.json(await view(o, tenant));
    },
  ],
});
