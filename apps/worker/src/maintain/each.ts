import type { Kit } from '../stages/kit.ts';

/** Works on each id by itself: one that throws is told, and stops none of those behind it. */
export async function eachOf(
  kit: Pick<Kit, 'log'>,
  ids: readonly string[],
  work: (id: string) => Promise<void>,
  onThrow?: (id: string) => Promise<void>,
): Promise<void> {
  for (const id of ids) {
    try {
      await work(id);
    } catch (err) {
      kit.log.error({ event: 'maintain.item_failed', err, id }, 'one of many could not be looked after; the others are');
      await onThrow?.(id);
    }
  }
}
