import { TenantLimits } from '@grsai-jobs/jobs';
import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import { LRUCache } from 'lru-cache';

/** What an operator has set is followed by every process within so many ms. */
const FRESH_MS = 2000;
const CACHED = 10_000;

const FIELD = 'limits';

const setLimits = defineScript({
  lua: new URL('./set-limits.lua', import.meta.url),
  keys: ['tenant', 'in_flight', 'spent'],
  args: ['text', 'name', 'max_in_flight', 'credits', 'period'],
  whenFull: 'runs',
  lasts: true,
});

export type TenantLimitStore = ReturnType<typeof createTenantLimits>;

/** What operators set for tenants. A tenant for which nothing is set has `{}`. */
export function createTenantLimits(
  redis: Pick<Redis, 'hget'>,
  run: RunScript,
  keys: { tenant(name: string): string; readonly inflight: string; readonly spent: string },
  clock: { now(): number },
) {
  async function read(tenant: string): Promise<TenantLimits> {
    const text = await redis.hget(keys.tenant(tenant), FIELD);
    return text === null ? {} : TenantLimits.parse(JSON.parse(text));
  }

  const known = new LRUCache<string, TenantLimits>({
    max: CACHED,
    ttl: FRESH_MS,
    // With a resolution of its own it would keep a timer.
    ttlResolution: 0,
    perf: clock,
  });
  /** Reads that are under way: who asks meanwhile waits for the same one. */
  const reads = new Map<string, Promise<TenantLimits>>();

  function readOnce(tenant: string): Promise<TenantLimits> {
    const underWay = reads.get(tenant);
    if (underWay !== undefined) return underWay;
    const isNewest = () => reads.get(tenant) === own && reads.delete(tenant);
    const own = read(tenant).then(
      (limits) => {
        if (isNewest()) known.set(tenant, limits);
        return limits;
      },
      (error: unknown) => {
        isNewest();
        throw error;
      },
    );
    reads.set(tenant, own);
    return own;
  }

  return {
    read,

    /** As they were at most 2 s ago, so that most requests cost no round trip. */
    recent: async (tenant: string): Promise<TenantLimits> => known.get(tenant) ?? (await readOnce(tenant)),

    /** The same without a round trip; `undefined`: they were not read for 2 s. */
    known: (tenant: string): TenantLimits | undefined => known.get(tenant),

    /** All of them at once; on a full Redis too. */
    async replace(tenant: string, limits: TenantLimits): Promise<void> {
      const { credits = '', period = '' } = limits.budget ?? {};
      await run(
        setLimits,
        { tenant: keys.tenant(tenant), in_flight: `${keys.inflight}:#tenants`, spent: keys.spent },
        { text: JSON.stringify(limits), name: tenant, max_in_flight: limits.max_in_flight ?? '', credits, period },
      );
      // A read that is under way may be older, and is not kept then.
      reads.delete(tenant);
      known.set(tenant, limits);
    },
  };
}
