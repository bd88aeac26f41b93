const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The longest wait that a receiver may ask for. */
export const MAX_RETRY_AFTER_MS = 24 * HOUR;

/** The wait before each attempt, counted from the end of the one before it, in ms: ten attempts over three days. */
export const ATTEMPT_WAITS_MS: readonly number[] = [
  0,
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** Each wait is drawn evenly from this part below to this part above its nominal length. */
export const JITTER = 0.2;

/** What a receiver answered to one attempt; without a `status` it said nothing that could be understood. */
export interface ReceiverAnswer {
  readonly status?: number | undefined;
  /** Its `Retry-After`, in ms from now. */
  readonly retryAfterMs?: number | undefined;
}

/** What becomes of a delivery after an attempt: `gone` (410) also disables the endpoint. */
export type NextAttempt =
  | { readonly state: 'delivered' }
  | { readonly state: 'pending'; readonly waitMs: number }
  | { readonly state: 'failed' }
  | { readonly state: 'gone' };

/**
 * Decides what follows an attempt. `made` counts the attempts made so far, this one included; `random` yields 0 ≤ x < 1.
 * Any 2xx delivers; 410 ends it; all else, redirects too, is attempted again by {@link ATTEMPT_WAITS_MS}. `Retry-After` can
 * put an attempt off (up to 24 h), never bring it forward: otherwise a receiver in trouble could use up ten attempts in seconds.
 */
export function nextAttempt({
  made,
  answer,
  random = Math.random,
}: {
  made: number;
  answer: ReceiverAnswer;
  random?: () => number;
}): NextAttempt {
  const { status, retryAfterMs = 0 } = answer;
  if (status !== undefined && status >= 200 && status < 300) return { state: 'delivered' };
  if (status === 410) return { state: 'gone' };
  const nominal = ATTEMPT_WAITS_MS[made];
  if (nominal === undefined) return { state: 'failed' };
  const jittered = nominal * (1 - JITTER + 2 * JITTER * random());
  return { state: 'pending', waitMs: Math.round(Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))) };
}
