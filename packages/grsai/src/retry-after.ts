const DAY_MS = 86_400_000;

/** A number, and the unit that some write behind it. */
const NUMBER =
  /^(\d+(?:\.\d+)?) ?(ms|milliseconds?|s|secs?|seconds?|秒|m|mins?|minutes?|分钟|h|hrs?|hours?|小时)?(?:\s*[,;].*)?$/i;
/** The three forms of RFC 9110 §5.6.7: of today, of RFC 850, of asctime. `Date.parse` alone would take far more than that. */
const HTTP_DATE = /^(?:[a-z]{3,9},? ?)?\d{1,2}[ -][a-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2}(?: (?:GMT|UTC|[A-Z]{1,4}|[+-]\d{4}))?$/i;
const ASCTIME = /^[a-z]{3} [a-z]{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/i;
const ISO_DATE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?$/i;
const WITHOUT_ZONE = /:\d{2}(?: \d{4})?$/;

/** So many seconds are 31 years, and a time since September 2001. Larger ones are that time in ms, µs or ns. */
const EPOCH_FROM = 1e9;
const EPOCH_TO = 1e11;
const NO_TIME = 1e20;

function waitOf(n: number, unit: string, now: number): number {
  if (/^m(?:s|illi)/i.test(unit)) return n;
  if (/^[m分]/i.test(unit)) return n * 60_000;
  if (/^[h小]/i.test(unit)) return n * 3_600_000;
  if (n < EPOCH_FROM || n >= NO_TIME) return n * 1000;
  let seconds = n;
  while (seconds >= EPOCH_TO) seconds /= 1000;
  return seconds * 1000 - now;
}

/** A time without a zone is in UTC, as all times of HTTP are. */
function timeOf(text: string): number {
  const iso = ISO_DATE.exec(text);
  if (iso) return Date.parse(`${iso[1]}T${iso[2]}${(iso[3] ?? 'Z').toUpperCase().replace(/(\d{2}):?(\d{2})$/, '$1:$2')}`);
  if (!HTTP_DATE.test(text) && !ASCTIME.test(text)) return Number.NaN;
  return Date.parse(WITHOUT_ZONE.test(text) ? `${text} GMT` : text);
}

/**
 * `Retry-After` in milliseconds from `now` (ms since the epoch), 0 to a day: seconds, an HTTP date, and what servers send in their
 * place: a date of ISO 8601, a unit behind the number, or the time itself as seconds or milliseconds since 1970. `undefined` when
 * there is none or it is no such thing.
 */
export function retryAfterMs(header: string | readonly string[] | undefined, now: number): number | undefined {
  const text = (typeof header === 'string' ? header : header?.[0])?.trim().replace(/^"(.*)"$/, '$1') ?? '';
  const number = NUMBER.exec(text);
  const ms = number ? waitOf(Number(number[1]), number[2] ?? '', now) : timeOf(text) - now;
  return Number.isNaN(ms) ? undefined : Math.round(Math.min(DAY_MS, Math.max(0, ms)));
}
