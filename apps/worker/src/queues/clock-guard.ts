import type { Consumer, Handler } from '@grsai-jobs/queue';
import type { Logger, Service, SyncedClock, Timers } from '@grsai-jobs/runtime';

/** A clock is set in one moment: so long a consumer may still take entries, which its handler then gives back. */
const WATCH_EVERY_MS = 1000;
const GIVEN_BACK_MS = 1000;

/** An entry goes back at once to whoever has the right time; what is open already goes on, by the time of Redis. */
export const behindClock =
  (clock: Pick<SyncedClock, 'trouble'>, handler: Handler): Handler =>
  async (work) =>
    clock.trouble() === undefined ? await handler(work) : { kind: 'wait', ms: GIVEN_BACK_MS };

/** A periodic task is passed over; another worker runs it next. */
export const taskBehindClock =
  (clock: Pick<SyncedClock, 'trouble'>, run: () => Promise<void>): (() => Promise<void>) =>
  async () => {
    if (clock.trouble() === undefined) await run();
  };

/**
 * Has consumers take nothing while the clock of the machine and that of Redis differ, since BullMQ goes by that of the machine.
 * @param o.onAgrees runs whenever they agree again, and once if they do from the start
 */
export function holdOnWrongClock(o: {
  clock: Pick<SyncedClock, 'trouble' | 'aheadMs'>;
  consumers: readonly Pick<Consumer, 'hold'>[];
  timers: Pick<Timers, 'every'>;
  log: Logger;
  onAgrees: () => void;
  onError: (error: Error) => void;
}): Service {
  let held: boolean | undefined;
  const look = () => {
    const trouble = o.clock.trouble();
    const wrong = trouble !== undefined;
    if (wrong === held) return;
    const first = held === undefined;
    held = wrong;
    for (const consumer of o.consumers) consumer.hold(wrong).catch(o.onError);
    const ahead_ms = o.clock.aheadMs();
    if (wrong) o.log.error({ event: 'clock.differs', ahead_ms }, trouble);
    else if (!first) o.log.info({ event: 'clock.agrees', ahead_ms }, 'the clocks of this machine and of Redis agree again');
    if (!wrong) o.onAgrees();
  };
  look();
  const end = o.timers.every(WATCH_EVERY_MS, look);
  return { name: 'clock watch', stop: async () => end() };
}
