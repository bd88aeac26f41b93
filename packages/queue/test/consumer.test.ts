import { connectRedis, redisTrouble } from '@grsai-jobs/redis';
import { startRedis, startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createConsumer, createProducer, done, type Handler, type QueueName } from '../src/index.ts';
import { toCall, toStore } from './messages.ts';

interface Options {
  name?: QueueName;
  concurrency?: number;
  clock?: { now(): number };
  held?: boolean;
  lockMs?: number;
  /** Redis is so far away, in ms for a round trip. */
  farMs?: number;
}

async function startQueue(handler: Handler, o: Options = {}) {
  const server = await startRedis();
  const proxy = await startRedisProxy(server.url);
  const onError = () => {};
  const { clock = Date, farMs = 0 } = o;
  const redis = await connectRedis(farMs > 0 ? proxy.url : server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', clock, onError });
  const thrown: unknown[] = [];
  const consumer = createConsumer(o.name ?? 'store', handler, {
    redis,
    prefix: 'gj',
    clock,
    concurrency: o.concurrency ?? 1,
    lockMs: o.lockMs ?? 15_000,
    stalledMs: (o.lockMs ?? 10_000) / 2,
    roundTripMs: () => farMs,

    onError,
    onThrow: async (_work, error) => {
      thrown.push(error);
    },
  });
  if (o.held) await consumer.hold(true);
  consumer.start();
  onTestFinished(async () => {
    proxy.delay(0);
    await consumer.stop();
    await producer.close();
    redis.disconnect();
    await proxy.stop();
    await server.stop();
  });
  return { producer, consumer, thrown, redis, goAway: () => proxy.delay(farMs / 2) };
}

test('when Redis refuses writes as an entry wants its queue to wait then that entry waits by itself, and is not lost', async () => {
  const { producer, redis } = await startQueue(
    async () => {
      seen += 1;
      if (seen > 1) return done;
      await redis.config('SET', 'min-replicas-to-write', '1');
      return { kind: 'throttle', ms: 1500 };
    },
    { name: 'call' },
  );
  let seen = 0;
  const refused = new Promise((resolve) => redis.once('refused', resolve));
  await producer.enqueue(toCall('job_A', 1));
  await refused;
  await redis.config('SET', 'min-replicas-to-write', '0');
  await waitFor(() => seen === 2, { what: 'the entry to come again' });
});

test('when a handler waits then the same entry comes again and is not counted as another', async () => {
  const seen: number[] = [];
  const { producer } = await startQueue(async ({ entry }) => {
    seen.push(entry.step);
    return seen.length < 3 ? { kind: 'wait', ms: 5 } : done;
  });
  await producer.enqueue(toStore('job_A', 7));
  await waitFor(() => seen.length === 3, { what: 'three rounds' });
  expect(seen).toEqual([7, 7, 7]);
  await waitFor(async () => (await producer.stateOf('store', { id: 'job_A', step: 7 })) === 'gone', {
    what: 'the entry to be done',
  });
});

test('when an entry is done then nothing of it stays in Redis, and one that nobody could read stays for a week', async () => {
  const { producer, redis } = await startQueue(async () => done);
  await producer.enqueue(toStore('job_A'));
  await producer.enqueue(toStore('job_B', 'x' as never));
  await waitFor(async () => (await redis.zcard('{gj-q}:store:failed')) === 1, { what: 'the one that cannot be read' });
  expect(await redis.exists('{gj-q}:store:job_A.1', '{gj-q}:store:completed')).toBe(0);
  expect(await redis.hget('{gj-q}:store:job_B.x', 'failedReason')).toContain('step');
});

test('when an entry is added twice then it runs once', async () => {
  let runs = 0;
  let open = () => {};
  const held = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { producer } = await startQueue(async () => {
    runs += 1;
    await held;
    return done;
  });
  await producer.enqueue(toStore('job_A'));
  await waitFor(() => runs === 1, { what: 'the first run' });
  await producer.enqueue(toStore('job_A'));
  await producer.enqueue(toStore('job_B'));
  open();
  await waitFor(() => runs === 2, { what: 'the other job' });
  await waitFor(async () => (await producer.counts()).store['wait'] === 0, { what: 'an empty queue' });
  expect(runs).toBe(2);
});

test('when a handler throws then it is reported, and the entry does not come again', async () => {
  const { producer, thrown } = await startQueue(async () => {
    throw new Error('boom');
  });
  await producer.enqueue(toStore('job_A'));
  await waitFor(() => thrown.length === 1, { what: 'the throw' });
  await waitFor(async () => (await producer.stateOf('store', { id: 'job_A', step: 1 })) === 'gone', {
    what: 'the entry to be done',
  });
  expect((thrown[0] as Error).message).toBe('boom');
});

test('when a call has no room then its queue waits and its entry goes first afterwards', async () => {
  const order: string[] = [];
  const { producer } = await startQueue(
    async ({ entry }) => {
      order.push(entry.id);
      return order.length === 1 ? { kind: 'throttle', ms: 250 } : done;
    },
    { name: 'call' },
  );
  await producer.enqueue(toCall('job_A', 1));
  await producer.enqueue(toCall('job_B', 2));
  await waitFor(() => order.length === 3, { what: 'all rounds' });
  expect(order).toEqual(['job_A', 'job_A', 'job_B']);
});

const DAY_MS = 86_400_000;
const LIMIT = '{gj-q}:call:limiter';

test('when a call is to wait for a day then its queue stands still for five minutes', async () => {
  const { producer, redis } = await startQueue(async () => ({ kind: 'throttle', ms: DAY_MS }), { name: 'call' });
  await producer.enqueue(toCall('job_A', 1));
  const limit = () => redis.pttl(LIMIT);
  await waitFor(async () => (await limit()) > 2000, { what: 'the limit' });
  expect(await limit()).toBeLessThanOrEqual(300_000);
});

test('when a worker starts and finds a limit of a day then it makes five minutes of it, and a shorter one stays', async () => {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'consumer', { onError: () => {} });
  const start = () =>
    createConsumer('call', async () => done, {
      redis,
      prefix: 'gj',
      concurrency: 1,
      lockMs: 15_000,
      stalledMs: 5000,
      onError: () => {},
      onThrow: async () => {},
    });
  const consumers = [start(), start()];
  onTestFinished(async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    redis.disconnect();
    await server.stop();
  });
  const limit = () => redis.pttl(LIMIT);
  await redis.set(LIMIT, Number.MAX_SAFE_INTEGER, 'PX', DAY_MS);
  consumers[0]?.start();
  await waitFor(async () => (await limit()) <= 300_000, { what: 'a shorter limit' });
  await redis.set(LIMIT, Number.MAX_SAFE_INTEGER, 'PX', 60_000);
  consumers[1]?.start();
  await waitFor(async () => (await limit()) < 59_900, { what: 'the limit to run on' });
  expect(await limit()).toBeGreaterThan(0);
});

test('when a queue is paused then nothing runs, half open lets one at a time through, and open all', async () => {
  let running = 0;
  let most = 0;
  const { producer } = await startQueue(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return done;
    },
    { concurrency: 10 },
  );
  await producer.gate('store', 'paused');
  for (let n = 0; n < 20; n += 1) await producer.enqueue(toStore(`job_${n}`));
  expect(most).toBe(0);
  await producer.gate('store', 'half');
  const left = async () => Object.values((await producer.counts()).store).reduce((sum, n) => sum + n, 0);
  await waitFor(async () => (await left()) === 0, { what: 'all entries' });
  expect(most).toBe(1);
});

test('when the concurrency is raised while all slots are taken then more run at once, and lowered it lets none more in', async () => {
  const ends: (() => void)[] = [];
  let over = false;
  const { producer, consumer } = await startQueue(
    async () => {
      if (!over) await new Promise<void>((resolve) => ends.push(resolve));
      return done;
    },
    { concurrency: 1 },
  );
  onTestFinished(() => {
    over = true;
    for (const end of ends) end();
  });
  for (let n = 0; n < 8; n += 1) await producer.enqueue(toStore(`job_${n}`));
  await waitFor(() => consumer.open() === 1, { what: 'the first' });
  await consumer.setConcurrency(3);
  await waitFor(() => consumer.open() === 3, { what: 'three at once' });
  await consumer.setConcurrency(1);
  expect(consumer.concurrency()).toBe(1);
  for (const end of ends.splice(0, 2)) end();
  await waitFor(() => consumer.open() === 1, { what: 'one to be left' });
  ends.splice(0)[0]?.();
  await waitFor(() => ends.length === 1, { what: 'the next one' });
  expect(consumer.open()).toBe(1);
});

test('when entries wait then the depth says how many, since when, and what is due', async () => {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'producer', { onError: () => {} });
  const producer = createProducer({ redis, prefix: 'gj', onError: () => {} });
  onTestFinished(async () => {
    await producer.close();
    redis.disconnect();
    await server.stop();
  });
  const started = Date.now();
  await producer.enqueue(toCall('job_low', 5, 'low'));
  const between = Date.now();
  await waitFor(() => Date.now() > between, { everyMs: 1, what: 'the next millisecond' });
  for (let n = 0; n < 60; n += 1) await producer.enqueue(toCall(`job_${n}`, 10 + n));
  await producer.enqueueDelivery({ id: 'evt_1', step: 1 }, 60_000);
  await producer.enqueue(toStore('job_s'));
  await producer.gate('store', 'paused');
  const { call, deliver, store, poll } = await producer.depths();
  expect(call).toMatchObject({ waiting: 61, active: 0, delayed: 0, next_due_at: null });
  expect(call.oldest_at).toBeGreaterThanOrEqual(started);
  expect(call.oldest_at).toBeLessThanOrEqual(between);
  expect(deliver).toMatchObject({ waiting: 0, delayed: 1, oldest_at: null });
  expect(Math.abs((deliver.next_due_at ?? 0) - Date.now() - 60_000)).toBeLessThan(10_000);
  expect(store).toMatchObject({ waiting: 1 });
  expect(poll).toEqual({ waiting: 0, active: 0, delayed: 0, oldest_at: null, next_due_at: null });
});

test('when Redis is away then a producer fails at once and says that nothing was sent', async () => {
  const server = await startRedis();
  const proxy = await startRedisProxy(server.url);
  const redis = await connectRedis(proxy.url, 'producer', { onError: () => {} });
  const producer = createProducer({ redis, prefix: 'gj', onError: () => {} });
  onTestFinished(async () => {
    await producer.close();
    redis.disconnect();
    await proxy.stop();
    await server.stop();
  });
  await producer.enqueue(toStore('job_A'));
  await proxy.refuse(true);
  const trouble = await waitFor(
    async () =>
      await producer.enqueue(toStore('job_B')).then(
        () => undefined,
        (error: unknown) => redisTrouble(error) ?? 'something else',
      ),
    { what: 'a refusal' },
  );
  expect(['away', 'lost']).toContain(trouble);
  await proxy.refuse(false);
  await waitFor(
    async () =>
      await producer.enqueue(toStore('job_B')).then(
        () => true,
        () => false,
      ),
    { what: 'Redis to be back' },
  );
});

test('when many commands are sent in one turn then Redis reads them at once', async () => {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'producer', { onError: () => {} });
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const reads = async () => Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  const before = await reads();
  await Promise.all(Array.from({ length: 500 }, () => redis.ping()));
  expect((await reads()) - before).toBeLessThanOrEqual(3);
});

test('when there is no Redis then connecting ends with a message that says what to look at', async () => {
  await expect(connectRedis('redis://:secret@127.0.0.1:1', 'consumer', { onError: () => {}, waitMs: 200 })).rejects.toThrow(
    /Redis at 127\.0\.0\.1:1 could not be reached.*REDIS_URL/,
  );
  await expect(connectRedis('redis://:secret@127.0.0.1:1', 'consumer', { onError: () => {}, waitMs: 200 })).rejects.not.toThrow(
    /secret/,
  );
});

test('when the clock of the machine is days behind then entries wait by the time that was passed in', async () => {
  const start = Date.now() + 8 * 24 * 3600_000;
  const { producer } = await startQueue(async () => ({ kind: 'wait', ms: 60_000 }), { clock: { now: () => start } });
  const dueAt = async () =>
    (await producer.list('store', { state: 'delayed', from: 0, limit: 10 })).entries.map(({ id, due_at }) => [
      id,
      (due_at ?? 0) - start,
    ]);
  await producer.enqueue(toStore('job_waits'));
  await waitFor(async () => (await dueAt()).length === 1, { what: 'the wait' });
  await producer.enqueue({ ...toStore('job_later'), delayMs: 90_000 });
  expect((await dueAt()).map(([, ms]) => ms)).toEqual([60_000, 90_000]);
});

test('when a consumer is held before it starts then it takes nothing until it is released', async () => {
  let runs = 0;
  const { producer, consumer } = await startQueue(
    async () => {
      runs += 1;
      return done;
    },
    { held: true },
  );
  await producer.enqueue(toStore('job_A'));
  await consumer.setConcurrency(5);
  expect([runs, (await producer.counts()).store['wait']]).toEqual([0, 1]);
  await consumer.hold(false);
  await waitFor(() => runs === 1, { what: 'the entry' });
});

test('when Redis is so far away that all free slots are filled later than a lock lasts then the first begins at once, and no entry counts as stalled', async () => {
  const runs: { id: string; stalled: boolean }[] = [];
  const { producer, consumer, goAway } = await startQueue(
    async ({ entry, stalled }) => {
      runs.push({ id: entry.id, stalled });
      return done;
    },
    { held: true, concurrency: 30, lockMs: 2000, farMs: 100 },
  );
  for (let n = 0; n < 30; n += 1) await producer.enqueue(toStore(`job_${n}`));
  goAway();
  const began = performance.now();
  await consumer.hold(false);
  await waitFor(() => runs.length >= 1, { what: 'the first' });
  expect(performance.now() - began).toBeLessThan(1500);
  await waitFor(() => runs.length >= 30, { what: 'all entries' });
  expect(runs.filter(({ stalled }) => stalled)).toEqual([]);
  expect(new Set(runs.map(({ id }) => id)).size).toBe(30);
});

test('when Redis is far away then a lock lasts for ten round trips', async () => {
  const open = Promise.withResolvers<void>();
  const { producer, redis } = await startQueue(
    async () => {
      await open.promise;
      return done;
    },
    { lockMs: 1000, farMs: 500 },
  );
  await producer.enqueue(toStore('job_A'));
  await waitFor(async () => (await redis.pttl('{gj-q}:store:job_A.1:lock')) > 1000, { what: 'a lock of 5 s' });
  open.resolve();
});

test('when the clock of the machine is set back by an hour while an entry is open then the entry stays its own', async () => {
  const open = Promise.withResolvers<void>();
  const runs: boolean[] = [];
  const { producer, redis } = await startQueue(
    async ({ stalled }) => {
      runs.push(stalled);
      await open.promise;
      return done;
    },
    { concurrency: 2, lockMs: 1000 },
  );
  await producer.enqueue(toStore('job_A'));
  await waitFor(() => runs.length === 1, { what: 'the entry' });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3600_000 });
  onTestFinished(() => void vi.useRealTimers());
  const began = performance.now();
  await waitFor(() => performance.now() - began > 2500, { what: 'two locks to have ended' });
  expect(runs).toEqual([false]);
  expect(await redis.pttl('{gj-q}:store:job_A.1:lock')).toBeGreaterThan(0);
  open.resolve();
});
