import type { CpuTime } from './cpu.ts';
import type { Measured, Row } from './row.ts';
import { median, type Sample } from './sample.ts';

export interface Result {
  readonly row: Row;
  readonly measured: Measured;
}

const HEAD = ['row', 'against', 'ours', 'bare', 'figure (median)', 'min – max', 'aim', ''];

/** Results as one Markdown table, with its notes below. */
export function report(results: readonly Result[]): string {
  const cells = [HEAD, ...results.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...rows] = cells;
  const table = [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
  const notes = results.flatMap(({ row, measured }) => notesOf(measured).map((note) => `* \`${row.name}\`: ${note}`));
  return notes.length === 0 ? table : `${table}\n\n${notes.join('\n')}`;
}

function cellsOf({ row, measured }: Result): string[] {
  const { figures, ours, bare } = measured;
  const figure = median(figures);
  const number = (value: number) => `${value.toFixed(2)}${row.unit && ` ${row.unit}`}`;
  const reached = row.aim.is === 'at least' ? figure >= row.aim.value : figure <= row.aim.value;
  return [
    `${row.what}, ${figures.length} rounds`,
    row.against,
    rate(ours),
    rate(bare),
    number(figure),
    `${number(Math.min(...figures))} – ${number(Math.max(...figures))}`,
    `${row.aim.is === 'at least' ? '≥' : '≤'} ${row.aim.value}${row.unit && ` ${row.unit}`}`,
    reached ? 'reached' : 'missed',
  ];
}

const rate = (samples: readonly Sample[] | undefined): string =>
  samples === undefined ? '–' : `${median(samples.map((each) => each.perSecond)).toFixed(0)}/s`;

function notesOf({ ours, bare, notes = [] }: Measured): readonly string[] {
  if (ours === undefined || bare === undefined || ours.some(({ cpu }) => Number.isNaN(cpu.own))) return notes;
  const middle = (samples: readonly Sample[], part: keyof CpuTime) => median(samples.map(({ cpu }) => cpu[part]));
  const parts = (samples: readonly Sample[]) =>
    `${(['own', 'redis', 'driver'] as const).map((part) => middle(samples, part).toFixed(3)).join(' + ')} ms`;
  const ratio = (middle(bare, 'own') / middle(ours, 'own')).toFixed(2);
  return [
    `CPU for one job (process + Redis + load or sinks): ours ${parts(ours)}, bare ${parts(bare)}; ratio of the processes ${ratio}`,
    ...notes,
  ];
}
