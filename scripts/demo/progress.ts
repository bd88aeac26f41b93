import type { Entry } from './run.ts';

const COLUMNS = ['queued', 'calling', 'generating', 'storing', 'done', 'failed', 'webhooks'] as const;
type Column = (typeof COLUMNS)[number];

const PLAIN_EVERY_MS = 1000;

/** Shows where the jobs are: a small table that redraws itself on a terminal, else one line each second. */
export function createProgress(out: NodeJS.WriteStream): { show(entries: readonly Entry[]): void; end(): void } {
  const started = performance.now();
  let drawn = 0;
  let lastPlain = Number.NEGATIVE_INFINITY;
  const clock = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s`;
  const back = () => (drawn > 0 ? `\x1b[${drawn}A\x1b[J` : '');
  return {
    show(entries) {
      const rows = (['chat', 'image'] as const).map((type) => ({
        type,
        counts: count(entries.filter(({ wish }) => wish.type === type)),
      }));
      if (out.isTTY) {
        const head = `${clock()}   ${COLUMNS.map((name) => name.padStart(12)).join('')}`;
        const lines = rows.map(
          ({ type, counts }) => `${type.padEnd(8)}${COLUMNS.map((name) => String(counts[name] || '·').padStart(12)).join('')}`,
        );
        out.write(`${back()}${[head, ...lines].join('\n')}\n`);
        drawn = lines.length + 1;
      } else if (performance.now() - lastPlain >= PLAIN_EVERY_MS) {
        lastPlain = performance.now();
        const parts = rows.map(
          ({ type, counts }) =>
            `${type}: ${COLUMNS.filter((name) => counts[name] > 0)
              .map((name) => `${counts[name]} ${name}`)
              .join(', ')}`,
        );
        out.write(`${clock()}  ${parts.join('  |  ')}\n`);
      }
    },
    end() {
      out.write(back());
      drawn = 0;
    },
  };
}

function count(entries: readonly Entry[]): Record<Column, number> {
  const counts: Record<Column, number> = { queued: 0, calling: 0, generating: 0, storing: 0, done: 0, failed: 0, webhooks: 0 };
  for (const entry of entries) {
    counts[columnOf(entry)]++;
    if (entry.delivery) counts.webhooks++;
  }
  return counts;
}

function columnOf({ job, problem }: Entry): Column {
  if (problem !== '') return 'failed';
  if (job === undefined || job.status === 'queued') return 'queued';
  if (job.status === 'succeeded') return 'done';
  if (job.status !== 'running') return 'failed';
  return job.stage === 'generating' || job.stage === 'storing' ? job.stage : 'calling';
}
