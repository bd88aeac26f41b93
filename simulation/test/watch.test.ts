import { expect, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { live } from '../src/world/live.ts';
import { NO_MIX } from '../src/world/orders.ts';
import { type Plan, planOf } from '../src/world/plan.ts';
import type { World } from '../src/world/world.ts';

const PLAN: Plan = {
  ...planOf('watched', createRandom('watched').fork('plan'), { jobs: 12, calm: true }),
  ...{
    tenants: 1,
    batches: [3],
    forMs: 10_000,
    maxInFlight: 12,
    mix: { ...NO_MIX, images: 0.5, webhooks: 1 },
  },
};

type Hash = ReadonlyMap<string, string>;

/** The first key of this kind whose hash is so, as soon as there is one. */
function find(world: World, kind: string, is: (hash: Hash) => boolean): { key: string; id: string; hash: Hash } | null {
  for (const { key, value } of world.redis.store.all()) {
    if (value.type !== 'hash' || !key.startsWith(`{gj}:${kind}:`) || !is(value.fields)) continue;
    return { key, id: key.slice(`{gj}:${kind}:`.length), hash: value.fields };
  }
  return null;
}

const inState = (world: World, st: string, sg = '') =>
  find(world, 'job', (hash) => hash.get('st') === st && (hash.get('sg') ?? '') === sg);
const pending = (world: World) => find(world, 'delivery', (hash) => hash.get('state') === 'pending');
const batch = (world: World) => find(world, 'batch', (hash) => hash.get('st') === 'running');

const inBatch = (world: World, id: string) => find(world, 'job', (hash) => hash.get('batch') === id);
const dayOf = (world: World) => Math.floor(world.time.now() / 86_400_000);

/** Writes of a service that has lost its way: whether there was something to spoil yet, and what is said of it. */
const SPOILT: readonly [string, (world: World, run: (...command: string[]) => void) => unknown, RegExp][] = [
  [
    'an ended job goes on in the same run',
    (world, run) => {
      const job = inState(world, 'succeeded');
      if (job) run('HSET', job.key, 'st', 'queued');
      return job;
    },
    /goes where nothing leads, succeeded → queued/,
  ],
  [
    'a call is ended by another process than the one that makes it',
    (world, run) => {
      const job = inState(world, 'running', 'submitting');
      const isImage = job && world.redis.store.get(`${job.key}:doc`, 'string')?.value.text.includes('"type":"image"');
      if (isImage) run('HSET', job.key, 'st', 'failed', 'sg', '');
      return isImage;
    },
    /the call of worker-\d is in flight, and intruder ends it/,
  ],
  [
    'a step is left out',
    (world, run) => {
      const job = inState(world, 'queued');
      if (job) run('HINCRBY', job.key, 'step', '2');
      return job;
    },
    /step 1 becomes 3/,
  ],
  [
    'nothing is due for a live job',
    (world, run) => {
      const job = inState(world, 'running', 'generating');
      if (job) run('ZREM', '{gj}:due', job.id);
      if (job) run('HSET', job.key, 'prog', '1');
      return job;
    },
    /is running\/generating and not in due/,
  ],
  [
    'a call has no permit',
    (world, run) => {
      const job = inState(world, 'running', 'submitting');
      if (job) run('ZREM', '{gj}:inflight', job.id);
      if (job) run('HSET', job.key, 'prog', '1');
      return job;
    },
    /has a call in flight until \d+, and no permit/,
  ],
  [
    'a call begins above the limit of the account',
    (world, run) => {
      const job = inState(world, 'queued');
      if (!job) return false;
      const until = String(world.time.now() + 90_000);
      run('ZADD', '{gj}:inflight', ...Array.from({ length: 100 }, (_, n) => [until, `job_${n}`]).flat());
      run('HSET', job.key, 'st', 'running', 'sg', 'submitting', 'sb', 'lease', 'su', until);
      return true;
    },
    /is one of \d+ in flight, and 12 are allowed/,
  ],
  [
    'queued jobs are counted wrong',
    (world, run) => {
      const job = inState(world, 'queued');
      if (job) run('HINCRBY', '{gj}:turns', '#queued', '1');
      return job;
    },
    /counts \d+ queued jobs, and there are \d+/,
  ],
  [
    'a tenant is counted wrong',
    (world, run) => {
      const job = inState(world, 'queued');
      if (job) run('HINCRBY', '{gj}:usage', 'live:tenant-1', '1');
      return job;
    },
    /of live:tenant-1, and its records take/,
  ],
  [
    'a batch is counted wrong',
    (world, run) => {
      const of = batch(world);
      if (of) run('HINCRBY', of.key, 'n:queued', '1');
      return of;
    },
    /counts \d queued jobs, and has \d/,
  ],
  [
    'a batch has ended with live jobs',
    (world, run) => {
      const of = batch(world);
      if (of) run('HSET', of.key, 'st', 'completed');
      return of;
    },
    /is completed with \d live jobs/,
  ],
  [
    'nobody is to attempt a webhook',
    (world, run) => {
      const delivery = pending(world);
      if (delivery) run('ZREM', '{gj}:due:deliveries', delivery.id);
      if (delivery) run('HSET', delivery.key, 'made', '0');
      return delivery;
    },
    /is pending, not due, and in no room/,
  ],
  [
    'an endpoint has more attempts than permits',
    (world, run) => {
      const endpoint = find(world, 'endpoint', () => true);
      const until = String(world.time.now() + 30_000);
      if (endpoint) run('ZADD', `${endpoint.key}:attempts`, ...Array.from({ length: 31 }, (_, n) => [until, `t${n}`]).flat());
      return endpoint;
    },
    /has 31 attempts open, and \d+ permits/,
  ],
  [
    'a tenant has spent more than its records say',
    (world, run) => {
      const job = inState(world, 'running', 'generating');
      if (job) run('HINCRBY', '{gj}:spent', 'tenant-1', '1');
      return job;
    },
    /has spent \d+, and its records say \d+/,
  ],
  [
    'the counters of a day say more than its calls have cost',
    (world, run) => {
      const job = inState(world, 'succeeded');
      if (job) run('HINCRBY', `{gj}:spent:tenant-1:${job.hash.get('rd') ?? dayOf(world)}`, 'gemini-3.1-pro key_1 c', '1');
      return job;
    },
    /counts \d+ of gemini-3.1-pro key_1 c, and there (are|is)/,
  ],
  [
    'a batch counts other credits than its jobs',
    (world, run) => {
      const of = batch(world);
      if (of) run('HINCRBY', of.key, 'chg', '1');
      if (of) run('HINCRBY', `{gj}:job:${inBatch(world, of.id)?.id}`, 'rsv', '1');
      return of;
    },
    /counts \d+ credits as chg, and its jobs have \d+/,
  ],
  [
    'a job is charged for nothing',
    (world, run) => {
      const job = inState(world, 'succeeded');
      if (job) run('HINCRBY', job.key, 'chg', '5');
      return job;
    },
    /costs 5 more, and nothing was set aside/,
  ],
  [
    'a job forgets what its task costs',
    (world, run) => {
      const job = inState(world, 'running', 'generating');
      if (job) run('HDEL', job.key, 'rsv');
      return job;
    },
    /says 0 charged, 0 refunded and 0 reserved, and upstream took 1200/,
  ],
  [
    'a call begins that the budget of its tenant does not hold',
    (world, run) => {
      const job = inState(world, 'queued');
      if (!job) return false;
      run('HSET', '{gj}:spent', 'budget tenant-1', '1', 'period tenant-1', 'total', 'tenant-1', '2');
      run('HSET', job.key, 'st', 'running', 'sg', 'submitting', 'sb', 'lease', 'su', String(world.time.now() + 90_000));
      return true;
    },
    /begins a call for \d+ with which 2 of 1 are spent in its total/,
  ],
  [
    'a call begins above the limit of its tenant',
    (world, run) => {
      const job = inState(world, 'queued');
      if (!job) return false;
      const until = String(world.time.now() + 90_000);
      run('HSET', '{gj}:inflight:#tenants', 'tenant-1', '2');
      run('ZADD', '{gj}:inflight:call:tenant-1', ...Array.from({ length: 9 }, (_, n) => [until, `job_${n}`]).flat());
      run('HSET', job.key, 'st', 'running', 'sg', 'submitting', 'sb', 'lease', 'su', until);
      return true;
    },
    /is one of \d+ in flight of tenant-1, and 2 are allowed/,
  ],
  [
    'an operation that is under way is due for nobody',
    (world, run) => {
      const operation = find(world, 'operation', () => true);
      if (operation) run('ZREM', '{gj}:operations', operation.id);
      if (operation) run('HSET', operation.key, 'cursor', '');
      return operation;
    },
    /is under way, and nobody is to go on with it/,
  ],
];

test.each(SPOILT)('when %s then it is seen after that command', async (_what, spoil, words) => {
  let done: unknown = null;
  const life = await live(PLAN, {
    atStep: (_step, world) => {
      done ||= spoil(world, (name, ...args) => void world.redis.execute(name as string, args, 'intruder'));
    },
  });
  expect(done).toBeTruthy();
  expect(life.violations.map(({ what }) => what).join('\n')).toMatch(words);
});

test('when an id stands in a set without a job then it is seen within a minute', async () => {
  let at = 0;
  const life = await live(
    { ...PLAN, forMs: 120_000 },
    {
      atStep: (_step, world) => {
        if (at === 0) world.redis.execute('ZADD', ['{gj}:due', '9e12', 'job_x']);
        at ||= world.time.now();
      },
    },
  );
  expect(life.violations[0]?.what).toBe('stands in due, and there is no such job');
});
