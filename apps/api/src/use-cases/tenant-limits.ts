import type { Allowance, MemoryWatch, Refused, TenantUse, Usage } from '@grsai-jobs/job-store';
import { type JobRecord, planRetry, type RetryMode } from '@grsai-jobs/jobs';
import type { ApiConfig } from '../config.ts';

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

/** Says whether an ended job may run again: its tenant may have one more live job. */
export const createRetryRoom =
  (o: { usage: Pick<Usage, 'checkLive'>; limit: number; now: () => number }) =>
  async (job: JobRecord, mode?: RetryMode): Promise<{ kind: 'room' } | Refused> => {
    // What cannot be retried at all is told so by the retry itself.
    if (planRetry(job, o.now(), mode).kind === 'refuse') return { kind: 'room' };
    return (await o.usage.checkLive(job.tenant, o.limit)) ?? { kind: 'room' };
  };

export type RetryRoom = ReturnType<typeof createRetryRoom>;
