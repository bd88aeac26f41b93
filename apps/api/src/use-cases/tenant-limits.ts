import type { Allowance, MemoryWatch, Refused, TenantLimitStore, TenantUse, Usage } from '@grsai-jobs/job-store';
import {
  type Budget,
  dayOf,
  type JobRecord,
  type JobRequest,
  onModel,
  planRetry,
  type RetryMode,
  type TenantLimits,
} from '@grsai-jobs/jobs';
import type { ApiConfig } from '../config.ts';
import type { FieldError } from '../validation/validate.ts';

/** What a tenant may do: what an operator has set for it, over what is configured for all. 0 is no limit. */
export interface TenantRules {
  quotas: TenantUse;
  /** Of its calls in flight and running tasks. */
  maxInFlight: number;
  /** Of its jobs that wait for their call. */
  maxQueued: number;
  requestsPerMinute: number;
  /** `null`: there is none. */
  budget: Budget | null;
  /** `null`: all models. */
  models: readonly string[] | null;
}

/** The model is none of those that the tenant may use. */
export interface ModelRefused {
  kind: 'model';
  model: string;
  models: readonly string[];
}

export interface TenantRulesOf {
  /** What holds for a tenant now, at most 2 s behind what operators set. */
  rules(tenant: string): Promise<TenantRules>;
  /** What holds when these limits are set. */
  under(limits: TenantLimits): TenantRules;
  /** What may be taken in from this tenant at this moment. */
  allowance(tenant: string): Promise<Allowance>;
}

type Config = Pick<
  ApiConfig,
  'TENANT_MAX_REDIS_BYTES' | 'TENANT_MAX_STORED_BYTES' | 'TENANT_MAX_IN_FLIGHT' | 'TENANT_MAX_LIVE_JOBS' | 'TENANT_MAX_QUEUED'
>;

/** The part of Redis that one tenant may fill where nobody has said it. */
const AUTO_PART = 0.25;

/** The one place that knows which limit holds. */
export function createTenantRules(o: {
  limits: Pick<TenantLimitStore, 'recent'>;
  config: Config;
  memory: Pick<MemoryWatch, 'max' | 'room'>;
  clock: { now(): number };
}): TenantRulesOf {
  const { config, memory } = o;
  const redisBytes = () =>
    config.TENANT_MAX_REDIS_BYTES === 'auto' ? Math.floor(AUTO_PART * (memory.max() ?? 0)) : config.TENANT_MAX_REDIS_BYTES;
  const under = (limits: TenantLimits): TenantRules => ({
    quotas: {
      redis: limits.max_redis_bytes ?? redisBytes(),
      stored: limits.max_stored_bytes ?? config.TENANT_MAX_STORED_BYTES,
      live: limits.max_live_jobs ?? config.TENANT_MAX_LIVE_JOBS,
    },
    maxInFlight: limits.max_in_flight ?? config.TENANT_MAX_IN_FLIGHT,
    maxQueued: limits.max_queued ?? config.TENANT_MAX_QUEUED,
    requestsPerMinute: limits.requests_per_minute ?? 0,
    models: limits.models ?? null,
    budget: limits.budget ?? null,
  });
  const rules = async (tenant: string) => under(await o.limits.recent(tenant));
  return {
    rules,
    under,
    async allowance(tenant) {
      const { quotas, budget, maxQueued } = await rules(tenant);
      return {
        limits: quotas,
        room: memory.room(),
        queued: maxQueued,
        ...(budget === null ? {} : { day: dayOf(o.clock.now()) }),
      };
    },
  };
}

/** The first model of a request that jobs of a tenant with these rules may not use; `null`: they may use all of them. */
export function refusedModel(
  { models }: Pick<TenantRules, 'models'>,
  request: { input: { model: string }; fallback_models?: readonly string[] | undefined },
): ModelRefused | null {
  const refused = [request.input.model, ...(request.fallback_models ?? [])].find((model) => models?.includes(model) === false);
  return refused === undefined || models === null ? null : { kind: 'model', model: refused, models };
}

/** The same for a line of a batch. */
export function modelProblems(rules: Pick<TenantRules, 'models'>, request: JobRequest): FieldError[] {
  const refused = refusedModel(rules, request);
  if (refused === null) return [];
  const at = request.input.model === refused.model ? -1 : (request.fallback_models ?? []).indexOf(refused.model);
  return [{ pointer: at === -1 ? '/input/model' : `/fallback_models/${at}`, message: refusedModelText(refused) }];
}

export const refusedModelText = ({ model, models }: ModelRefused): string =>
  `this tenant may not use the model ${model}; it may use ${models.join(', ')}`;

/** Says whether an ended job may run again: its tenant may have one more live job, and queued one, and use its model where that is paid for anew. */
export const createRetryRoom =
  (o: { usage: Pick<Usage, 'checkAgain'>; tenants: Pick<TenantRulesOf, 'rules'>; now: () => number }) =>
  async (job: JobRecord, mode?: RetryMode): Promise<{ kind: 'room' } | Refused | ModelRefused> => {
    // What cannot be retried at all is refused by the retry itself.
    const plan = planRetry(job, o.now(), mode);
    if (plan.kind === 'refuse') return { kind: 'room' };
    const rules = await o.tenants.rules(job.tenant);
    const anew = plan.mode === 'resubmit';
    const refused = anew ? refusedModel(rules, onModel(job.doc, 0)) : null;
    const most = { live: rules.quotas.live, queued: anew ? rules.maxQueued : 0 };
    return refused ?? (await o.usage.checkAgain(job.tenant, most)) ?? { kind: 'room' };
  };

export type RetryRoom = ReturnType<typeof createRetryRoom>;
