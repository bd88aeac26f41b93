const spelled = (url: URL): string =>
  `${url.protocol}//${url.hostname.replace(/\.$/, '')}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;

/**
 * The endpoint behind a webhook URL: scheme, host, port and path, in one spelling (lower case, the port always written
 * out, no trailing dot on the host, no query, no fragment). The tenant, which is part of an endpoint's identity, is the
 * store's to add. Throws a TypeError when `url` is no URL.
 */
export function endpointOf(url: string): string {
  const parsed = new URL(url);
  return `${spelled(parsed)}${parsed.pathname}`;
}

/** The host behind a webhook URL: scheme, host name and port, spelled as `endpointOf` does. */
export const hostOf = (url: string): string => spelled(new URL(url));

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/**
 * How an endpoint is treated, as the scripts of the store carry it out. Times in ms.
 *
 * An attempt has one of the endpoint's permits while it is open. The permit is a lease, longer than a whole attempt (15 s), so
 * that a worker that dies gives it back. A delivery that finds none waits in the endpoint's room, and the end of an
 * attempt hands its permit to the delivery there that is due first.
 */
export const ENDPOINT_RULES = {
  /** Attempts that may be open at once to begin with, and again after an attempt that was slow or failed. */
  permits: 5,
  /** As many as there can be while the endpoint answers quickly. */
  maxPermits: 30,
  /** What each quick answer adds. */
  permitsUp: 0.25,
  /** An answer that takes longer is not quick. */
  quickMs: SECOND,
  leaseMs: 30 * SECOND,
  /** A delivery whose worker has said nothing this long after the end of its lease gets a new entry. */
  lostAfterMs: 5 * SECOND,
  /** A room in which nothing has happened for so long is checked. */
  checkAgainMs: 2 * SECOND,
  /** The breaker opens at this share of failures among at least `minAttempts` in the window. */
  failedShare: 0.7,
  minAttempts: 10,
  windowMs: 300 * SECOND,
  bucketMs: 30 * SECOND,
  /** For how long it is open the first time; doubled by each probe that fails. */
  restMs: 10 * SECOND,
  maxRestMs: 300 * SECOND,
  /** Every attempt has failed for so long: disabled. */
  disableAfterMs: 5 * DAY,
  /** An endpoint that nobody uses is forgotten. */
  forgetAfterMs: 7 * DAY,
  /** So many workers died with one delivery in their hands: it is set aside. */
  maxLost: 5,
} as const;

/** How an endpoint is shown. `open` and `half_open` are the breaker's: no attempt goes out, or one probe does. */
export interface EndpointView {
  state: 'closed' | 'open' | 'half_open' | 'disabled';
  /** Every attempt since then has failed. */
  failing_since: number | null;
  disabled_at: number | null;
  /** Why it is disabled: the receiver said 410, or failed for five days. */
  reason: 'gone' | 'failing' | null;
  open_attempts: number;
  /** Attempts that may be open at once. */
  permits: number;
  /** Deliveries that wait for a permit, or for the breaker. */
  waiting: number;
}
