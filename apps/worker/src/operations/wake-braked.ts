import type { Kit } from '../stages/kit.ts';
import type { DoSlice } from './run-operations.ts';

const SLICE = 500;

/** A brake has opened: the jobs that waited for it go on now instead of within ten minutes. One that still has to wait does so again. */
export const wakeBraked =
  (kit: Pick<Kit, 'store' | 'producer'>): DoSlice =>
  async () => {
    const entries = await kit.store.brakes.waiting(SLICE);
    await Promise.all(entries.map((entry) => kit.producer.wake(entry.queue, entry)));
    await kit.store.brakes.forget(entries);
    return entries.length < SLICE ? { done: true } : { done: false, cursor: null };
  };
