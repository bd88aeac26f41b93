const DAY_MS = 86_400_000;
/** An HTTP date in any of the three forms of RFC 9110 §5.6.7; `Date.parse` alone would take far more than that. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w :-]+$/;

/** The longest wait that a receiver may ask for (design §5). */
export const MAX_RETRY_AFTER_MS = DAY_MS;

/**
 * A `Retry-After` header (seconds or an HTTP date) as a wait in ms from `now` (ms since the epoch), between 0 and 24 h.
 * `undefined` when there is none, or none that can be read.
 */
export function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number | undefined {
  const text = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  if (!HTTP_DATE.test(text)) return undefined;
  const at = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), MAX_RETRY_AFTER_MS);
}
