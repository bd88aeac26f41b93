/** A point of a line: seconds, and what was there. */
export type Point = readonly [seconds: number, value: number];

export interface Trend {
  readonly mean: number;
  /** Of the straight line through all points, in an hour. */
  readonly perHour: number;
  /** What that line rises from the first point to the last. */
  readonly rise: number;
  /** Standard deviation of the points from the line. */
  readonly noise: number;
}

/** The straight line of least squares. NaN of fewer than three points. */
export function trendOf(points: readonly Point[]): Trend {
  const n = points.length;
  const [first, last] = [points[0], points.at(-1)];
  if (n < 3 || first === undefined || last === undefined)
    return { mean: Number.NaN, perHour: Number.NaN, rise: Number.NaN, noise: Number.NaN };
  const sum = (of: (point: Point) => number): number => points.reduce((all, point) => all + of(point), 0);
  const at = sum(([x]) => x) / n;
  const mean = sum(([, y]) => y) / n;
  const slope = sum(([x, y]) => (x - at) * (y - mean)) / sum(([x]) => (x - at) ** 2);
  const noise = Math.sqrt(sum(([x, y]) => (y - mean - slope * (x - at)) ** 2) / n);
  return { mean, perHour: slope * 3600, rise: slope * (last[0] - first[0]), noise };
}

export type Verdict = 'flat' | 'growing' | 'falling' | 'too short';

/** The rule of `verdictOf`, in words. */
export const RULE =
  'Growing: the straight line of least squares through the last two thirds of the samples rises by more than 5 % of their mean, by more than their ' +
  'standard deviation from it, and by more than the slack of the measure. Falling is the same downwards; else it is flat.';

/** @param slack a smaller change is none */
export function verdictOf({ mean, rise, noise }: Trend, slack: number): Verdict {
  if (Number.isNaN(mean)) return 'too short';
  if (Math.abs(rise) <= Math.max(slack, 0.05 * Math.abs(mean), noise)) return 'flat';
  return rise > 0 ? 'growing' : 'falling';
}
