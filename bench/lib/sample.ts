import type { CpuTime } from './cpu.ts';

/** What one side did in one round. */
export interface Sample {
  /** Jobs in a second. */
  readonly perSecond: number;
  readonly cpu: CpuTime;
}

export type Side = () => Promise<Sample>;

/** What one job cost, process and store: steadier than a rate, which moves with whatever else the machine does. */
export const costOf = ({ cpu }: Sample): number => cpu.own + cpu.redis;

export interface Compared {
  readonly figures: number[];
  readonly ours: Sample[];
  readonly bare: Sample[];
}

/**
 * Measures both sides in turn (A B A B …), so that whatever else the machine does falls on both. The figure of a round
 * is the ratio of its two neighbouring rates.
 */
export async function alternate(
  rounds: number,
  sides: { ours: Side; bare: Side },
  say: (line: string) => void,
): Promise<Compared> {
  const ours: Sample[] = [];
  const bare: Sample[] = [];
  const figures: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const a = await sides.ours();
    const b = await sides.bare();
    const ratio = a.perSecond / b.perSecond;
    ours.push(a);
    bare.push(b);
    figures.push(ratio);
    say(`round ${round}/${rounds}: ours ${line(a)} · bare ${line(b)} · ratio ${ratio.toFixed(2)}`);
  }
  return { figures, ours, bare };
}

export const line = ({ perSecond, cpu }: Sample): string =>
  `${perSecond.toFixed(0)}/s at ${cpu.own.toFixed(3)} + ${cpu.redis.toFixed(3)} ms`;

/** Each side in turn, as often as there are rounds (A B C A B C …). A sample of a side stands beside those of the same round. */
export async function takeTurns<Name extends string, T>(
  rounds: number,
  sides: ReadonlyMap<Name, () => Promise<T>>,
  tell: (round: number, name: Name, sample: T) => void,
): Promise<ReadonlyMap<Name, readonly T[]>> {
  const samples = new Map<Name, T[]>([...sides.keys()].map((name) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, side] of sides) {
      const sample = await side();
      samples.get(name)?.push(sample);
      tell(round, name, sample);
    }
  }
  return samples;
}

/** The value that this part of all do not exceed. NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** The middle value; of an even number the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
