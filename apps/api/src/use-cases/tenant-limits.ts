import type { Allowance, MemoryWatch, Quota, Refused, TenantUse, Usage } from '@grsai-jobs/job-store';
import type { JobRecord, RetryMode } from '@grsai-jobs/jobs';
import { planRetry } from '@grsai-jobs/jobs';
import type { ApiConfig } from '../config.ts';
import { Problem } from '../http/problem.ts';

/** What may be taken in from this tenant at this moment. */
export type AllowanceOf = (tenant: string) => Allowance;

type Config = Pick<ApiConfig, 'TENANT_MAX_REDIS_BYTES' | 'TENANT_MAX_STORED_BYTES' | 'TENANT_MAX_LIVE_JOBS'>;

/** The part of Redis that one tenant may fill where nobody has said it. */
const AUTO_PART = 0.25;

/** The limits of a tenant, 0 where there is none. The one place that knows them. */
const limitsOf = (_tenant: string, config: Config, max: number | null): TenantUse => ({
  redis: config.TENANT_MAX_REDIS_BYTES === 'auto' ? Math.floor(AUTO_PART * (max ?? 0)) : config.TENANT_MAX_REDIS_BYTES,
  stored: config.TENANT_MAX_STORED_BYTES,
  live: config.TENANT_MAX_LIVE_JOBS,
});

export const createAllowances =
  (o: { config: Config; memory: Pick<MemoryWatch, 'max' | 'room'> }): AllowanceOf =>
  (tenant) => ({ limits: limitsOf(tenant, o.config, o.memory.max()), room: o.memory.room() });

const FREE = 'Delete ended jobs (DELETE /v1/jobs/{id}), or wait until they are erased by themselves.';

const WHAT: Readonly<Record<Quota, { is: (used: number) => string; todo: string }>> = {
  redis: { is: (used) => `The jobs of this tenant take ${used} bytes of the job store`, todo: FREE },
  stored: { is: (used) => `Inputs and results of this tenant take ${used} bytes of the object store`, todo: FREE },
  live: { is: (used) => `This tenant has ${used} jobs that have not ended`, todo: 'Wait until some have ended, or cancel some.' },
};

/**
 * Lets a caller run an ended job again only while its tenant may have one more live job.
 * @throws Problem `tenant_quota_exceeded`
 */
export const createRetryRoom =
  (o: { usage: Pick<Usage, 'checkLive'>; limit: number; now: () => number }) =>
  async (job: JobRecord, mode?: RetryMode): Promise<void> => {
    // What cannot be retried at all is told so by the retry itself.
    if (planRetry(job, o.now(), mode).kind === 'refuse') return;
    const refused = await o.usage.checkLive(job.tenant, o.limit);
    if (refused !== null) throw refusal(refused);
  };

export type RetryRoom = ReturnType<typeof createRetryRoom>;

/** How long a caller waits before it tries again by itself. */
const AGAIN_S = 60;

/** The problem of a request that is not taken in. */
export function refusal(refused: Refused): Problem {
  if (refused.kind === 'full')
    return new Problem('unavailable', 'The job store is nearly full. Nothing was accepted; send the request again later.');
  const { quota, limit, used } = refused;
  const { is, todo } = WHAT[quota];
  return new Problem('tenant_quota_exceeded', `${is(used)}; its limit is ${limit}. Nothing was accepted. ${todo}`, {
    headers: { 'Retry-After': String(AGAIN_S) },
    quota: { name: quota, limit, used },
  });
}
