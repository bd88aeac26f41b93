import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { markdownTable, type Result } from './report.ts';
import { median, type Sample } from './sample.ts';

/** The rows that `--check` and `--keep` run when none is named: what a change of the service itself can make slower. */
export const CHECKED = ['post-jobs', 'chat-to-webhook', 'ndjson-batch', 'store-200', 'queued-memory', 'log-lines'];

/** More CPU for one job than kept, as a part of it, that `--check` lets pass: what runs on a busy machine differ by. */
const CPU_TOLERANCE = 0.1;

/** CPU for one job of one row in ms, process and Redis: the least of its rounds, since whatever else the machine does only ever adds to it. */
interface KeptCpu {
  readonly ours: number;
  readonly bare: number;
  /** Ours in parts of bare's: a machine that is busy makes both dearer. */
  readonly ratio: number;
}

interface KeptRow {
  readonly commit: string;
  readonly machine: string;
  readonly rounds: number;
  readonly cpu?: KeptCpu;
  /** By what is measured. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The file of `--keep`, by row. */
export type Baseline = Readonly<Record<string, KeptRow>>;

const FILE = new URL('../baseline.json', import.meta.url);

export const readBaseline = (): Baseline => (existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Baseline) : {});

/** Writes what these rows came to; what is kept of other rows stays. */
export function keep(results: readonly Result[], where: { commit: string; machine: string }): void {
  const measured = results.filter((result) => result.measured.some(({ skipped }) => skipped === undefined));
  const rows = measured.map((result) => [result.row.name, keptOf(result, where)]);
  writeFileSync(FILE, `${JSON.stringify({ ...readBaseline(), ...Object.fromEntries(rows) }, null, 2)}\n`);
}

function keptOf({ row, measured }: Result, where: { commit: string; machine: string }): KeptRow {
  const cpu = cpuOf(measured.find(({ bare }) => bare !== undefined) ?? {});
  const figures = row.measures.flatMap(({ what }, i) =>
    measured[i]?.skipped === undefined ? [[what, rounded(median(measured[i]?.figures ?? []))] as const] : [],
  );
  const rounds = measured[0]?.figures.length ?? 0;
  return { ...where, rounds, ...(cpu === undefined ? {} : { cpu }), figures: Object.fromEntries(figures) };
}

/** Nothing where the system has no clock for it. */
function cpuOf({ ours, bare }: { ours?: readonly Sample[]; bare?: readonly Sample[] }): KeptCpu | undefined {
  if (ours === undefined || bare === undefined) return undefined;
  const used = ({ cpu }: Sample) => cpu.own + cpu.redis;
  const least = { ours: Math.min(...ours.map(used)), bare: Math.min(...bare.map(used)) };
  if (Object.values(least).some(Number.isNaN)) return undefined;
  return { ours: rounded(least.ours), bare: rounded(least.bare), ratio: rounded(least.ours / least.bare) };
}

const rounded = (value: number): number => Number(value.toPrecision(4));

const HEAD = ['row', 'number', 'kept', 'now', 'change', 'may be', ''];

/**
 * What the rows came to beside what is kept, and whether none is worse than it may be. CPU is compared in parts of what the bare side took in the
 * same run, since the same work costs more on a busy machine; rates are printed and not judged.
 */
export function check(results: readonly Result[], baseline: Baseline): { table: string; worse: readonly string[] } {
  const worse: string[] = [];
  const lines = results.flatMap((result) => {
    const { row, measured } = result;
    const kept = baseline[row.name];
    const now = keptOf(result, { commit: '', machine: '' });
    const judge = (what: string, tolerance: number | undefined, change: number): string => {
      if (tolerance === undefined) return '';
      if (Number.isNaN(change)) return 'not kept';
      if (change <= tolerance + 1e-9) return 'ok';
      worse.push(`${row.name}: ${what}`);
      return 'WORSE';
    };
    const cells = (what: string, kept: string, now: string, change: number, tolerance: number | undefined) => [
      ...[row.name, what, kept, now, percent(change), tolerance === undefined ? '–' : `≤ ${percent(tolerance)}`],
      judge(what, tolerance, change),
    ];
    const cpuNow = now.cpu;
    const cpuKept = kept?.cpu;
    const ms = (cpu: KeptCpu | undefined) => (cpu === undefined ? '–' : `${cpu.ours} : ${cpu.bare} ms = ${cpu.ratio}`);
    const cpu =
      cpuNow === undefined
        ? []
        : [
            cells(
              'CPU for one job, ours : bare',
              ms(cpuKept),
              ms(cpuNow),
              cpuNow.ratio / (cpuKept?.ratio ?? Number.NaN) - 1,
              CPU_TOLERANCE,
            ),
          ];
    const figures = row.measures.flatMap(({ what, unit, tolerance, aim }, i) => {
      if (measured[i]?.skipped !== undefined) return [];
      const [before, after] = [kept?.figures[what] ?? Number.NaN, rounded(median(measured[i]?.figures ?? []))];
      const text = (value: number) => (Number.isNaN(value) ? '–' : `${value}${unit && ` ${unit}`}`);
      const name = measured[i]?.bare === undefined ? what : `rate: ${what}`;
      // What was nothing before may stay nothing.
      const change = after === before ? 0 : after / before - 1;
      const worse = tolerance !== undefined && aim?.is === 'at least' ? -change : change;
      return [cells(name, text(before), text(after), worse, tolerance)];
    });
    return [...cpu, ...figures];
  });
  return { table: markdownTable([HEAD, ...lines]), worse };
}

const percent = (part: number): string => (Number.isNaN(part) ? '–' : `${part > 0 ? '+' : ''}${(part * 100).toFixed(1)} %`);
