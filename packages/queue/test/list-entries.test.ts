import { connectRedis } from '@grsai-jobs/redis';
import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { createConsumer, createProducer, done, type EntryListState, type QueueName } from '../src/index.ts';
import { toCall, toStore } from './messages.ts';

async function startProducer() {
  const server = await startRedis();
  const onError = () => {};
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  onTestFinished(async () => {
    await producer.close();
    redis.disconnect();
    await server.stop();
  });
  const ids = async (queue: QueueName, state: EntryListState, from = 0, limit = 20) => {
    const { entries, next } = await producer.list(queue, { state, from, limit });
    return { ids: entries.map(({ id }) => id), next };
  };
  return { redis, producer, ids };
}

test('when entries wait then pages list them in the order in which they will be taken, also while the queue is paused', async () => {
  const { redis, producer, ids } = await startProducer();
  for (const [id, turn] of [
    ['job_C', 3],
    ['job_A', 1],
    ['job_B', 2],
  ] as const)
    await producer.enqueue(toCall(id, turn));
  // Entries without a priority go before those that have one.
  const queue = new Queue('call', { connection: redis, prefix: '{gj-q}' });
  onTestFinished(() => queue.close());
  for (const id of ['first', 'second']) await queue.add('call', {}, { jobId: id });
  await producer.gate('call', 'paused');
  expect(await ids('call', 'waiting')).toEqual({ ids: ['first', 'second', 'job_A.1', 'job_B.1', 'job_C.1'], next: null });
  expect(await ids('call', 'waiting', 0, 1)).toEqual({ ids: ['first'], next: 1 });
  expect(await ids('call', 'waiting', 1, 2)).toEqual({ ids: ['second', 'job_A.1'], next: 3 });
  expect(await ids('call', 'waiting', 3, 2)).toEqual({ ids: ['job_B.1', 'job_C.1'], next: null });
  expect(await ids('submit', 'waiting')).toEqual({ ids: [], next: null });
});

test('when entries are delayed then the list says when each is due, the next one first', async () => {
  const { producer } = await startProducer();
  const before = Date.now();
  await producer.enqueueDelivery({ id: 'evt_B', step: 2, endpoint: 'acme/host/id' }, 60_000);
  await producer.enqueueDelivery({ id: 'evt_A', step: 1 }, 30_000);
  const { entries } = await producer.list('deliver', { state: 'delayed', from: 0, limit: 20 });
  expect(entries).toMatchObject([
    { id: 'evt_A.1', attempts: 0, data: { delivery_id: 'evt_A', step: 1 }, failure: null },
    { id: 'evt_B.2', attempts: 0, data: { delivery_id: 'evt_B', step: 2, endpoint: 'acme/host/id' }, failure: null },
  ]);
  for (const [i, delay] of [30_000, 60_000].entries()) {
    expect(entries[i]?.due_at).toBeGreaterThanOrEqual(before + delay);
    expect(entries[i]?.due_at).toBeLessThan(Date.now() + delay + 1000);
  }
});

test('when an entry is taken or fails then its list says how often it was taken and why it failed, and shows no field that entries do not have', async () => {
  const { redis, producer, ids } = await startProducer();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const consumer = createConsumer(
    'store',
    async ({ entry }) => {
      if (entry.id === 'job_held') await held;
      return done;
    },
    {
      redis,
      prefix: 'gj',
      concurrency: 2,
      lockMs: 15_000,
      stalledMs: 5000,
      onError: () => {},
      onThrow: async () => {},
    },
  );
  onTestFinished(async () => {
    release();
    await consumer.stop();
  });
  const queue = new Queue('store', { connection: redis, prefix: '{gj-q}' });
  onTestFinished(() => queue.close());
  const foreign = { v: 9, job_id: 'job_old', step: 3, prompt: 'a secret question', key: 'sk-secret', nested: { step: 1 } };
  await queue.add('store', foreign, { jobId: 'job_old.3' });
  await producer.enqueue(toStore('job_held'));
  consumer.start();
  await waitFor(async () => (await ids('store', 'active')).ids.includes('job_held.1'), { what: 'the held entry' });
  await waitFor(async () => (await ids('store', 'failed')).ids.length === 1, { what: 'the failed entry' });
  const active = await producer.list('store', { state: 'active', from: 0, limit: 20 });
  expect(active.entries).toMatchObject([{ id: 'job_held.1', attempts: 1, data: { job_id: 'job_held', step: 1 } }]);
  const failed = await producer.list('store', { state: 'failed', from: 0, limit: 20 });
  expect(failed.entries).toMatchObject([{ id: 'job_old.3', attempts: 1, failure: expect.stringContaining('"v"') }]);
  expect(failed.entries[0]?.data).toEqual({ job_id: 'job_old', step: 3 });
  expect(JSON.stringify(failed)).not.toContain('secret');
});

test("when jobs of a batch wait then each entry has Redis' compact form, and its list says which job, step and batch it is", async () => {
  const { redis, producer } = await startProducer();
  const batch_id = `batch_${'0'.repeat(26)}`;
  const id = `job_${'0'.repeat(26)}`;
  // The longest that a priority can be.
  await producer.enqueueLetIn([{ id, step: 1, delayMs: 0, batch_id, queue: 'call', turn: 2_000_000, priority: 'normal' }]);
  expect(await redis.object('ENCODING', `{gj-q}:call:${id}.1`)).toBe('listpack');
  const { entries } = await producer.list('call', { state: 'waiting', from: 0, limit: 1 });
  expect(entries).toMatchObject([{ id: `${id}.1`, data: { job_id: id, step: 1, batch_id } }]);
});
