/** The emulator's only source of time: task states, lifetimes, limits and held answers all ask it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` fires; never rejects, so the caller looks at the signal. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest time that one timer of Node can take; a longer wait ends here and is looked at again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Real time. Its timers never keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (ms, signal) => {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      timer.unref();
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};

/** Waits until the clock shows `at`. */
export const waitUntil = (clock: Clock, at: number, signal: AbortSignal): Promise<void> => clock.wait(at - clock.now(), signal);

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that stands still until `advance` moves it: two hours take no time, and a test decides what comes first. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number = Date.UTC(2026, 9, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** How many waits are open: lets a test see that an answer is being held. */
  get waiting(): number {
    return this.#sleepers.size;
  }

  /**
   * Moves time on by `ms`, waking whoever waits in the order of their times. Each one gets a turn of the event loop
   * before the next, so that a wait begun by the first still falls inside the same advance.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await turn();
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await turn();
    }
    this.#now = target;
  }

  #earliest(target: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (sleeper.at <= target && (first === undefined || sleeper.at < first.at)) first = sleeper;
    return first;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
