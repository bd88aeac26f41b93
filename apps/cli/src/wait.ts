import { CliError } from './exit.ts';
import type { Host } from './host.ts';
import { withHint } from './refusal.ts';

/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs what waits for a job or a batch, until it is done, Ctrl-C is pressed, `timeoutS` are over or the service stays away.
 * Nothing is canceled by that; the error says how to go on (`goOn`).
 */
export async function patiently<T>(
  host: Host,
  o: { timeoutS?: number | undefined; goOn: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const clock = new AbortController();
  const timer =
    o.timeoutS === undefined ? undefined : setTimeout(() => clock.abort(), Math.min(o.timeoutS * 1000, LONGEST_TIMER_MS));
  try {
    return await work(AbortSignal.any([host.interrupt, clock.signal]));
  } catch (error) {
    if (host.interrupt.aborted) throw new CliError('interrupted', `Stopped waiting. ${o.goOn}`);
    if (clock.signal.aborted) throw new CliError('timeout', `Not done after ${o.timeoutS} s. ${o.goOn}`);
    throw withHint(error, o.goOn);
  } finally {
    clearTimeout(timer);
  }
}
