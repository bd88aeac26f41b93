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
  return { producer, consumer, thrown };
}

test('when a handler waits then the same entry comes again and is not counted as another', async () => {
  const seen: number[] = [];
  const { producer } = await startQueue(async ({ entry }) => {
    seen.push(entry.step);
    return seen.length < 3 ? { kind: 'wait', ms: 5 } : done;
  });
  await producer.enqueueStore({ id: 'job_A', step: 7 });
  await waitFor(() => seen.length === 3, { what: 'three rounds' });
  expect(seen).toEqual([7, 7, 7]);
  await waitFor(async () => (await producer.stateOf('store', { id: 'job_A', step: 7 })) === 'gone', {
    what: 'the entry to be done',
  });
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
  await producer.enqueueStore({ id: 'job_A', step: 1 });
  await waitFor(() => runs === 1, { what: 'the first run' });
  await producer.enqueueStore({ id: 'job_A', step: 1 });
  await producer.enqueueStore({ id: 'job_B', step: 1 });
  open();
  await waitFor(() => runs === 2, { what: 'the other job' });
  await waitFor(async () => (await producer.counts()).store['wait'] === 0, { what: 'an empty queue' });
  expect(runs).toBe(2);
});

test('when a handler throws then it is told, and the entry does not come again', async () => {
  const { producer, thrown } = await startQueue(async () => {
    throw new Error('boom');
  });
  await producer.enqueueStore({ id: 'job_A', step: 1 });
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
  const job = { step: 1, status: 'queued', stage: null, doc: { type: 'chat', priority: 'normal' } } as const;
  await producer.enqueue({ ...job, id: 'job_A', turn: 1 } as never);
  await producer.enqueue({ ...job, id: 'job_B', turn: 2 } as never);
  await waitFor(() => order.length === 3, { what: 'all rounds' });
  expect(order).toEqual(['job_A', 'job_A', 'job_B']);
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
  for (let n = 0; n < 20; n += 1) await producer.enqueueStore({ id: `job_${n}`, step: 1 });
  expect(most).toBe(0);
  await producer.gate('store', 'half');
  const left = async () => Object.values((await producer.counts()).store).reduce((sum, n) => sum + n, 0);
  await waitFor(async () => (await left()) === 0, { what: 'all entries' });
  expect(most).toBe(1);
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

test('when there is no Redis then connecting ends with a message that says what to look at', async () => {
  await expect(connectRedis('redis://:secret@127.0.0.1:1', 'consumer', { onError: () => {}, waitMs: 200 })).rejects.toThrow(
    /Redis at 127\.0\.0\.1:1 could not be reached.*REDIS_URL/,
  );
  await expect(connectRedis('redis://:secret@127.0.0.1:1', 'consumer', { onError: () => {}, waitMs: 200 })).rejects.not.toThrow(
    /secret/,
  );
});
