import { LONGEST_UPSTREAM_WAIT_MS } from '@grsai-jobs/jobs';

/** Below this BullMQ's rate limit does nothing useful. */
const MIN_THROTTLE_MS = 250;
/** A queue that stands still for longer looks like one that is dead. */
export const LONGEST_THROTTLE_MS = LONGEST_UPSTREAM_WAIT_MS;

/** For how long a queue waits whose handler asks for `ms`. */
export const throttleMs = (ms: number): number => Math.min(LONGEST_THROTTLE_MS, Math.max(MIN_THROTTLE_MS, ms));
