import { defineScript, type Fields, fieldsOf, type RunScript } from '@grsai-jobs/redis';

const readScript = defineScript({
  lua: new URL('./read.lua', import.meta.url),
  keys: ['...jobs'],
  whenFull: 'reads',
});

/**
 * Whole records in the order of their ids, in one round trip; without fields where there is none. Of many ids the caller sees to it that
 * they are not too large together (`inGroups`).
 */
export async function readFields(run: RunScript, keys: { job(id: string): string }, ids: readonly string[]): Promise<Fields[]> {
  if (ids.length === 0) return [];
  const replies = (await run(readScript, { jobs: ids.map(keys.job) }, {})) as unknown[];
  return replies.map((reply) => fieldsOf(reply) ?? {});
}
