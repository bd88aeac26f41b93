import { hostname } from 'node:os';
import { ANNOUNCE_EVERY_MS, type JobStore } from '@grsai-jobs/job-store';
import type { Consumer } from '@grsai-jobs/queue';
import { type Clock, type Logger, type Service, type Timers, within } from '@grsai-jobs/runtime';
import type { Configured, StageQueue } from './live-settings.ts';

const LEAVE_WITHIN_MS = 1000;

/** Tells operators that this process works, with what and on how much, until it stops. */
export function announceWorker(o: {
  workers: JobStore['workers'];
  consumers: readonly Consumer[];
  configured: Configured;
  version: string;
  clock: Clock;
  timers: Pick<Timers, 'every' | 'after'>;
  newToken: () => string;
  log: Logger;
}): Service & { id: string } {
  const id = `worker_${o.newToken()}`;
  const started_at = o.clock.now();
  const queues = () =>
    Object.fromEntries(
      o.consumers.map((each) => [
        each.name,
        {
          concurrency: each.concurrency(),
          configured: o.configured[each.name as StageQueue],
          open: each.open(),
        },
      ]),
    );

  let last: Promise<void> = Promise.resolve();
  const say = () => {
    last = o.workers
      .announce({ id, host: hostname(), pid: process.pid, version: o.version, started_at, queues: queues() })
      .catch((err: unknown) => o.log.warn({ event: 'worker.not_announced', err }, 'operators may take this worker for dead'));
  };
  say();
  const end = o.timers.every(ANNOUNCE_EVERY_MS, say);
  return {
    id,
    name: 'announcement',
    stop: async () => {
      end();
      // With Redis away the others find out by themselves; a stop does not wait for that.
      const left = last.then(() => o.workers.leave(id));
      await within(o.timers, LEAVE_WITHIN_MS, 'Redis did not answer', left).catch(() => undefined);
    },
  };
}
