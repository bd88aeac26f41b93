import { redisAdvice, storeAdvice } from './advice.ts';
import { type Check, type Finding, OK } from './checks.ts';

/** Redis and S3 as both apps look at them. */
export function storeChecks(o: {
  health: { write: () => Promise<void>; persistence: () => Promise<Finding> };
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
        o.health.persistence().catch(() => ({ state: 'unknown', reason: 'Redis did not tell how it keeps its data' }) as const),
    },
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
      name: 'object_store',
      everyMs: 10_000,
      againMs: 5000,
      look: () => o.probe().then(() => OK),
      explain: storeAdvice,
    },
  ];
}
