import type { JobStore } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import { z } from 'zod';
import type { DoSlice } from './run-operations.ts';

const SLICE = 500;

/** Those are woken that have waited since then at the latest. */
const Cursor = z.object({ until: z.number() }).nullable();

/**
 * A brake has opened: the jobs that waited for it go on now instead of within ten minutes. One that still has to wait, for another brake, does so
 * again, and is woken again when that one opens, not before.
 */
export const wakeBraked =
  (d: { store: Pick<JobStore, 'brakes'>; producer: Pick<Producer, 'wake'> }): DoSlice =>
  async (operation) => {
    const until = Cursor.parse(operation.cursor)?.until ?? (await d.store.brakes.newest());
    if (until === null) return { done: true };
    const entries = await d.store.brakes.waiting(SLICE, until);
    await Promise.all(entries.map((entry) => d.producer.wake(entry.queue, entry)));
    await d.store.brakes.forget(entries);
    return entries.length < SLICE ? { done: true } : { done: false, cursor: { until } };
  };
