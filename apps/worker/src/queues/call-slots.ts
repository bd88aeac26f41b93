import { ANNOUNCE_EVERY_MS, type JobStore } from '@grsai-jobs/job-store';
import type { Consumer } from '@grsai-jobs/queue';
import type { Service, Timers } from '@grsai-jobs/runtime';

/** The entries of a dead worker are taken over within so long after they count as stalled. */
const TAKEN_OVER_MS = 30_000;

export interface CallSlots extends Service {
  /** Synchronous calls that all workers can make at once, as they said of late. */
  all(): number;
}

/**
 * @param o.id how the others know this worker.
 * @param o.stalledMs after this an entry of a dead worker counts as stalled at the latest. Its calls hold their permits until then, so its
 * slots count too, or those that live could begin nothing.
 */
export function countCallSlots(o: {
  workers: Pick<JobStore['workers'], 'alive'>;
  call: Pick<Consumer, 'concurrency'>;
  id: string;
  stalledMs: number;
  timers: Pick<Timers, 'every'>;
  onError: (error: Error) => void;
}): CallSlots {
  let others = 0;
  let last: Promise<void> = Promise.resolve();
  const count = async () => {
    const alive = (await o.workers.alive(o.stalledMs + TAKEN_OVER_MS)).filter(({ id }) => id !== o.id);
    others = alive.reduce((sum, { queues }) => sum + (queues['call']?.concurrency ?? 0), 0);
  };
  const look = () => {
    last = count().catch(o.onError);
  };
  look();
  const end = o.timers.every(ANNOUNCE_EVERY_MS, look);
  return {
    name: 'call slots',
    all: () => others + o.call.concurrency(),
    stop: async () => {
      end();
      await last;
    },
  };
}
