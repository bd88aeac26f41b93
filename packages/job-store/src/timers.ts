/** What waits, as this package needs it. Whoever builds a process passes it in; `systemTimers` of packages/runtime is one. */
export interface Timers {
  /** Ms that have passed since some moment; nobody sets this clock. */
  elapsed(): number;
  /** Calls `run` once after `ms`. The answer ends the timer. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` every `ms`. The answer ends the timer. */
  every(ms: number, run: () => void): () => void;
  /** Resolves after `ms`. Rejects with the reason of `signal` when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
