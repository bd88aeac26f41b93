import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '@grsai-jobs/grsai-emulator';

const TICK_MS = 10;

/** The emulator's clock: it goes with real time, and can be put on by hours. */
export function startRunningClock(): { clock: VirtualClock; skip(ms: number): void; stop(): Promise<void> } {
  const clock = new VirtualClock(Date.now());
  let ahead = 0;
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      await sleep(TICK_MS);
      await clock.advance(Math.max(0, Date.now() + ahead - clock.now()));
    }
  };
  const running = run();
  return {
    clock,
    skip: (ms) => {
      ahead += ms;
    },
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
