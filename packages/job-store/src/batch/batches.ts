import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import type { Tenants } from '../tenant/tenants.ts';
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
  clock: { now(): number },
  tenants: Pick<Tenants, 'all'>,
) => ({
  ...createBatchIntake(run, keys, clock),
  ...createBatchReads(redis, run, keys, tenants),
  ...createBatchRounds(redis, run, keys, clock),
  ...createBatchErase(redis, run, keys),
});
