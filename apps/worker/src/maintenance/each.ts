import pMap from 'p-map';
import type { Kit } from '../stages/kit.ts';

export interface EachOptions {
  onThrow?: (id: string) => Promise<void>;
  /** So many are worked on at once. Default 1. */
  concurrency?: number;
  /** None is begun later than this; the rest is left for the next round. */
  forMs?: number;
}

/** Works on each id by itself: one that throws is told, and stops none of those behind it. A stop leaves the rest. */
export async function eachOf(
  kit: Pick<Kit, 'log' | 'clock' | 'shutdown'>,
  ids: readonly string[],
  work: (id: string) => Promise<void>,
  { onThrow, concurrency = 1, forMs = Number.POSITIVE_INFINITY }: EachOptions = {},
): Promise<void> {
  const until = kit.clock.now() + forMs;
  const workOn = async (id: string) => {
    if (kit.shutdown.stopping.aborted || kit.clock.now() >= until) return;
    try {
      await work(id);
    } catch (err) {
      kit.log.error({ event: 'maintain.item_failed', err, id }, 'one of many could not be looked after; the others are');
      await onThrow?.(id);
    }
  };
  await pMap(ids, workOn, { concurrency });
}
