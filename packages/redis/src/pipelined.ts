import type { Pipeline, Redis } from './client.ts';

/** One command for each item, in one round trip. Throws the first error. */
export async function pipelined<T>(
  redis: Redis,
  items: readonly T[],
  command: (pipeline: Pipeline, item: T) => void,
): Promise<unknown[]> {
  if (items.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const item of items) command(pipeline, item);
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
