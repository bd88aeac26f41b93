/** Answers held by name until a test lets them go. */
export class Gates {
  readonly #held = new Map<string, Set<() => void>>();

  /** Resolves when `name` is released or `signal` fires. */
  wait(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#held.get(name) ?? new Set();
      this.#held.set(name, waiters);
      const go = (): void => {
        waiters.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      waiters.add(go);
      signal.addEventListener('abort', go, { once: true });
    });
  }

  /** How many answers `name` holds. */
  held(name: string): number {
    return this.#held.get(name)?.size ?? 0;
  }

  /** Lets go of all that are held by `name` now, and says how many they were. */
  release(name: string): number {
    const waiters = [...(this.#held.get(name) ?? [])];
    for (const go of waiters) go();
    return waiters.length;
  }
}
