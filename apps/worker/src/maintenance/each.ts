import type { Clock, Logger } from '@grsai-jobs/runtime';
import pMap from 'p-map';

export interface EachOptions {
  onThrow?: (id: string) => Promise<void>;
  /** So many are worked on at once. Default 1. */
  concurrency?: number;
  /** None is begun later than this; the rest is left for the next run. */
  forMs?: number;
}

/** Handles each id by itself: one that throws is logged and keeps no other from its turn. A shutdown leaves the rest. */
export async function eachOf(
  d: { log: Logger; clock: Clock; shutdown: { readonly stopping: AbortSignal } },
  ids: readonly string[],
  work: (id: string) => Promise<void>,
  { onThrow, concurrency = 1, forMs = Number.POSITIVE_INFINITY }: EachOptions = {},
): Promise<void> {
  const until = d.clock.now() + forMs;
  const workOn = async (id: string) => {
    if (d.shutdown.stopping.aborted || d.clock.now() >= until) return;
    try {
      await work(id);
    } catch (err) {
      d.log.error({ event: 'maintain.item_failed', err, id }, 'one of many could not be looked after; the others are');
      await onThrow?.(id);
    }
  };
  await pMap(ids, workOn, { concurrency });
}
