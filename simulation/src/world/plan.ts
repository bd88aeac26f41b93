import type { TenantLimits } from '@grsai-jobs/jobs';
import type { Random } from '../random.ts';
import type { Oddities } from './oddities.ts';
import type { Mix } from './orders.ts';

/** What one life of the service is made of. It follows from its seed, and a shrunk story leaves parts of it out. */
export interface Plan {
  readonly seed: string;
  readonly workers: number;
  readonly apis: number;
  /** How much each worker does at once. */
  readonly slots: 'many' | 'few';
  readonly tenants: number;
  readonly jobs: number;
  /** Batches, and how many lines each has. */
  readonly batches: readonly number[];
  /** For how long callers send and things go wrong, in ms. */
  readonly forMs: number;
  /** Ms between two faults, about; 0 for a calm life. */
  readonly faultEveryMs: number;
  /** Only these faults, by their names; none named: all. */
  readonly only: readonly string[];
  readonly mix: Mix;
  readonly oddities: Oddities;
  /** How often a caller cancels, or retries, what it has sent. */
  readonly cancels: number;
  readonly retries: number;
  /** How often a caller sends once more what was accepted, and deletes what has ended. */
  readonly resends: number;
  readonly deletes: number;
  /** How much more the first tenant sends than its share. */
  readonly unlike: number;
  /** Ms between two acts of operators, about; 0: there are none. */
  readonly operatorEveryMs: number;
  /** What tenants may have all the time. */
  readonly limits: Readonly<Record<string, TenantLimits>>;
  /** In how many ms another day, month and year begin; `null`: not in this life. */
  readonly midnightInMs: number | null;
  /** How often the answer of Redis is lost. */
  readonly lost: number;
  /** How often a worker sends to the records again what Redis has done, since the answer was lost with its connection. */
  readonly repeated: number;
  /** These limits stand when nothing goes wrong any more, too: who waits for what it may not have gives up. */
  readonly keepsLimits: boolean;
  /** How many paid calls and living tasks the account allows at once. */
  readonly maxInFlight: number;
  /** Faults that are left out, by the number that they have in the plan. */
  readonly without: readonly number[];
}

/**
 * Everything together, in proportions that differ from seed to seed.
 *
 * @param o.calm nothing goes wrong. `smooth`: nothing goes wrong on our side, so that no periodic task has anything to repair; upstream
 * fails as usual, and callers change their minds.
 */
export function planOf(seed: string, random: Random, o: { jobs?: number; calm?: boolean; smooth?: boolean } = {}): Plan {
  const calm = o.calm ?? false;
  const often = (most: number) => (calm || random.chance(0.3) ? 0 : most * random.next());
  const smooth = calm || (o.smooth ?? false);
  const few = random.whole(400, 2000);
  const [workers, apis, slots] = [random.whole(1, 3), random.whole(1, 2), random.pick(['many', 'many', 'few'] as const)];
  // The end of a life, in which the last tasks and waits are over one after another, lasts as long for few jobs as for many.
  const jobs = o.jobs ?? (slots === 'many' ? 3 * few : few);
  return {
    seed,
    workers,
    apis,
    slots,
    tenants: random.pick([1, 2, 3, 4, 5, 50]),
    jobs,
    batches: Array.from({ length: random.whole(0, 3) }, () => random.whole(2, Math.max(3, Math.floor(jobs / 8)))),
    forMs: random.whole(60_000, 240_000),
    faultEveryMs: smooth ? 0 : random.whole(2_000, 20_000),
    only: [],
    mix: {
      images: random.pick([0.2, 0.4, 0.7]),
      generations: 0.15,
      resubmit: 0.15,
      webhooks: random.pick([0.5, 1]),
      expires: calm ? 0 : random.pick([0, 0.05]),
      large: random.pick([0, 0.05]),
      fallbacks: random.fork('fallbacks').pick([0, 0.3, 0.6]),
      once: random.fork('once').pick([0, 0.2]),
      attempts: random.fork('attempts').pick([0, 0.2]),
      events: random.fork('events').pick([0, 0.2]),
    },
    oddities: {
      notSent: often(0.05),
      lost: often(0.03),
      failed: often(0.08),
      unavailable: calm ? 0 : random.fork('unavailable').pick([0, 0.03]),
      violation: often(0.05),
      taskFailed: often(0.1),
      unfinished: often(0.05),
      slow: often(0.05),
      late: often(0.05),
      deadly: smooth ? 0 : often(0.01),
      ...(calm ? NO_SELDOM_ONES : seldomOnesOf(random)),
    },
    cancels: calm ? 0 : random.pick([0, 0.05, 0.2]),
    retries: calm ? 0 : random.pick([0, 0.1, 0.3]),
    resends: calm ? 0 : random.pick([0, 0.1]),
    deletes: calm ? 0 : random.pick([0, 0.05]),
    unlike: random.pick([0, 0.7]),
    operatorEveryMs: calm ? 0 : random.pick([0, 15_000, 60_000]),
    keepsLimits: false,
    limits: calm ? {} : limitsOf(random.fork('limits')),
    midnightInMs: calm ? null : random.fork('midnight').pick([null, 60_000, 120_000]),
    lost: smooth ? 0 : often(0.003),
    repeated: smooth ? 0 : often(0.01),
    maxInFlight: random.pick([Math.ceil(jobs / 10), jobs, jobs]),
    without: [],
  };
}

const NO_SELDOM_ONES = { long: 0, several: 0, broken: 0, strange: 0 };

/** Where a result is lost it is asked for during two hours, so that such a life costs as much as several others. */
const seldomOnesOf = (random: Random) => ({
  long: random.fork('long').pick([0, 0, 0.03]),
  several: random.fork('several').pick([0, 0.2]),
  broken: random.fork('broken').pick([0, 0, 0, 0, 0.02]),
  strange: random.fork('strange').pick([0, 0, 0.02]),
});

/** Of some lives the first two tenants have less than they want. */
function limitsOf(random: Random): Plan['limits'] {
  const some: readonly (TenantLimits | null)[] = [
    null,
    { budget: { credits: random.pick([30_000, 150_000]), period: random.pick(['day', 'month', 'total'] as const) } },
    { max_in_flight: random.pick([2, 10]) },
    { max_queued: random.pick([5, 40]), max_in_flight: 20 },
  ];
  const limited = ['tenant-1', 'tenant-2'].map((tenant) => [tenant, random.pick(some)] as const);
  return Object.fromEntries(limited.flatMap(([tenant, limits]) => (limits === null ? [] : [[tenant, limits]])));
}
