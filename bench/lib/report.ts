import type { CpuTime } from './cpu.ts';
import type { Measure, Measured, Row } from './row.ts';
import { median, type Sample } from './sample.ts';

export interface Result {
  readonly row: Row;
  readonly measured: readonly Measured[];
}

const HEAD = ['row', 'against', 'ours', 'bare', 'figure (median)', 'min – max', 'aim', ''];

/** Results as one Markdown table, with its notes below. */
export function report(results: readonly Result[]): string {
  const table = markdownTable([HEAD, ...results.flatMap(linesOf)]);
  const notes = results.flatMap(({ row, measured }) =>
    [...new Set(measured.flatMap(notesOf))].map((note) => `* \`${row.name}\`: ${note}`),
  );
  const more = results.flatMap(({ row, measured }) =>
    measured.flatMap(({ table }) => (table === undefined ? [] : [`\`${row.name}\`:\n\n${markdownTable(table)}`])),
  );
  return [table, ...(notes.length === 0 ? [] : [notes.join('\n')]), ...more].join('\n\n');
}

/** The first row is the head. */
export function markdownTable(cells: readonly (readonly string[])[]): string {
  const [head = [], ...rows] = cells;
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const linesOf = ({ row, measured }: Result): string[][] =>
  row.measures.map((measure, i) => cellsOf(measure, measured[i] ?? { figures: [] }));

function cellsOf(measure: Measure, { figures, ours, bare, skipped }: Measured): string[] {
  const { aim } = measure;
  const figure = median(figures);
  const number = (value: number) => `${value.toFixed(2)}${measure.unit && ` ${measure.unit}`}`;
  const wanted =
    aim === undefined ? '–' : `${aim.is === 'at least' ? '≥' : '≤'} ${aim.value}${measure.unit && ` ${measure.unit}`}`;
  if (skipped !== undefined) return [measure.what, measure.against, '–', '–', '–', '–', wanted, 'skipped'];
  const reached = aim === undefined || (aim.is === 'at least' ? figure >= aim.value : figure <= aim.value);
  return [
    `${measure.what}, ${figures.length} rounds`,
    measure.against,
    rate(ours),
    rate(bare),
    number(figure),
    `${number(Math.min(...figures))} – ${number(Math.max(...figures))}`,
    wanted,
    aim === undefined ? '' : reached ? 'reached' : 'missed',
  ];
}

const rate = (samples: readonly Sample[] | undefined): string =>
  samples === undefined ? '–' : `${median(samples.map((each) => each.perSecond)).toFixed(0)}/s`;

function notesOf({ ours, bare, notes = [], skipped }: Measured): readonly string[] {
  if (skipped !== undefined) return [skipped];
  if (ours === undefined || bare === undefined || ours.some(({ cpu }) => Number.isNaN(cpu.own))) return notes;
  const middle = (samples: readonly Sample[], part: keyof CpuTime) => median(samples.map(({ cpu }) => cpu[part]));
  const parts = (samples: readonly Sample[]) =>
    `${(['own', 'redis', 'driver'] as const).map((part) => middle(samples, part).toFixed(3)).join(' + ')} ms`;
  const ratio = (middle(bare, 'own') / middle(ours, 'own')).toFixed(2);
  return [
    `CPU for one job (process + store + load or sinks): ours ${parts(ours)}, bare ${parts(bare)}; ratio of the processes ${ratio}`,
    ...notes,
  ];
}
