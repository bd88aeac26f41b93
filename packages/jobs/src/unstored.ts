import type { JobOutput, LostOutput, StoredImage, UnstoredOutput } from './job/job.ts';

/** When an output that was refused is tried again, counted from its first download. */
const TRIES_AT_MS = [2_000, 5_000, 10_000, 20_000, 35_000, 50_000] as const;
/** After this long a refusal is believed, if there were enough of them. */
const BELIEVED_AFTER_MS = 45_000;
const BELIEVED_TIMES = 3;
const NEXT_MS = 5_000;

/** From the second refusal on the task is asked for a living link before each try. */
const SUSPECT_TIMES = 2;

export const isSettled = (output: UnstoredOutput): boolean => output.stored !== undefined || output.lost !== undefined;

/** Whether the task is asked before this output is tried: it stands in its answer, or its link looks dead. */
export const needsTask = (output: UnstoredOutput): boolean =>
  !isSettled(output) && (output.url === undefined || (output.refused?.times ?? 0) >= SUSPECT_TIMES);

/** The output after its host refused it for good once more: to be tried again within the minute, or lost. */
export function refusedAgain(output: UnstoredOutput, o: { reason: string; startedAt: number; now: number }): UnstoredOutput {
  const { refused, ...rest } = output;
  const since = refused?.since ?? o.startedAt;
  const times = (refused?.times ?? 0) + 1;
  if (times >= BELIEVED_TIMES && o.now - since >= BELIEVED_AFTER_MS) return { ...rest, lost: o.reason };
  const next = TRIES_AT_MS.map((ms) => since + ms).find((at) => at > o.now) ?? o.now + NEXT_MS;
  return { ...rest, refused: { since, times, next, reason: o.reason } };
}

/**
 * The outputs with what the task says of them now: by their place, or, where the task names fewer than before, those that are new.
 * What is stored or lost stays, and what the task has got since is added.
 */
export function refreshed(outputs: readonly UnstoredOutput[], named: readonly { url?: string }[]): UnstoredOutput[] {
  const known = new Set(outputs.map(({ url }) => url));
  const unknown = named.filter(({ url }) => !known.has(url));
  const of = (index: number) => (named.length >= outputs.length ? named[index] : unknown.shift());
  const same = outputs.map((output, index) => {
    const now = isSettled(output) ? undefined : of(index);
    if (now === undefined) return output;
    const { url: _, ...rest } = output;
    return { ...rest, ...now };
  });
  return [...same, ...named.slice(outputs.length)];
}

/** The outputs as a new run begins with them: what is stored is kept, and what was refused is tried again. */
export const unmarked = (outputs: readonly UnstoredOutput[]): UnstoredOutput[] =>
  outputs.map(({ refused: _, lost: __, ...output }) => output);

/** What a run leaves whose outputs are all settled; `null`: none of them could be kept. */
export function keptOutput(outputs: readonly UnstoredOutput[]): Extract<JobOutput, { kind: 'images' }> | null {
  const images = outputs.flatMap(({ stored }): StoredImage[] => (stored === undefined ? [] : [stored]));
  const lost = outputs.flatMap(({ lost: reason }, index): LostOutput[] => (reason === undefined ? [] : [{ index, reason }]));
  return images.length === 0 ? null : { kind: 'images', images, ...(lost.length === 0 ? {} : { lost }) };
}

/** Why none could be kept, each reason once. */
export const lostMessage = (outputs: readonly UnstoredOutput[]): string => {
  const reasons = [...new Set(outputs.flatMap(({ lost }) => lost ?? []))];
  return `The task succeeded, but its result could not be kept: ${reasons.join('; ') || 'it names no output'}.`;
};

/** A task that outlives its run is polled again soon, then slowly. */
export const FIRST_LATE_POLL_MS = 60_000;

/** When the late sweep asks again for a result that was lost, counted from the end of its run. */
const LATE_POLLS_MIN = [5, 15, 30, 60, 100] as const;

/** The next of these polls; `null`: there is none. */
export function nextLatePoll(endedAt: number, now: number): number | null {
  return LATE_POLLS_MIN.map((minutes) => endedAt + minutes * 60_000).find((at) => at > now) ?? null;
}
