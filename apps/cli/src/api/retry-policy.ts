/** How often a request is sent at most. */
export const TRIES = 5;
/** The same where a person or a script waits for hours: some seven minutes without an answer. */
export const PATIENT_TRIES = 32;

/** An upload whose process died is counted as open for a minute; the service says 5 s each time. */
const OPEN_TRIES = 20;

const BASE_MS = 500;
const CAP_MS = 15_000;
/** Whoever is asked to wait longer is told, and decides for themselves. */
const LONGEST_HINT_MS = 120_000;

const AWAY = new Set([429, 502, 503, 504]);

/**
 * Ms until a request that is safe to repeat is sent again, or `undefined` when the answer stands. `Retry-After` wins over
 * the back-off. A 409 with `Retry-After` is an upload under the same Idempotency-Key that the service still counts as open.
 */
export function retryInMs(
  response: Response | undefined,
  { attempt, tries, random }: { attempt: number; tries: number; random: () => number },
): number | undefined {
  const hint = retryAfterMs(response?.headers);
  const open = response?.status === 409 && hint !== undefined;
  if (attempt >= (open ? Math.max(tries, OPEN_TRIES) : tries)) return undefined;
  if (response !== undefined && !AWAY.has(response.status) && !open) return undefined;
  if (hint !== undefined) return hint > LONGEST_HINT_MS ? undefined : hint;
  return Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2);
}

/** Only in seconds, as this service sends it. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const text = headers?.get('retry-after');
  return text && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : undefined;
}
