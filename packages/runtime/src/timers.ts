import { setTimeout as sleep } from 'node:timers/promises';

/** Ends a timer; calling it twice, or after it has fired, is harmless. */
export type EndTimer = () => void;

/**
 * What waits and measures in a process. Passed in, so that the simulation can run the same code in virtual time. None of them but `sleep`
 * keeps a process alive.
 */
export interface Timers {
  /** Milliseconds since some moment of this process. They only grow, whatever happens to the time of day. */
  elapsed(): number;
  /** Resolves after `ms`. Rejects with the reason of `signal` when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`. */
  after(ms: number, run: () => void): EndTimer;
  /** Calls `run` every `ms`. */
  every(ms: number, run: () => void): EndTimer;
  /** A signal that aborts after `ms`, with a `TimeoutError` as its reason. */
  timeout(ms: number): AbortSignal;
}

export const systemTimers: Timers = {
  elapsed: () => performance.now(),
  sleep: (ms, signal) =>
    sleep(ms, undefined, signal && { signal }).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  timeout: (ms) => AbortSignal.timeout(ms),
};
