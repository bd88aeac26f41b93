import type { Paces } from '@grsai-jobs/job-store';
import {
  type DurationHistogram,
  durationBucket,
  durationsOf,
  likelyDurationMs,
  nextPollMs,
  UNKNOWN_DURATIONS,
} from '@grsai-jobs/jobs';
import { median } from './sample.ts';

/** What it cost to find one task done. */
export interface Found {
  readonly polls: number;
  /** Seconds from the end of the task to the poll that found it. */
  readonly lateS: number;
}

/** Durations in seconds, as a normal distribution. */
export interface Tasks {
  readonly mean: number;
  readonly sd: number;
}

const KIND = 'bench';

/** A task that takes less than this was not generated but refused. */
const SHORTEST_MS = 3000;

/** Tasks that end between two writes of a worker. */
const LEARNED_AT_ONCE = 5;

/** A normal draw by Box and Muller. */
function durationMs({ mean, sd }: Tasks): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Math.max(SHORTEST_MS, (mean + sd * normal) * 1000);
}

/** Polls one task until it is done. `waitMs` says when the next poll comes; `runningAtMs` is the last one that saw it run. */
function follow(taskMs: number, waitMs: (ageMs: number) => number): Found & { seenMs: number; runningAtMs: number | undefined } {
  let age = 0;
  let runningAtMs: number | undefined;
  for (let polls = 1; ; polls += 1) {
    age += waitMs(age);
    if (age >= taskMs) return { polls, lateS: (age - taskMs) / 1000, seenMs: age, runningAtMs };
    runningAtMs = age;
  }
}

/** Tasks one after another at the learned pace; what each poll sees is learned by the real script in Redis. */
export async function learnedPace(paces: Paces, tasks: Tasks, count: number): Promise<Found[]> {
  const found: Found[] = [];
  while (found.length < count) {
    const known = durationsOf((await paces.all()).get(KIND) ?? NOTHING);
    const counts = new Map<number, number>();
    for (let i = 0; i < LEARNED_AT_ONCE; i += 1) {
      const { seenMs, runningAtMs, ...rest } = follow(durationMs(tasks), (age) => nextPollMs(age, known));
      const took = likelyDurationMs(seenMs, runningAtMs, known);
      if (took !== null) counts.set(durationBucket(took), (counts.get(durationBucket(took)) ?? 0) + 1);
      found.push(rest);
    }
    await paces.learn(KIND, counts);
  }
  return found;
}

const NOTHING: DurationHistogram = { tasks: 0, weights: new Map() };

/** The same tasks polled every `everyMs`. */
export const fixedPace = (tasks: Tasks, count: number, everyMs: number): Found[] =>
  Array.from({ length: count }, () => follow(durationMs(tasks), () => everyMs));

/** The pace of a kind that nothing is known of. */
export const unknownPace = (tasks: Tasks, count: number): Found[] =>
  Array.from({ length: count }, () => follow(durationMs(tasks), (age) => nextPollMs(age, UNKNOWN_DURATIONS)));

export const pollsOf = (found: readonly Found[]): number => median(found.map(({ polls }) => polls));
export const lateOf = (found: readonly Found[]): number => median(found.map(({ lateS }) => lateS));

export const describe = (found: readonly Found[]): string => `${pollsOf(found)} polls, ${lateOf(found).toFixed(1)} s late`;
