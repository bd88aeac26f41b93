import type { Clock, Timers } from '@grsai-jobs/runtime';
import type { VirtualTime } from './virtual-time.ts';

/** Whether what comes to a process reaches it. */
export interface Gate {
  /** Runs `happen` now, later when the process is frozen, or never when it is dead. */
  enter(happen: () => void): void;
}

export const OPEN_GATE: Gate = { enter: (happen) => happen() };

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Clock and timers of one process. Its clock may differ from the others' by `skew`, in ms; what it measures does not.
 */
export function processTime(
  time: VirtualTime,
  gate: Gate = OPEN_GATE,
  skew: () => number = () => 0,
): { clock: Clock; timers: Timers } {
  const after = (ms: number, run: () => void) => time.after(ms, () => gate.enter(run), null, gate);
  const timers: Timers = {
    elapsed: () => time.now(),
    after,
    every(ms, run) {
      let end = after(ms, function again() {
        end = after(ms, again);
        run();
      });
      return () => end();
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          end();
          reject(signal?.reason);
        };
        const end = after(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    timeout(ms) {
      const limit = new AbortController();
      after(ms, () => limit.abort(new TimeoutError(`${ms} ms are over`)));
      return limit.signal;
    },
  };
  return { clock: { now: () => Math.floor(time.now()) + skew() }, timers };
}
