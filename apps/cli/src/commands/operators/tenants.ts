import type { TenantLimits, TenantView } from '@grsai-jobs/jobs';
import { defineCommand, defineGroup, option } from '../../command.ts';
import type { Context } from '../../context.ts';
import { SHARED } from '../../job-options.ts';
import { bytes, count } from '../../output/format.ts';
import { facts } from '../../output/table.ts';
import { budget, size, whole, words } from '../../values.ts';

const pathOf = (tenant: string): string => `/admin/v1/tenants/${encodeURIComponent(tenant)}`;

/** A limit, with what is used of it. */
function limitText(limit: number | null, shown: (n: number) => string, used?: number): string {
  if (used === undefined) return limit === null ? 'no limit' : shown(limit);
  return limit === null ? `${shown(used)}, no limit` : `${shown(used)} of ${shown(limit)}`;
}

const budgetText = (budget: TenantLimits['budget'] | null, spent: number | null): string =>
  budget
    ? `${count(spent ?? 0)} of ${count(budget.credits)} credits, ${budget.period === 'total' ? 'in all' : `this ${budget.period}`}`
    : 'none';

async function show({ out }: Context, tenant: TenantView): Promise<'ok'> {
  await out.value(tenant, ({ effective, used, limits }, paint) =>
    facts(
      [
        ['tenant', tenant.tenant],
        ['requests a minute', limitText(effective.requests_per_minute, count)],
        ['models', effective.models?.join(', ') ?? 'all'],
        ['in flight', limitText(effective.max_in_flight, count)],
        ['queued', limitText(effective.max_queued, count, used.queued_jobs)],
        ['live jobs', limitText(effective.max_live_jobs, count, used.live_jobs)],
        ['budget', budgetText(effective.budget, used.budget_credits)],
        ['in Redis', limitText(effective.max_redis_bytes, bytes, used.redis_bytes)],
        ['stored', limitText(effective.max_stored_bytes, bytes, used.stored_bytes)],
        ['set for it', Object.keys(limits).join(', ') || 'nothing: all is as configured'],
      ],
      paint,
    ),
  );
  return 'ok';
}

const get = defineCommand<object>({
  usage: 'get <tenant>',
  about: 'The limits of a tenant, and what it uses of them',
  isDefault: true,
  examples: [['tenants get acme', 'what holds for it']],
  run: async (context, _, [tenant = '']) => await show(context, await context.client.request<TenantView>('GET', pathOf(tenant))),
});

interface SetOptions {
  requestsPerMinute?: number;
  models?: string[];
  maxInFlight?: number;
  maxQueued?: number;
  maxLiveJobs?: number;
  maxRedisBytes?: number;
  maxStoredBytes?: number;
  budget?: TenantLimits['budget'];
  reason: string;
}

const set = defineCommand<SetOptions>({
  usage: 'set <tenant>',
  about: 'Set the limits of a tenant, without a deploy; what is left out is as the service is configured',
  details: 'Replaces all that was set for it. Without any limit all of them are lifted.',
  examples: [
    ['tenants set acme --requests-per-minute 600 --max-live-jobs 10000 --reason "their plan"', 'on all processes within 2 s'],
    ['tenants set acme --models nano-banana-2,gemini-3.1-pro --reason "their plan"', 'these models only'],
    ['tenants set acme --reason "a new plan"', 'as every other tenant'],
  ],
  options: [
    option('--requests-per-minute <n>', 'of all its keys together; 0: no limit', whole),
    option('--models <list>', 'the only models that its jobs may use', words),
    option('--max-in-flight <n>', 'calls in flight and running tasks at once; 0: no limit', whole),
    option('--max-queued <n>', 'jobs that wait for their call; 0: no limit', whole),
    option('--max-live-jobs <n>', 'jobs that have not ended; 0: no limit', whole),
    option('--max-redis-bytes <size>', 'what its jobs take in Redis, such as 500mb; 0: no limit', size),
    option('--max-stored-bytes <size>', 'what they take in the bucket, such as 10gb; 0: no limit', size),
    option('--budget <credits/period>', 'what its paid calls may cost, such as 1000000/month; day, month or total', budget),
    SHARED.reason(),
  ],
  run: async (context, { reason, ...o }, [tenant = '']) => {
    const limits: TenantLimits = {
      requests_per_minute: o.requestsPerMinute,
      models: o.models,
      max_in_flight: o.maxInFlight,
      max_queued: o.maxQueued,
      max_live_jobs: o.maxLiveJobs,
      max_redis_bytes: o.maxRedisBytes,
      max_stored_bytes: o.maxStoredBytes,
      budget: o.budget,
    };
    const json = { ...limits, reason };
    return await show(context, await context.client.request<TenantView>('PUT', pathOf(tenant), { json }));
  },
});

export const tenants = defineGroup('tenants', 'Limits of a tenant: look, set', [get, set]);
