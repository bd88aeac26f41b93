import { pipelined, type Redis } from '@grsai-jobs/redis';

/** About what the records of these jobs take, 0 where there is none; for `inGroups`. */
export const docBytes = async (
  redis: Redis,
  keys: { jobPart(id: string, part: 'doc'): string },
  ids: readonly string[],
): Promise<number[]> => (await pipelined(redis, ids, (pipeline, id) => pipeline.strlen(keys.jobPart(id, 'doc')))).map(Number);
