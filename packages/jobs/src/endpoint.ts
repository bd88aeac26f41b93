/**
 * The endpoint behind a webhook URL: scheme, host, port and path, in one spelling (lower case, the port always written
 * out, no trailing dot on the host, no query, no fragment). The tenant, which is part of an endpoint's identity
 * (design §5), is the store's to add. Throws a TypeError when `url` is no URL.
 */
export function endpointOf(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = hostname.replace(/\.$/, '');
  return `${protocol}//${host}:${port || (protocol === 'https:' ? '443' : '80')}${pathname}`;
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/**
 * How an endpoint is treated (design §5), as the scripts of the store carry it out. Times in ms.
 *
 * A try has one of `openTries` places while it is open. The place is a lease, longer than a whole try (15 s), so that a
 * worker that dies gives it back. Who finds none waits for a slot of its own in a line that moves by a fifth of what a
 * try has lately taken; behind an open breaker the line moves by `parkGapMs`, whatever the endpoint is like.
 */
export const ENDPOINT_RULES = {
  openTries: 5,
  leaseMs: 30 * SECOND,
  /** What a try is thought to take before one has ended. */
  firstAverageMs: 200,
  minGapMs: 1,
  maxGapMs: 3 * SECOND,
  /** A shorter wait costs more than it brings. */
  minWaitMs: 20,
  /** The breaker opens at this share of failures among at least `minTries` in the window. */
  failedShare: 0.7,
  minTries: 10,
  windowMs: 300 * SECOND,
  bucketMs: 30 * SECOND,
  /** For how long it is open the first time; doubled by each probe that fails. */
  restMs: 10 * SECOND,
  maxRestMs: 300 * SECOND,
  parkGapMs: 100,
  /** Every try has failed for so long: disabled. */
  disableAfterMs: 5 * DAY,
  /** An endpoint that nobody uses is forgotten. */
  forgetAfterMs: 7 * DAY,
} as const;

/** How an endpoint is shown. `open` and `half_open` are the breaker's: no try goes out, or one probe does. */
export interface EndpointView {
  state: 'closed' | 'open' | 'half_open' | 'disabled';
  /** Every try since then has failed. */
  failing_since: number | null;
  disabled_at: number | null;
  /** Why it is disabled: the receiver said 410, or failed for five days. */
  reason: 'gone' | 'failing' | null;
  open_tries: number;
}
