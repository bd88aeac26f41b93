import { startRedis, startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, createConsumer, createProducer, done, type Handler, type QueueName, redisTrouble } from '../src/index.ts';

async function startQueue(handler: Handler, o: { name?: QueueName; concurrency?: number } = {}) {
  const server = await startRedis();
  const onError = () => {};
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const thrown: unknown[] = [];
  const consumer = createConsumer(o.name ?? 'store', handler, {
    redis,
    prefix: 'gj',
    concurrency: o.concurrency ?? 1,
    lockMs: 15_000,
    stalledMs: 5000,
    onError,
    onThrow: async (_work, error) => {
      thrown.push(error);
    },
  });
  consumer.start();
  onTestFinished(async () => {
    await consumer.stop();
    await producer.close();
    redis.disconnect();
    await server.stop();
  });
  return { producer, consumer, thrown, redis };
}

test('when an entry is done then nothing of it stays in Redis, and one that nobody could read stays for a week', async () => {
  const { producer, redis } = await startQueue(async () => done);
  await producer.enqueueStore({ id: 'job_A', step: 1 });
  await producer.enqueueStore({ id: 'job_B', step: 'x' } as never);
  await waitFor(async () => (await redis.zcard('{gj-q}:store:failed')) === 1, { what: 'the one that cannot be read' });
  expect(await redis.exists('{gj-q}:store:job_A.1', '{gj-q}:store:completed')).toBe(0);
  expect(await redis.hget('{gj-q}:store:job_B.x', 'failedReason')).toContain('step');
});

const DAY_MS = 86_400_000;
const LIMIT = '{gj-q}:call:limiter';

test('when a call is to wait for a day then its queue stands still for five minutes', async () => {
  const { producer, redis } = await startQueue(async () => ({ kind: 'throttle', ms: DAY_MS }), { name: 'call' });
  await producer.enqueue({ id: 'job_A', turn: 1, step: 1, stage: null, doc: { type: 'chat', priority: 'normal' } } as never);
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

test('when entries wait then the depth tells how many, since when, and what is due', async () => {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'producer', { onError: () => {} });
  const producer = createProducer({ redis, prefix: 'gj', onError: () => {} });
  onTestFinished(async () => {
    await producer.close();
    redis.disconnect();
    await server.stop();
  });
  const started = Date.now();
  const job = { step: 1, status: 'queued', stage: null } as const;
  await producer.enqueue({ ...job, id: 'job_low', turn: 5, doc: { type: 'chat', priority: 'low' } } as never);
  const between = Date.now();
  await waitFor(() => Date.now() > between, { everyMs: 1, what: 'the next millisecond' });
  for (let n = 0; n < 60; n += 1)
    await producer.enqueue({ ...job, id: `job_${n}`, turn: 10 + n, doc: { type: 'chat', priority: 'normal' } } as never);
  await producer.enqueueDelivery({ id: 'evt_1', step: 1 }, 60_000);
  await producer.enqueueStore({ id: 'job_s', step: 1 });
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
  await producer.enqueueStore({ id: 'job_A', step: 1 });
  await proxy.refuse(true);
  const trouble = await waitFor(
    async () =>
      await producer.enqueueStore({ id: 'job_B', step: 1 }).then(
        () => undefined,
        (error: unknown) => redisTrouble(error) ?? 'something else',
      ),
    { what: 'a refusal' },
  );
  expect(['away', 'lost']).toContain(trouble);
  await proxy.refuse(false);
  await waitFor(
    async () =>
      await producer.enqueueStore({ id: 'job_B', step: 1 }).then(
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
