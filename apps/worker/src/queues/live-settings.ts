import type { JobStore } from '@grsai-jobs/job-store';
import type { Consumer, QueueName } from '@grsai-jobs/queue';
import type { Logger, Service, Timers } from '@grsai-jobs/runtime';
import type { PauseControl } from '../pauses/pause-control.ts';

/** A lost message leaves a worker wrong for no longer than this. */
const LOOK_EVERY_MS = 5000;

/** What each queue's consumer was configured with, and works with while no operator has said otherwise. */
export type Configured = Readonly<Record<StageQueue, number>>;

/** Queues of the stages; `maintain` has a number of its own. */
export type StageQueue = Exclude<QueueName, 'maintain'>;

export interface LiveSettings extends Service {
  /** Brings this worker in line with what stands in Redis. Calls at once are one. */
  apply(): Promise<void>;
}

/** Keeps the concurrency of this process, and BullMQ's flags of all, at what operators have set. */
export function createLiveSettings(o: {
  settings: Pick<JobStore['queueSettings'], 'concurrency'>;
  control: Pick<PauseControl, 'align'>;
  consumers: readonly Consumer[];
  configured: Configured;
  log: Logger;
  timers: Pick<Timers, 'every'>;
  everyMs?: number;
}): LiveSettings {
  async function concurrency(): Promise<void> {
    const set = await o.settings.concurrency();
    for (const consumer of o.consumers) {
      const name = consumer.name as StageQueue;
      const n = set[name] ?? o.configured[name];
      if (n === consumer.concurrency()) continue;
      o.log.info({ event: 'queue.concurrency', queue: name, from: consumer.concurrency(), to: n }, 'concurrency changed');
      await consumer.setConcurrency(n);
    }
  }

  let running: Promise<void> | undefined;
  let again = false;
  async function untilNoneAsks(): Promise<void> {
    do {
      again = false;
      await Promise.all([concurrency(), o.control.align()]);
    } while (again);
  }
  const apply = (): Promise<void> => {
    // What changes while it is read has to be read once more.
    again = running !== undefined;
    running ??= untilNoneAsks().finally(() => {
      running = undefined;
    });
    return running;
  };

  const end = o.timers.every(o.everyMs ?? LOOK_EVERY_MS, () => {
    apply().catch((err: unknown) => o.log.warn({ event: 'settings.not_read', err }, 'the settings of queues could not be read'));
  });
  return {
    name: 'queue settings',
    apply,
    stop: async () => {
      end();
      await running?.catch(() => undefined);
    },
  };
}
