import type { GrsaiJobsError } from './errors.ts';

/** When a request that failed is sent again. */

const BASE_MS = 500;
const CAP_MS = 8_000;
/** Who would have to wait longer sees the refusal and decides. */
const LONGEST_HINT_MS = 60_000;

/** How long a request is sent again: so many times, or for as long as the service is away. */
export type Patience = { retries: number } | { outageMs: number };

/** How long the service may be away without a break while somebody waits: a restart, a move, a bad deploy. */
export const OUTAGE_MS = 600_000;

/**
 * Milliseconds until the next try, or undefined when the error stands: exponential with full jitter, at most 8 s. `Retry-After`
 * comes on top of it, so that those who were refused together do not come back together; over 60 s the error stands.
 *
 * @param attempt how many tries have failed, from 1
 * @param downMs since the first of them
 */
export function retryInMs(
  error: GrsaiJobsError,
  { attempt, downMs, patience, random }: { attempt: number; downMs: number; patience: Patience; random: () => number },
): number | undefined {
  if (!error.retryable) return undefined;
  if (!hasPatience(error, attempt, downMs, patience)) return undefined;
  const hintMs = error.retryAfterMs ?? 0;
  if (hintMs > LONGEST_HINT_MS) return undefined;
  return hintMs + random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1));
}

/** An upload whose process died counts as open for a minute: the service refuses its key for so long, and then takes it. */
const OPEN_MS = 90_000;

function hasPatience({ code }: GrsaiJobsError, attempt: number, downMs: number, patience: Patience): boolean {
  if ('outageMs' in patience) return downMs < patience.outageMs;
  if (attempt <= patience.retries) return true;
  return code === 'idempotency_key_in_use' && patience.retries > 0 && downMs < OPEN_MS;
}
