import type { BatchEvidence, Evidence } from '../evidence.ts';

/** A batch was taken once, has ended, and what it says of its lines is what their records say. */
export function batchesAddUp({ batches, jobs }: Evidence): string[] {
  const statuses = new Map(jobs.map((job) => [job.planned.n, job.records[0]?.status ?? 'no record']));
  return batches.flatMap((batch) => problemsOf(batch, statuses).map((problem) => `${nameOf(batch)}: ${problem}`));
}

const nameOf = ({ view, jobs }: BatchEvidence): string =>
  `${view?.id ?? 'a batch that was not accepted'} of ${jobs.length} lines`;

function problemsOf({ jobs, answers, view, rows }: BatchEvidence, statuses: ReadonlyMap<number, string>): string[] {
  const ids = new Set(answers.flatMap(({ id }) => id ?? []));
  if (view === undefined) return [`it was never accepted; last answer: ${answers.at(-1)?.text}`];
  const { total, ...counts } = view.counts;
  const counted = Object.entries(counts).filter(([, n]) => n > 0);
  const kept = Map.groupBy(jobs, (job) => statuses.get(job.n) ?? '');
  const wanted = jobs.map((job, i) => `${i + 1} n${job.n} ${statuses.get(job.n)}`).join(', ');
  const answered = rows.map((row) => `${row.line} ${row.custom_id} ${row.status}`).join(', ');
  return [
    ...(ids.size > 1 ? [`its key was answered with ${[...ids].join(' and ')}`] : []),
    ...(view.status === 'completed' ? [] : [`it is ${view.status}`]),
    ...(total === jobs.length ? [] : [`its total is ${total}`]),
    ...(counted.length === kept.size && counted.every(([status, n]) => kept.get(status)?.length === n)
      ? []
      : [
          `it counts ${JSON.stringify(counts)}, and its records are ${[...kept].map(([status, all]) => `${status} ${all.length}`).join(', ')}`,
        ]),
    ...(answered === wanted ? [] : [`its results are ${answered}; wanted ${wanted}`]),
  ];
}
