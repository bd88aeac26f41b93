/** What is known of how long tasks of one model and size take, in ms. */
export interface Durations {
  p20: number;
  p90: number;
  p99: number;
}

const SECOND = 1000;
const MIN_BUDGET_MS = 15 * 60 * SECOND;
/** A task id and the links of its outputs die two hours after the submit (upstream.md §10.1). */
export const TASK_LIFE_MS = 2 * 3600 * SECOND;

/** Until 20 tasks of a kind are known (design.md §2.5). */
export const UNKNOWN_DURATIONS: Durations = { p20: 12 * SECOND, p90: 90 * SECOND, p99: 450 * SECOND };

/** Tasks that differ by less than this come to few polls at any pace. */
const ALIKE_MS = 12 * SECOND;

/**
 * Ms until the next poll of a task that was submitted `ageMs` ago: first at the 20th percentile, then every 4–5 s up
 * to the 90th, then every 10 s, with jitter. Where these two are less than 12 s apart it is every 3–4 s between them: a poll
 * more for each task, and its result is found half a second sooner.
 */
export function nextPollMs(ageMs: number, known: Durations = UNKNOWN_DURATIONS, random: () => number = Math.random): number {
  if (ageMs < known.p20) return Math.ceil((known.p20 - ageMs) * (1 + 0.05 * random()));
  if (ageMs >= known.p90) return Math.round((9.5 + random()) * SECOND);
  return Math.round(((known.p90 - known.p20 < ALIKE_MS ? 3 : 4) + random()) * SECOND);
}

/** How long a task is polled before the run ends as `upstream_timeout`: p99 × 2, at least 15 min, at most two hours. */
export const budgetMs = (known: Durations = UNKNOWN_DURATIONS): number =>
  Math.min(TASK_LIFE_MS, Math.max(MIN_BUDGET_MS, 2 * known.p99));
