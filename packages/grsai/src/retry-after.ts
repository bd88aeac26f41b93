const DAY_MS = 86_400_000;

/** `Retry-After` in milliseconds from `now`, 0 to a day: seconds or an HTTP date; `undefined` when there is none or it is no such thing. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.min(DAY_MS, Math.round(Number(value) * 1000));
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.min(DAY_MS, Math.max(0, at - now));
}
