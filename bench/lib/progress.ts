import type { Row } from './row.ts';

/** Of a row's time so much passes however few its rounds are: starts, and what is counted once. */
const ONCE = 0.2;

/** About how long a row takes with so many rounds. */
export const secondsOf = (row: Row, rounds: number | undefined): number =>
  row.seconds * (ONCE + (1 - ONCE) * ((rounds ?? row.rounds) / row.rounds));

export const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.max(5, Math.round(seconds / 5) * 5)} s` : `${Math.round(seconds / 60)} min`;

export interface Progress {
  /** One line: which row it is, and how long the rest will take. */
  begin(row: Row): string;
  end(row: Row): void;
  /** How long each took. */
  summary(): string;
}

/** Reckons the rest from what each row says, stretched as the rows before it were. */
export function createProgress(rows: readonly Row[], rounds: number | undefined, now = () => performance.now()): Progress {
  const took = new Map<Row, number>();
  let began = now();
  const sum = (of: (row: Row) => number, some: readonly Row[]) => some.reduce((total, row) => total + of(row), 0);
  const said = (row: Row) => secondsOf(row, rounds);
  const rest = (): number => {
    const done = [...took.keys()];
    const stretch = done.length === 0 ? 1 : sum((row) => took.get(row) ?? 0, done) / sum(said, done);
    return (
      stretch *
      sum(
        said,
        rows.filter((row) => !took.has(row)),
      )
    );
  };
  return {
    begin: (row) => {
      began = now();
      return `[${took.size + 1} of ${rows.length}, about ${minutes(rest())} to go] ${row.name}: ${row.measures[0].what}`;
    },
    end: (row) => void took.set(row, (now() - began) / 1000),
    summary: () => {
      const each = [...took].map(([row, seconds]) => `\`${row.name}\` ${seconds.toFixed(0)}`);
      return `Took ${minutes(sum((row) => took.get(row) ?? 0, [...took.keys()]))} in all; seconds: ${each.join(' · ')}`;
    },
  };
}
