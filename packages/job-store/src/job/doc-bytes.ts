import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { pipelined } from '../redis/pipelined.ts';

/** About what the records of these jobs take, 0 where there is none; for `inGroups`. */
export const docBytes = async (redis: Redis, keys: Keys, ids: readonly string[]): Promise<number[]> =>
  (await pipelined(redis, ids, (pipeline, id) => pipeline.strlen(keys.jobPart(id, 'doc')))).map(Number);
