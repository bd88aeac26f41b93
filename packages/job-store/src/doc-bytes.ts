import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { pipelined } from './pipelined.ts';

/** About what the records of these jobs take, 0 where there is none; for `inGroups`. */
export const docBytes = async (redis: Redis, keys: Keys, ids: readonly string[]): Promise<number[]> =>
  (await pipelined(redis, ids, (pipeline, id) => pipeline.hstrlen(keys.job(id), 'doc'))).map(Number);
