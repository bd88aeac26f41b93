import { expect, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { Scripts } from '../src/redis/lua/scripts.ts';
import { explore, liveWithOne, SMALL_PLANS } from '../src/world/explore.ts';
import { interleave, liveBy } from '../src/world/interleavings.ts';
import { checkEnd, lookInto } from '../src/world/invariants.ts';
import { type Life, live } from '../src/world/live.ts';
import { NO_MIX } from '../src/world/orders.ts';
import { type Plan, planOf } from '../src/world/plan.ts';
import { timelineOf } from '../src/world/timeline.ts';
import type { World } from '../src/world/world.ts';

const planFor = (seed: string, more: Partial<Plan> = {}): Plan => ({
  ...planOf(seed, createRandom(seed).fork('plan'), { jobs: createRandom(seed).fork('jobs').whole(100, 600) }),
  ...more,
});

/** What a failing seed says: the command that lives it again, and its story. */
const told = async (life: Life): Promise<string> => {
  if (life.violations.length === 0) return '';
  return `pnpm simulate --seed ${life.plan.seed} --jobs ${life.plan.jobs}\n${timelineOf(await live(life.plan, { tells: true }))}`;
};

/** By an environment variable, since a run by hand may be as long as one likes. */
const SECONDS = Number(process.env['SIMULATION_SECONDS'] ?? 60);

test('when a plan is lived twice then every line of its story is the same', async () => {
  const plan = planFor('twice', { jobs: 60, batches: [10], forMs: 60_000, faultEveryMs: 4000 });
  const [first, second] = [await live(plan, { tells: true }), await live(plan, { tells: true })];
  expect(first.lines.length).toBeGreaterThan(300);
  expect(second.lines).toEqual(first.lines);
  expect(await told(first)).toBe('');
});

test('when fresh seeds live with everything going wrong then no promise is broken', {
  timeout: (SECONDS + 240) * 1000,
}, async () => {
  const first = Date.now().toString(36);
  const scripts = new Scripts();
  const until = performance.now() + SECONDS * 1000;
  for (let n = 1; performance.now() < until; n += 1)
    expect(await told(await live(planFor(`${first}-${n}`), { scripts }))).toBe('');
});

test.each(Object.entries(SMALL_PLANS))(
  'when one thing goes wrong in the life of a small %s, whenever that is, then no promise is broken',
  async (_name, plan) => {
    // A few of its steps, others each time; `pnpm simulate --every-step` tries all.
    const { broken } = await explore(plan, { every: 97, from: 1 + (Date.now() % 97), until: performance.now() + 1500 });
    const story = broken && timelineOf(await liveWithOne(plan, broken.fault, broken.step, { tells: true }));
    expect(story).toBe(null);
  },
);

/** What a world may do wrong behind our back, and how the check names it. */
const BROKEN: readonly [string, (world: World) => void, RegExp][] = [
  [
    'a record is gone',
    (world) => {
      const [order] = [...world.orders.values()].filter(({ jobId }) => jobId !== null);
      world.redis.execute('DEL', [`{gj}:job:${order?.jobId}`]);
    },
    /there is no job/,
  ],
  [
    'an input is gone',
    ({ bucket }) => {
      for (const key of bucket.objects.keys()) if (key.endsWith('/input.json')) bucket.objects.delete(key);
    },
    /its input .* is not in the object store/,
  ],
  [
    'an input was stored for no job',
    ({ bucket: { objects } }) => {
      const [some] = objects.values();
      if (some !== undefined) objects.set('tenant-1/2026/01/01/job_none/input.json', some);
    },
    /job_none.input.json is in the object store for ever/,
  ],
  ['a stored image is gone', (world) => world.bucket.objects.clear(), /is not in the object store/],
  ['a receiver was told nothing', (world) => world.internet.delivered.splice(0), /was never told/],
  [
    'a receiver was told of another end',
    (world) => {
      const [some] = world.internet.delivered;
      if (some !== undefined) world.internet.delivered.push({ ...some, type: 'job.expired' });
    },
    /was told job.expired/,
  ],
  [
    'a job is still queued',
    (world) => {
      const [order] = [...world.orders.values()].filter(({ jobId }) => jobId !== null);
      world.redis.execute('HSET', [`{gj}:job:${order?.jobId}`, 'st', 'queued', 'sg', '']);
    },
    /for ever/,
  ],
  [
    'a chat fails although it has an answer',
    (world) => {
      const chat = [...world.orders.values()].find(({ jobId, request }) => jobId !== null && request.type === 'chat');
      const pend = JSON.stringify({ completion: {}, dies_at: 9 });
      world.redis.execute('HSET', [`{gj}:job:${chat?.jobId}`, 'st', 'failed', 'pend', pend]);
    },
    /an answer of it is on record, and it has failed/,
  ],
  [
    'a permit was never given back',
    (world) => void world.redis.execute('ZADD', ['{gj}:inflight', '1', 'job_x']),
    /left in inflight/,
  ],
  [
    'a batch counts one more',
    (world) => {
      const [batch] = world.batches;
      world.redis.execute('HINCRBY', [`{gj}:batch:${batch?.id}`, 'n:succeeded', '1']);
    },
    /counts/,
  ],
  [
    'a tenant is counted more than it has',
    (world) => void world.redis.execute('HINCRBY', ['{gj}:usage', 'redis:tenant-1', '1']),
    /of redis:tenant-1, and its records take/,
  ],
  [
    'a job was repaired that had lost nothing',
    (world) => void world.redis.execute('HINCRBY', ['{gj}:counters', 'repairs', '1']),
    /1 repairs, and nothing went wrong/,
  ],
];

test.each(BROKEN)('when %s then the check at the end says so', async (_what, spoil, words) => {
  const plan = planOf('calm', createRandom('calm').fork('plan'), { jobs: 20, calm: true });
  let found: string[] = [];
  const life = await live(
    {
      ...plan,
      batches: [3],
      forMs: 20_000,
      mix: { ...NO_MIX, images: 0.5, webhooks: 1, large: 0.5 },
    },
    {
      atEnd: async (world) => {
        spoil(world);
        await checkEnd(world, lookInto(world));
        found = world.violations.map(({ what }) => what);
      },
    },
  );
  expect(life.jobs).toBe(23);
  expect(found.join('\n')).toMatch(words);
});

test('when a worker is killed at some of the moments of a chat, and what is sent at one moment arrives in any order, then no promise is broken', async () => {
  const { states, broken } = await interleave(SMALL_PLANS['chat'] as Plan, { until: performance.now() + 2000 });
  const story = broken && timelineOf(await liveBy(SMALL_PLANS['chat'] as Plan, broken.ways, { tells: true }));
  expect(story).toBe(null);
  expect(states).toBeGreaterThan(50);
});
