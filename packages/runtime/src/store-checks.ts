import { redisAdvice, storeAdvice } from './advice.ts';
import { type Check, type Finding, OK } from './checks.ts';
import type { SyncedClock } from './synced-clock.ts';

/** Redis and S3 as both apps look at them. */
export function storeChecks(o: {
  health: { write: () => Promise<void>; persistence: () => Promise<Finding>; replicas: () => Promise<Finding> };
  /** `replica`: its replicas are looked at too. */
  durability: 'memory' | 'replica' | 'disk';
  clock: Pick<SyncedClock, 'trouble'>;
  /** Why this process must not work on the data in Redis, as of the last check. */
  schema: { trouble: () => string | undefined };
  /** Writes and removes a small object. */
  probe: () => Promise<void>;
}): readonly Check[] {
  return [
    {
      name: 'redis',
      everyMs: 0,
      againMs: 5000,
      look: () => o.health.write().then(() => OK),
      explain: redisAdvice,
    },
    {
      name: 'redis_persistence',
      everyMs: 30_000,
      againMs: 30_000,
      // Whether Redis answers at all is the check above.
      look: () =>
        o.health.persistence().catch(() => ({ state: 'unknown', reason: 'Redis did not say how it keeps its data' }) as const),
    },
    ...(o.durability === 'replica' ? [replicas(o.health)] : []),
    {
      name: 'redis_schema',
      everyMs: 0,
      againMs: 5000,
      look: async () => {
        const reason = o.schema.trouble();
        return reason === undefined ? OK : { state: 'failing', reason };
      },
    },
    {
      name: 'clock',
      everyMs: 0,
      againMs: 5000,
      look: async () => {
        const reason = o.clock.trouble();
        return reason === undefined ? OK : { state: 'failing', reason };
      },
    },
    {
      name: 'object_store',
      everyMs: 10_000,
      againMs: 5000,
      look: () => o.probe().then(() => OK),
      explain: storeAdvice,
    },
  ];
}

const replicas = (health: { replicas: () => Promise<Finding> }): Check => ({
  name: 'redis_replicas',
  everyMs: 10_000,
  againMs: 10_000,
  look: () => health.replicas().catch(() => ({ state: 'unknown', reason: 'Redis did not say which replicas it has' }) as const),
});
