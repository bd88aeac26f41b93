import type { JobStore } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import type { DoSlice } from './run-operations.ts';

const SLICE = 500;

/** A brake has opened: the jobs that waited for it go on now instead of within ten minutes. One that still has to wait does so again. */
export const wakeBraked =
  (d: { store: Pick<JobStore, 'brakes'>; producer: Pick<Producer, 'wake'> }): DoSlice =>
  async () => {
    const entries = await d.store.brakes.waiting(SLICE);
    await Promise.all(entries.map((entry) => d.producer.wake(entry.queue, entry)));
    await d.store.brakes.forget(entries);
    return entries.length < SLICE ? { done: true } : { done: false, cursor: null };
  };
