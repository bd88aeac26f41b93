import { retryAfterMs } from '@grsai-jobs/grsai/retry-after';

/** The longest wait that a receiver may ask for (design §5). */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/** A receiver's `Retry-After` as a wait in ms from `now` (ms since the epoch), between 0 and 24 h; `undefined` when none can be read. */
export function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number | undefined {
  const ms = retryAfterMs(header, now);
  return ms === undefined ? undefined : Math.min(ms, MAX_RETRY_AFTER_MS);
}
