import { ANNOUNCE_EVERY_MS, type JobStore } from '@grsai-jobs/job-store';
import type { Consumer } from '@grsai-jobs/queue';
import type { Service, Timers } from '@grsai-jobs/runtime';

export interface CallSlots extends Service {
  /** Synchronous calls that all workers can make at once, as they said within the last seconds. */
  all(): number;
}

/** @param o.id how the others know this worker. */
export function countCallSlots(o: {
  workers: Pick<JobStore['workers'], 'alive'>;
  call: Pick<Consumer, 'concurrency'>;
  id: string;
  timers: Pick<Timers, 'every'>;
  onError: (error: Error) => void;
}): CallSlots {
  let others = 0;
  let last: Promise<void> = Promise.resolve();
  const count = async () => {
    const alive = (await o.workers.alive()).filter(({ id }) => id !== o.id);
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
