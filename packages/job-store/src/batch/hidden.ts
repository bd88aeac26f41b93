import { defineScript, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';

/** What is coming in, and what of that is being discarded, is seen by nobody. */
export const isThere = (status: string | undefined): boolean =>
  status !== undefined && status !== 'validating' && status !== 'discarding';

const hiddenScript = defineScript({
  lua: new URL('./hidden.lua', import.meta.url),
  keys: ['batches', '...jobs'],
  args: ['...ids'],
  whenFull: 'reads',
});

/** Which of these jobs nobody sees: lines of batches that are not committed. */
export async function hiddenAmong(
  run: RunScript,
  keys: Pick<Keys, 'batch' | 'job'>,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  return new Set((await run(hiddenScript, { batches: keys.batch(''), jobs: ids.map(keys.job) }, { ids })) as string[]);
}
