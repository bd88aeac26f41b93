/** Wait in ms before retry `n`; the first retry is 0. */
export type Backoff = (n: number) => number;

/**
 * Full jitter: anything between 0 and the exponential step, so that jobs which failed together do not come back
 * together. Defaults as in design.md §2.7: base 2 s, factor 2, cap 60 s.
 */
export const fullJitter =
  ({ baseMs = 2000, factor = 2, capMs = 60_000, random = Math.random } = {}): Backoff =>
  (n) =>
    Math.round(random() * Math.min(capMs, baseMs * factor ** n));
