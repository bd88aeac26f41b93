import { createRandom } from '../random.ts';
import { Scripts } from '../redis/lua/scripts.ts';
import { causeOne, FAULT_NAMES } from './faults.ts';
import { type Life, type LifeOptions, live } from './live.ts';
import { NO_ODDITIES } from './oddities.ts';
import { NO_MIX } from './orders.ts';
import type { Plan } from './plan.ts';

const SMALL: Omit<Plan, 'seed' | 'mix'> = {
  ...{ workers: 2, apis: 1, slots: 'many', tenants: 1, jobs: 1, batches: [], forMs: 1000, faultEveryMs: 0, only: [] },
  ...{
    oddities: NO_ODDITIES,
    cancels: 0,
    retries: 0,
    resends: 0,
    deletes: 0,
    unlike: 0,
    operatorEveryMs: 0,
    lost: 0,
    repeated: 0,
    maxInFlight: 10,
    without: [],
    keepsLimits: false,
    limits: {},
    midnightInMs: null,
  },
};
const MIX = { ...NO_MIX, webhooks: 1 };

/** What is small enough to be tried at every step: one job or batch, two workers, one API. */
export const SMALL_PLANS: Readonly<Record<string, Plan>> = {
  chat: { ...SMALL, seed: 'chat', mix: MIX },
  image: { ...SMALL, seed: 'image', mix: { ...MIX, images: 1 } },
  'synchronous image': { ...SMALL, seed: 'generations', mix: { ...MIX, images: 1, generations: 1 } },
  batch: { ...SMALL, seed: 'batch', jobs: 0, batches: [2], mix: MIX },
};

/** What the exploration of one plan came to. */
export interface Explored {
  readonly steps: number;
  readonly lives: number;
  /** The first life that broke a promise, and how it is lived again. */
  readonly broken: { life: Life; fault: string; step: number } | null;
}

/** A life in which one thing goes wrong before one step. */
export const liveWithOne = (
  plan: Plan,
  fault: string,
  step: number,
  o: Pick<LifeOptions, 'tells' | 'scripts'> = {},
): Promise<Life> =>
  live(plan, {
    ...o,
    atStep: (at, world) => {
      if (at === step) causeOne(world, fault, createRandom(`${fault}/${step}`));
    },
  });

/**
 * Has each fault happen before each step of a calm life: every point at which one fault can come, each in a life of its own.
 *
 * @param o.every only each nth step, beginning with `from`.
 */
export async function explore(plan: Plan, o: { every?: number; from?: number; until?: number } = {}): Promise<Explored> {
  const scripts = new Scripts();
  const { every = 1, from = 1, until = Number.POSITIVE_INFINITY } = o;
  // Behind the end nothing is left that a fault could break.
  const { steps } = await live(plan);
  let lives = 0;
  for (let step = from; step <= steps; step += every)
    for (const fault of FAULT_NAMES) {
      if (performance.now() >= until) return { steps, lives, broken: null };
      const life = await liveWithOne(plan, fault, step, { scripts });
      lives += 1;
      if (life.violations.length > 0) return { steps, lives, broken: { life, fault, step } };
    }
  return { steps, lives, broken: null };
}
