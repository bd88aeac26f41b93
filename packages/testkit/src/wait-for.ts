import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/** How long to wait for what has to come: far longer than it takes on a busy machine, since no test is about that. */
export const PATIENCE_MS = 30_000;

export interface WaitOptions {
  /** How long to look at most, in ms (default {@link PATIENCE_MS}). */
  timeoutMs?: number;
  /** Pause between two looks, in ms (default 20). */
  everyMs?: number;
  /** What is waited for; stands in the error. */
  what?: string;
}

/** Thrown by every wait of the testkit; the message says what was waited for and what was seen last. */
export class WaitTimeout extends Error {
  override name = 'WaitTimeout';
}

/**
 * Looks at a state again and again until `look` returns something truthy, and returns that.
 * A look that throws counts as "not yet"; the last error or value is reported when time is up.
 */
export async function waitFor<T>(look: () => T | Promise<T>, options: WaitOptions = {}): Promise<NonNullable<T>> {
  const { timeoutMs = PATIENCE_MS, everyMs = 20, what = look.toString() } = options;
  const until = performance.now() + timeoutMs;
  let seen = '';
  let cause: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value) return value;
      seen = `last value ${inspect(value, { depth: 3 })}`;
      cause = undefined;
    } catch (error) {
      seen = `last error ${error instanceof Error ? error.message : inspect(error)}`;
      cause = error;
    }
    if (performance.now() >= until) throw new WaitTimeout(`not so after ${timeoutMs} ms: ${what}; ${seen}`, { cause });
    await sleep(everyMs);
  }
}

/** Settles as `promise` does, or rejects with a {@link WaitTimeout} after `timeoutMs`. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WaitTimeout(`not so after ${timeoutMs} ms: ${what()}`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
