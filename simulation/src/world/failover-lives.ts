import { createRandom } from '../random.ts';
import type { LifeOptions } from './live.ts';
import { type Plan, planOf } from './plan.ts';

export interface FailoverLife {
  readonly plan: Plan;
  readonly options: LifeOptions;
}

/** With `memory` a life is held only against what may be paid twice: the rest may be lost. */
const OF_MEMORY = /^paid /;

/** Which promises are held where Redis fails over. */
export const heldIn = ({ failovers, durability }: LifeOptions = {}): Pick<LifeOptions, 'holds'> =>
  failovers !== undefined && durability !== 'replica' ? { holds: OF_MEMORY } : {};

/** What a life with failovers may look like, by name. */
const KINDS = {
  /** Failovers forget what no replica has confirmed, and processes die with them. */
  replica: { failovers: { everyMs: 12_000, lagMs: 1000, kills: ['workers', 'apis'] }, durability: 'replica' },
  /** Failovers forget the last writes, and every process lives. */
  memory: { failovers: { everyMs: 12_000, lagMs: 1000, kills: [] }, durability: 'memory', holds: OF_MEMORY },
  /** Workers die with them. With an API dies the key of a caller that it has answered, so none does. */
  'memory-kills': { failovers: { everyMs: 30_000, lagMs: 1000, kills: ['workers'] }, durability: 'memory', holds: OF_MEMORY },
} as const satisfies Readonly<Record<string, LifeOptions>>;

export type FailoverKind = keyof typeof KINDS;
export const FAILOVER_KINDS = Object.keys(KINDS) as FailoverKind[];

export const isFailoverKind = (name: string): name is FailoverKind => Object.hasOwn(KINDS, name);

export function failoverLife(seed: string, kind: FailoverKind): FailoverLife {
  const drawn = planOf(seed, createRandom(seed).fork('plan'), { jobs: 300, smooth: true });
  const options = KINDS[kind];
  // With `memory` a key may be forgotten until its API has made the job again, and who sends it meanwhile makes another.
  const resends = options.durability === 'memory' ? 0 : drawn.resends;
  return { plan: { ...drawn, workers: 3, forMs: 120_000, resends }, options };
}
