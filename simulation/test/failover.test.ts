import { expect, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { Scripts } from '../src/redis/lua/scripts.ts';
import { type LifeOptions, live } from '../src/world/live.ts';
import { type Plan, planOf } from '../src/world/plan.ts';
import { timelineOf } from '../src/world/timeline.ts';

/** One life of a seed that is kept, or of SEED; with SIMULATION_SECONDS lives of fresh seeds instead, for a third of that time in each test. */
const SECONDS = Number(process.env['SIMULATION_SECONDS'] ?? 0) / 3;
const SEED = process.env['SEED'] ?? (SECONDS === 0 ? 'failover-1' : undefined);

const planFor = (seed: string, durability: LifeOptions['durability']): Plan => {
  const plan = planOf(seed, createRandom(seed).fork('plan'), { jobs: 300, smooth: true });
  // With `memory` a key may be forgotten until its API has made the job again, and who sends it meanwhile makes another.
  return { ...plan, workers: 3, forMs: 120_000, resends: durability === 'memory' ? 0 : plan.resends };
};

/** Lives as far as the time reaches: the story of the first that breaks a promise. */
async function explored(o: LifeOptions): Promise<string> {
  const first = Date.now().toString(36);
  const scripts = new Scripts();
  const until = performance.now() + SECONDS * 1000;
  for (let n = 1; n === 1 || (SEED === undefined && performance.now() < until); n += 1) {
    const plan = planFor(SEED ?? `${first}-${n}`, o.durability);
    const life = await live(plan, { scripts, ...o });
    if (life.violations.length > 0) return `seed ${plan.seed}\n${timelineOf(await live(plan, { tells: true, ...o }))}`;
  }
  return '';
}

const TIMEOUT = { timeout: (SECONDS + 120) * 1000 };

test('when failovers forget the last writes and every process lives then nothing is paid twice', TIMEOUT, async () => {
  const failovers = { everyMs: 12_000, lagMs: 1000, kills: [] } as const;
  expect(await explored({ failovers, durability: 'memory', holds: /^paid / })).toBe('');
});

test(
  'when failovers forget what no replica has confirmed, and processes die with them, then no promise is broken',
  TIMEOUT,
  async () => {
    const failovers = { everyMs: 12_000, lagMs: 1000, kills: ['workers', 'apis'] } as const;
    expect(await explored({ failovers, durability: 'replica' })).toBe('');
  },
);

/** With `memory` a key of a caller that its API has answered and taken with it is known to nobody. */
test('when failovers forget the last writes of workers that die with them then nothing is paid twice', TIMEOUT, async () => {
  const failovers = { everyMs: 30_000, lagMs: 1000, kills: ['workers'] } as const;
  expect(await explored({ failovers, durability: 'memory', holds: /^paid / })).toBe('');
});
