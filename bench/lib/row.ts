import type { Sample } from './sample.ts';

/** What a figure has to be: at least (rates) or at most (sizes). */
interface Aim {
  readonly is: 'at least' | 'at most';
  readonly value: number;
}

/** What `node bench/main.ts` was asked for. */
export interface RunOptions {
  /** Times that each side is measured. */
  readonly rounds: number;
  /** Directory for CPU profiles of our own processes; without it none is taken. */
  readonly profileDir: string | undefined;
  /** Tells how far the run is; for people, not part of the result. */
  readonly say: (line: string) => void;
}

export interface Measured {
  /** One figure for each round: what the aim is held against. */
  readonly figures: readonly number[];
  /** What the figures were made from; `bare` is absent where a row has nothing to compare with. */
  readonly ours?: readonly Sample[];
  readonly bare?: readonly Sample[];
  /** One line each, printed below the table. */
  readonly notes?: readonly string[];
  /** A table of its own, below the notes; its first row is the head. */
  readonly table?: readonly (readonly string[])[];
  /** Why nothing was measured here: nothing of it counts then. */
  readonly skipped?: string;
}

/** One line of the table of results. */
export interface Measure {
  readonly what: string;
  readonly against: string;
  /** Of a figure: nothing for a ratio. */
  readonly unit: '' | 'lines' | 'jobs' | 'jobs/s' | 'KiB' | 'MiB' | 's' | 'ms';
  /** Without one it is only told. */
  readonly aim?: Aim;
  /** `--check` fails when the figure is worse than the kept one by more than this part of it; without it the figure is only printed. */
  readonly tolerance?: number;
}

/** What is measured by one and the same runs, in a file of its own. */
export interface Row {
  /** Its name on the command line. */
  readonly name: string;
  readonly measures: readonly [Measure, ...Measure[]];
  /** Rounds, unless the command line says otherwise. */
  readonly rounds: number;
  /** About how long that takes on two cores, from which the rest of a run is reckoned. */
  readonly seconds: number;
  /** Answers one result for each of `measures`, in their order. */
  run(options: RunOptions): Promise<readonly Measured[]>;
}
