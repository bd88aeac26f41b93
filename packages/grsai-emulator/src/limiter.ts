import type { Settings } from './settings.ts';

const WINDOW_MS = 60_000;

/** Rate and concurrency limits over all paid POSTs (upstream.md §10.3: none are published, so both are off by default). */
export class Limiter {
  readonly #recent: number[] = [];
  /** Calls that are answered only when their work is done and have no task. */
  synchronousCalls = 0;

  /** Counts a call at `now` (ms) unless a limit forbids it; `open` is the number of tasks that run. */
  take(now: number, open: number, limits: Settings['limits']): boolean {
    while ((this.#recent[0] ?? now) <= now - WINDOW_MS) this.#recent.shift();
    if (limits.rpm > 0 && this.#recent.length >= limits.rpm) return false;
    if (limits.concurrent > 0 && open + this.synchronousCalls >= limits.concurrent) return false;
    if (limits.rpm > 0) this.#recent.push(now);
    return true;
  }

  reset(): void {
    this.#recent.length = 0;
  }
}
