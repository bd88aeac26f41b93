import type { JobDoc } from './doc.ts';
import { type Durations, UNKNOWN_DURATIONS } from './poll-pace.ts';

/** How long tasks of one kind took: weights by bucket, newer tasks weighing more, and how many tasks were ever counted. */
export interface DurationHistogram {
  tasks: number;
  weights: ReadonlyMap<number, number>;
}

/** Buckets grow by this factor from 1 s on; what is shorter or longer than all of them falls into the first or last one. */
const RATIO = 1.1;
const FIRST_MS = 1000;
/** Two hours: no task id lives longer (upstream.md §10.1). */
const LAST_BUCKET = Math.ceil(Math.log(7200) / Math.log(RATIO));

/** Weight that a task keeps when the next one is counted: half of it is gone after 100 tasks, so a vendor's change is learned. */
export const DURATION_DECAY = 0.5 ** (1 / 100);

/** Fewer tasks say nothing (design.md §2.5). */
const KNOWN_FROM = 20;

/** A first poll that finds the task done shows only that it took less: it counts as any part of its age from here to the whole. */
const FOUND_AT_FIRST = 0.6;

/** Two polls are at most this far apart while most of a kind end. */
const POLL_GAP_MS = 5000;
/** Two polls that are farther apart were late: the longest gap that is meant is 10.5 s. */
const LATE_GAP_MS = 15_000;

/** What is learned together: tasks of one model and size. */
export function durationKind(doc: JobDoc): string {
  const size = doc.type === 'image' ? doc.input.image_size : undefined;
  return size === undefined ? doc.input.model : `${doc.input.model} ${size}`;
}

/** The bucket of a duration; a whole number from 0. */
export const durationBucket = (ms: number): number =>
  Math.min(LAST_BUCKET, Math.max(0, Math.floor(Math.log(Math.max(ms, FIRST_MS) / FIRST_MS) / Math.log(RATIO))));

/**
 * The likeliest duration of a task that a poll found done at the age `seenMs`: midway to the last poll that saw it run.
 * Without such a poll it ended before the first one, and is counted somewhere below it; otherwise the learned percentile of the
 * first poll could never fall, as nothing shorter would ever be seen. `null`: nobody looked when it was time to, as its worker had died or
 * had too much to do. That says nothing of the task, and counted as its duration it would make the first poll of all others late as well.
 */
export function likelyDurationMs(
  seenMs: number,
  runningAtMs: number | undefined,
  known: Durations,
  random: () => number = Math.random,
): number | null {
  if (runningAtMs !== undefined && runningAtMs <= seenMs)
    return seenMs - runningAtMs > LATE_GAP_MS ? null : (seenMs + runningAtMs) / 2;
  const first = seenMs <= known.p20 * 1.05 + POLL_GAP_MS / 2;
  return first ? seenMs * (FOUND_AT_FIRST + (1 - FOUND_AT_FIRST) * random()) : null;
}

/** Percentiles of a kind; `UNKNOWN_DURATIONS` until 20 of its tasks are known. */
export function durationsOf({ tasks, weights }: DurationHistogram): Durations {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  if (tasks < KNOWN_FROM || !(total > 0)) return UNKNOWN_DURATIONS;
  const buckets = [...weights].sort(([a], [b]) => a - b);
  const [p20 = 0, p90 = 0, p99 = 0] = [0.2, 0.9, 0.99].map((part) => quantile(buckets, part * total));
  return { p20, p90, p99 };
}

/** Within its bucket a quantile lies where its share of the weight says, on the logarithmic scale. */
function quantile(buckets: readonly (readonly [number, number])[], rank: number): number {
  let before = 0;
  for (const [bucket, weight] of buckets) {
    if (before + weight >= rank) return FIRST_MS * RATIO ** (bucket + (rank - before) / weight);
    before += weight;
  }
  return FIRST_MS * RATIO ** ((buckets.at(-1)?.[0] ?? 0) + 1);
}
