import { type Budget, endOfPeriod, inputObjectBytes, type JobDoc } from '@grsai-jobs/jobs';
import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { QUEUE_LIMIT_LUA } from '../room/rooms.ts';

/** What is counted for each tenant, and can be limited. */
export const QUOTAS = ['redis', 'stored', 'live'] as const;
export type Quota = (typeof QUOTAS)[number];

/** Bytes of records in Redis, bytes of inputs and results in the object store, jobs that have not ended. */
export type TenantUse = Readonly<Record<Quota, number>>;

/** What may be taken in now; 0 is no limit. */
export interface Allowance {
  limits?: TenantUse | undefined;
  /** How much the records of all tenants may take in Redis; `null`: no limit. */
  room?: number | null | undefined;
  /** Days since 1970, of a tenant that has a budget. */
  day?: number | undefined;
  /** How many of its jobs may be queued; 0 is no limit. */
  queued?: number | undefined;
}

/** Why something is not taken in. */
export type Refused = OverQuota | OverBudget | OverQueue | { kind: 'full' };

/** A tenant has so many jobs queued that no `more` of them can be. */
export interface OverQueue {
  kind: 'queue';
  limit: number;
  queued: number;
  more: number;
}

/** What calls of a tenant cost, and may cost, has reached its budget. */
export interface OverBudget {
  kind: 'budget';
  period: Budget['period'];
  credits: number;
  spent: number;
  /** When the period is over, ms since 1970; `null`: never. */
  until: number | null;
}

/** A tenant has all that it may have of one thing. */
export interface OverQuota {
  kind: 'quota';
  quota: Quota;
  limit: number;
  used: number;
}

const DAY_MS = 24 * 3600_000;

/** A record beside its texts: its fields, its entries in lists, its queue entry and its idempotency key. */
const RECORD_BYTES = 2048;

/** What is counted for a new record. */
export const useOf = (doc: JobDoc, packed: string): { redis: number; stored: number } => ({
  redis: RECORD_BYTES + Buffer.byteLength(packed),
  stored: inputObjectBytes(doc),
});

export const allowanceFields = ({ limits, room, day, queued }: Allowance) => ({ limits, room: room ?? undefined, day, queued });

export function refusedOf(reply: unknown): Refused | null {
  if (!Array.isArray(reply)) return null;
  const [kind, quota, limit, used, more] = reply as [string, Quota, unknown, unknown, unknown];
  if (kind === 'full') return { kind };
  if (kind === 'queue') return { kind, limit: Number(quota), queued: Number(limit), more: Number(used) };
  if (kind === 'budget') return overBudget(String(limit) as Budget['period'], Number(quota), Number(used), Number(more));
  return kind === 'quota' ? { kind, quota, limit: Number(limit), used: Number(used) } : null;
}

const overBudget = (period: Budget['period'], credits: number, spent: number, day: number): OverBudget => ({
  kind: 'budget',
  period,
  credits,
  spent,
  until: endOfPeriod(period, day * DAY_MS),
});

const checkUsage = defineScript({
  lua: new URL('./usage-check.lua', import.meta.url),
  keys: ['usage', 'spent', 'waiting'],
  args: ['order'],
  shared: [QUEUE_LIMIT_LUA],
  whenFull: 'fails',
});

export type Usage = ReturnType<typeof createUsage>;

/** What the records of tenants take, as the scripts that create, change and erase them count it. */
export function createUsage(redis: Redis, run: RunScript, keys: Pick<Keys, 'usage' | 'spent' | 'waiting'>) {
  const ask = async (order: object) => {
    const { usage, spent, waiting } = keys;
    return refusedOf(await run(checkUsage, { usage, spent, waiting }, { order: JSON.stringify(order) }));
  };
  return {
    /** Why a tenant may bring nothing more at all, not even the smallest job; `null`: it may. */
    async check(tenant: string, allowance: Allowance): Promise<Refused | null> {
      const order = { tenant, use: { redis: RECORD_BYTES, stored: 1, live: 1 }, ...allowanceFields(allowance) };
      return await ask(order);
    },

    /** Why no ended job of a tenant may run again now, where so many of its jobs may be live and queued (0 is no limit); `null`: one may. */
    checkAgain: async (tenant: string, { live, queued }: { live: number; queued: number }): Promise<Refused | null> =>
      live === 0 && queued === 0
        ? null
        : await ask({ tenant, use: { redis: 0, stored: 0, live: 1 }, limits: { redis: 0, stored: 0, live }, queued }),

    async of(tenant: string): Promise<TenantUse> {
      const [stands = null, stored = null, live = null] = await redis.hmget(
        keys.usage,
        ...QUOTAS.map((name) => `${name}:${tenant}`),
      );
      return { redis: Number(stands), stored: Number(stored), live: Number(live) };
    },

    /** Bytes in Redis of all records that are counted. */
    total: async (): Promise<number> => Number(await redis.hget(keys.usage, '#redis')),

    /** The most that any tenant has of each. */
    async most(): Promise<TenantUse> {
      const most = { redis: 0, stored: 0, live: 0 };
      for (const [field, value] of Object.entries(await redis.hgetall(keys.usage)))
        for (const name of QUOTAS) if (field.startsWith(`${name}:`)) most[name] = Math.max(most[name], Number(value));
      return most;
    },
  };
}
