import { defineScript } from '../redis/define-script.ts';
import { type Fields, fieldsOf } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';

const readScript = defineScript({
  lua: new URL('./read.lua', import.meta.url),
  keys: ['...jobs'],
  whenFull: 'reads',
});

/**
 * Whole records in the order of their ids, in one round trip; without fields where there is none. Of many ids the caller sees to it that
 * they are not too large together (`inGroups`).
 */
export async function readFields(run: RunScript, keys: Keys, ids: readonly string[]): Promise<Fields[]> {
  if (ids.length === 0) return [];
  const replies = (await run(readScript, { jobs: ids.map(keys.job) }, {})) as unknown[];
  return replies.map((reply) => fieldsOf(reply) ?? {});
}
