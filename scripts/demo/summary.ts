import { type Entry, hasResult, isRight, secondsOf } from './run.ts';

const HEAD = ['', 'submitted', 'succeeded', 'webhooks verified', 'results checked', 'median'];

/** An aligned table of both types, and after it what went wrong, if anything did. */
export function summary(entries: readonly Entry[]): string {
  const rows = (['chat', 'image'] as const).map((type) =>
    rowOf(
      type,
      entries.filter(({ wish }) => wish.type === type),
    ),
  );
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   '),
  );
  const wrong = entries
    .filter((entry) => !isRight(entry))
    .map((entry) => `  ${entry.job?.id ?? entry.wish.prompt}: ${whatIsWrong(entry)}`);
  const right = entries.length - wrong.length;
  return [...lines, '', `${right} of ${entries.length} right`, ...wrong].join('\n');
}

function rowOf(type: string, entries: readonly Entry[]): string[] {
  const times = entries.map(secondsOf).filter((seconds) => seconds !== undefined);
  const of = (test: (entry: Entry) => boolean) => String(entries.filter(test).length);
  return [
    type,
    of(({ job }) => job !== undefined),
    of(({ job }) => job?.status === 'succeeded'),
    of(({ delivery }) => delivery !== undefined),
    of(hasResult),
    times.length > 0 ? `${median(times).toFixed(1)} s` : '–',
  ];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

/** The first thing that is not right, in words. */
export function whatIsWrong(entry: Entry): string {
  const { job, delivery, problem, images } = entry;
  if (problem !== '') return problem;
  if (job?.error) return `${job.status}: ${job.error.code}, ${job.error.message}`;
  if (job?.status !== 'succeeded') return `still ${job?.stage ?? job?.status ?? 'not submitted'} when the demo ended`;
  if (!hasResult(entry)) return images.find((image) => image.problem !== '')?.problem ?? 'the result is empty';
  return delivery ? `the webhook says ${delivery.type}` : 'no webhook with a valid signature arrived';
}
