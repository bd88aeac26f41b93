import type { Redis, RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import type { LastingWrite } from '../layout/lasting-write.ts';
import { createBatchErase } from './erase.ts';
import { createBatchIntake } from './intake.ts';
import { createBatchReads } from './reads.ts';
import { createBatchRounds } from './rounds.ts';

export type Batches = ReturnType<typeof createBatches>;

/**
 * Batches and the jobs in them. The counts are kept by the transitions of the jobs (`job/transition.lua`, `job/start-call.lua`), so they
 * always add up to `total`; what touches many jobs goes in slices, as an operation.
 */
export const createBatches = (
  redis: Redis,
  run: RunScript,
  keys: Keys,
  o: {
    clock: { now(): number };
    tenants: { all(): Promise<readonly string[]> };
    newToken: () => string;
    lasting: LastingWrite;
    scriptClock: { now(): number } | undefined;
  },
) => ({
  ...createBatchIntake(run, keys, o.clock, o.scriptClock),
  ...createBatchReads(redis, run, keys, o.clock, o.tenants),
  ...createBatchRounds(redis, run, keys, o),
  ...createBatchErase(redis, run, keys, o.scriptClock),
});
