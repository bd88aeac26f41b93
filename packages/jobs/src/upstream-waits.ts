import { throttleMs } from './retry-table.ts';

/** Nothing that upstream says stops a queue or a job for longer than this at once: it may say so again. */
export const LONGEST_UPSTREAM_WAIT_MS = 5 * 60_000;

/**
 * How long somebody waits whom upstream has asked to: `said` ms, within the bound. A time that is over already, as the clock of
 * another machine may have it, says nothing, and neither does no time at all: then `own` counts.
 */
export const upstreamWaitMs = (said: number | undefined, own: number): number =>
  Math.min(LONGEST_UPSTREAM_WAIT_MS, said !== undefined && said > 0 ? said : own);

/** How long the queue waits after a 429, the nth in a row of this job (from 0). */
export const throttleWaitMs = (said: number | undefined, n: number): number => upstreamWaitMs(said, throttleMs(n));
