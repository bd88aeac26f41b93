import { randomUUID } from 'node:crypto';
import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createJobStore, type JobStore, PATIENCE_MS } from '../src/index.ts';
import { imageDoc, NO_LIMITS, newJobId, startStore } from './harness.ts';

const primaryOf = (identity: string) => ({
  identity: async () => identity,
  ask: async () => identity,
  onChange: () => undefined,
});

/** The store as processes see it on one primary, and as they see it on the one that has taken its place. */
async function startTwo() {
  const harness = await startStore();
  const { redis, clock } = harness;
  const on = (identity: string) =>
    createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, primary: primaryOf(identity) });
  const [before, after] = [on('first 1'), on('second 2')];
  const start = async (store: JobStore, id: string) =>
    (await store.transitions.startCall({ id, step: 1 }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS)).kind;
  const newJob = async (store: JobStore) => {
    const id = newJobId();
    await store.transitions.create({ id, tenant: 'acme', doc: imageDoc() });
    return id;
  };
  const announce = (id: string, agoMs = 0) =>
    redis.hset('{gj}:workers', id, JSON.stringify({ id, seen_at: clock.now() - agoMs, queues: {} }));
  return { ...harness, before, after, start, newJob, announce };
}

test('when another Redis becomes the primary then no paid call begins there until each worker has told what it knows', async () => {
  const { before, after, start, newJob, announce, clock } = await startTwo();
  await announce('worker_a');
  await announce('worker_b', 14_000);
  await announce('worker_gone', 60_000);
  expect(await start(before, await newJob(before))).toBe('ok');
  const job = await newJob(after);
  expect(await start(after, job)).toBe('recovering');
  const look = (id: string, told: string | null = null) => after.recovery.look({ knew: true, worker: { id, told } });
  expect(await look('worker_a')).toMatchObject({ kind: 'closed', primary: 'second 2', missing: ['worker_a', 'worker_b'] });
  await clock.advance(5000);
  expect(await look('worker_a', 'second 2')).toMatchObject({ kind: 'closed', missing: ['worker_b'] });
  // What was told another one does not count.
  expect(await look('worker_b', 'first 1')).toMatchObject({ kind: 'closed', missing: ['worker_b'] });
  expect(await start(after, job)).toBe('recovering');
  expect(await look('worker_b', 'second 2')).toEqual({ kind: 'opened', sinceMs: 5000 });
  expect(await look('worker_a')).toEqual({ kind: 'open' });
  expect(await start(after, job)).toBe('ok');
});

test('when a worker stays silent then paid calls can be opened after half a minute, and not before', async () => {
  const { before, after, start, newJob, announce, clock } = await startTwo();
  await announce('worker_dead');
  await start(before, await newJob(before));
  const giveUp = () => after.recovery.look({ knew: true, giveUpMs: PATIENCE_MS.forgetful });
  expect(await giveUp()).toMatchObject({ kind: 'closed', sinceMs: 0 });
  await clock.advance(29_999);
  expect(await giveUp()).toMatchObject({ kind: 'closed', sinceMs: 29_999, missing: ['worker_dead'] });
  await clock.advance(1);
  expect(await after.recovery.look({ knew: true })).toMatchObject({ kind: 'closed' });
  expect(await giveUp()).toEqual({ kind: 'opened', sinceMs: 30_000 });
});

test('when nobody was announced then a worker whose first word was forgotten has a second to tell', async () => {
  const { before, after, start, newJob, clock } = await startTwo();
  await start(before, await newJob(before));
  expect(await after.recovery.look({ knew: true })).toMatchObject({ kind: 'closed', missing: [] });
  await clock.advance(1000);
  expect(await after.recovery.look({ knew: true })).toEqual({ kind: 'opened', sinceMs: 1000 });
});

test('when Redis is the first that was ever used then it is open at once, unless who asks knew another', async () => {
  const { before, after } = await startTwo();
  expect(await after.recovery.look({ knew: true })).toMatchObject({ kind: 'closed' });
  expect(await before.recovery.look({ knew: false })).toEqual({ kind: 'open' });
});

test('when a job is suspect then it does not begin until that is decided, and keeps its time', async () => {
  const { before, start, newJob, clock } = await startTwo();
  const [held, other] = [await newJob(before), await newJob(before)];
  const since = clock.now();
  await before.suspects.hold([held], since);
  await before.suspects.hold([held], since + 1);
  expect([await start(before, held), await start(before, other)]).toEqual(['suspect', 'ok']);
  expect(await before.suspects.list({ skip: 0, limit: 10 })).toEqual([{ id: held, since }]);
  await before.suspects.release([held]);
  expect([await before.suspects.count(), await start(before, held)]).toEqual([0, 'ok']);
});

test('when all live jobs are looked through while they move in the list then each of them comes, some at a time', async () => {
  const { before, clock, redis } = await startTwo();
  const ids = Array.from({ length: 1000 }, newJobId);
  await redis.zadd('{gj}:due', ...ids.flatMap((id, n) => [clock.now() + n, id]));
  const seen: string[][] = [];
  for await (const page of before.suspects.liveIds(50)) {
    seen.push(page);
    // Those of this page are polled, and due later.
    await redis.zadd('{gj}:due', ...page.flatMap((id) => [clock.now() + 60_000, id]));
  }
  expect(Math.max(...seen.map(({ length }) => length))).toBeLessThan(500);
  expect([...new Set(seen.flat())].sort()).toEqual(ids.sort());
});

test.each([
  ['a replica had to confirm all', 'everysec', 'replica', 60_000, false],
  ['it was there before the last word of a worker', 'everysec', 'memory', -60_000, true],
  ['it has started since over its append-only file', 'everysec', 'memory', 60_000, false],
  ['it has started since and keeps no file', 'no', 'memory', 60_000, true],
  ['its last word is that of a backup', 'everysec', 'replica', 11 * 60_000, true],
] as const)(
  'when a primary is another and %s then that is what it may have forgotten',
  async (_what, appendonly, durability, agoMs, may) => {
    const server = await startRedis({ appendonly });
    const redis = new Redis(server.url);
    onTestFinished(async () => {
      redis.disconnect();
      await server.stop();
    });
    const store = createJobStore({ redis, prefix: 'gj', clock: Date });
    expect(await store.recovery.mayHaveForgotten(durability, { seenAt: Date.now() - agoMs, missedAt: Date.now() - agoMs })).toBe(
      may,
    );
  },
);

test.each([
  ['no word was said since', 0],
  ['workers that live have spoken to it since', 60_000],
])(
  'when a server is killed right after the last word of a worker that died, is back at once over its append-only file, and %s then it has forgotten nothing',
  async (_what, sinceMs) => {
    const server = await startRedis({ appendonly: 'always' });
    const missedAt = Date.now();
    await server.restart();
    const redis = new Redis(server.url);
    onTestFinished(async () => {
      redis.disconnect();
      await server.stop();
    });
    const store = createJobStore({ redis, prefix: 'gj', clock: Date });
    expect(await store.recovery.mayHaveForgotten('memory', { seenAt: missedAt + sinceMs, missedAt })).toBe(false);
  },
);

test('when a replica takes over right after its start then it may have forgotten', async () => {
  const [primary, replica] = [
    await startRedis({ args: ['--repl-diskless-sync-delay', '0'] }),
    await startRedis({ appendonly: 'everysec' }),
  ];
  const redis = new Redis(replica.url);
  onTestFinished(async () => {
    redis.disconnect();
    await Promise.all([primary.stop(), replica.stop()]);
  });
  await redis.replicaof('127.0.0.1', primary.port);
  await waitFor(async () => /^master_link_status:up/m.test(await redis.info('replication')), { everyMs: 5 });
  await redis.replicaof('NO', 'ONE');
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  const uptime = Number(/^uptime_in_seconds:(\d+)/m.exec(await redis.info('server'))?.[1]);
  const missedAt = Date.now() - 1000 * uptime;
  expect(await store.recovery.mayHaveForgotten('memory', { seenAt: Date.now(), missedAt })).toBe(true);
});
