import { drawChart, type Panel } from './chart.ts';
import { isJudged, type Measure, OF_PROCESS, OF_SERVICE, PROCESSES } from './measures.ts';
import type { Sample } from './samples.ts';
import { type Point, RULE, type Trend, trendOf, type Verdict, verdictOf } from './trend.ts';

interface Row {
  readonly measure: Measure;
  /** Of which process; empty for one of the whole service. */
  readonly process: string;
  readonly points: readonly Point[];
  readonly trend: Trend;
  /** Undefined: it is not judged. */
  readonly verdict: Verdict | undefined;
}

/** Of a third of the time things warm up and lists fill. */
const WARM_UP = 1 / 3;

function rowOf(samples: readonly Sample[], measure: Measure, process: string): Row {
  const name = process === '' ? measure.name : `${process}.${measure.name}`;
  const points = samples.flatMap(({ t, values }): Point[] => {
    const value = values[name];
    return value === undefined || Number.isNaN(value) ? [] : [[t, value]];
  });
  const from = (samples.at(-1)?.t ?? 0) * WARM_UP;
  const trend = trendOf(points.filter(([t]) => t >= from));
  const judged = measure.judged && isJudged(process);
  return { measure, process, points, trend, verdict: judged ? verdictOf(trend, measure.slack) : undefined };
}

const rowsOf = (samples: readonly Sample[]): Row[] => [
  ...OF_PROCESS.flatMap((measure) => PROCESSES.map((process) => rowOf(samples, measure, process))),
  ...OF_SERVICE.map((measure) => rowOf(samples, measure, '')),
];

const digits = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(Math.abs(value) < 10 ? 2 : 0));

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ measure, process, points, trend, verdict }) => {
    const cells = [
      `${measure.title}${process === '' ? '' : `, ${process}`}`,
      measure.unit,
      digits(trend.mean),
      digits(trend.noise),
      digits(points.at(-1)?.[1] ?? Number.NaN),
      digits(trend.perHour),
      verdict ?? (process === '' ? 'not judged' : 'is killed'),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| measure | unit | mean | ± | last | slope in an hour | verdict |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...lines,
    '',
    RULE,
  ].join('\n');
}

/** One panel for each measure; that of all processes is one. */
function panelsOf(rows: readonly Row[]): Panel[] {
  return [...Map.groupBy(rows, ({ measure }) => measure)].map(([measure, all]) => ({
    title: measure.title,
    unit: measure.unit,
    note: all
      .filter(({ verdict, process }) => verdict !== undefined || process === '')
      .map(({ process, trend, verdict }) =>
        [process, Number.isNaN(trend.perHour) ? '' : `${trend.perHour > 0 ? '+' : ''}${digits(trend.perHour)} / h`, verdict ?? '']
          .filter((word) => word !== '')
          .join(' '),
      )
      .join(' · '),
    lines: all.map(({ process, points }) => ({ name: process, points })),
  }));
}

/** What the samples come to: a table, a picture, and what grows. */
export function describe(samples: readonly Sample[], o: { title: string; subtitle: string; faults: readonly number[] }) {
  const rows = rowsOf(samples);
  const growing = rows.filter(({ verdict }) => verdict === 'growing');
  return {
    table: tableOf(rows),
    chart: drawChart({ ...o, seconds: samples.at(-1)?.t ?? 1, panels: panelsOf(rows) }),
    growing: growing.map(({ measure, process }) => `${measure.title}${process === '' ? '' : ` of ${process}`}`),
  };
}
