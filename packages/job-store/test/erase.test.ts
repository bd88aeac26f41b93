import { expect, test } from 'vitest';
import { createJobStore } from '../src/index.ts';
import { attemptOf, imageDoc, jobIn, startStore } from './harness.ts';

const NOTHING_ASKED = imageDoc({ webhook: undefined });

test('when an ended job is erased then nothing of it is left, and its tenant alone can see that it was', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'failed', NOTHING_ASKED);
  expect(await harness.store.erase.asked(await job.read())).toBe(true);
  expect(await harness.store.jobs.read(job.id)).toBeNull();
  for (const key of await harness.redis.keys('{gj}:*')) {
    if ((await harness.redis.type(key)) === 'zset')
      expect(`${key}: ${await harness.redis.zscore(key, job.id)}`).toBe(`${key}: null`);
  }
  expect(await harness.store.erase.wasAsked(job.id, 'acme')).toBe(true);
  expect(await harness.store.erase.wasAsked(job.id, 'other')).toBe(false);
});

test('when a job still has a pending delivery then that stays, without the job, and a settled one goes', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'failed');
  const first = (await job.read()).webhook.last_delivery_id ?? '';
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response' };
  const unsent = await harness.store.deliveries.read(first);
  if (unsent) await harness.store.deliveries.settle(unsent.delivery, { state: 'delivered', attempt });
  await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  const second = (await job.read()).webhook.last_delivery_id ?? '';

  expect(await harness.store.erase.asked(await job.read())).toBe(true);
  expect(await harness.store.deliveries.read(first)).toBeNull();
  expect(await harness.store.deliveries.read(second)).toMatchObject({ delivery: { type: 'job.canceled', run: 2 }, job: null });
  expect(await harness.store.deliveries.overdue(harness.clock.now() + 1e6, 10)).toEqual([second]);
  const left = await harness.store.deliveries.read(second);
  if (left)
    expect(await harness.store.deliveries.settle(left.delivery, { state: 'delivered', attempt })).toMatchObject({
      settled: true,
    });
  expect(await harness.redis.pttl(`{gj}:delivery:${second}`)).toBeGreaterThan(0);
});

test('when a job was reopened since it was read, or is live, then it is not erased', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'failed');
  const ended = await job.read();
  await harness.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' });
  expect(await harness.store.erase.asked(ended)).toBe(false);
  expect(await harness.store.erase.asked(await job.read())).toBe(false);
  expect(await job.read()).toMatchObject({ status: 'queued', run: 2 });
});

test('when the delete of a job has begun then neither a retry nor a late result reopens it, and it is erased', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating', NOTHING_ASKED);
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'expired', latePollMs: 1000 });
  const ended = await job.read();
  // A second delete at the same time, or the same one sent again.
  expect(await Promise.all([harness.store.erase.begin(ended), harness.store.erase.begin(ended)])).toEqual([true, true]);
  expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  const unstored = { links: [{ url: 'http://f/1.png' }], dies_at: harness.clock.now() + 1000 };
  for (const to of ['queued', 'running/generating', 'running/storing'] as const)
    expect(await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to, unstored })).toEqual({
      kind: 'wrong',
      state: 'expired',
    });
  expect(await job.read()).toMatchObject({ status: 'expired', run: 1, erasing: true });
  expect(await harness.store.erase.asked(await job.read())).toBe(true);
});

test('when a job is reopened first then its delete does not begin', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'failed');
  const ended = await job.read();
  await harness.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' });
  expect(await harness.store.erase.begin(ended)).toBe(false);
  expect(await harness.store.erase.begin(await job.read())).toBe(false);
  expect(await job.read()).toMatchObject({ status: 'queued', erasing: false });
});

test('when a job with an output is erased then none of its parts is left, and while it waits its hash has the compact form', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued', { ...imageDoc(), metadata: { note: 'x'.repeat(500) } });
  expect(await harness.redis.object('ENCODING', `{gj}:job:${job.id}`)).toBe('listpack');
  const stored = await jobIn(harness, 'storing');
  const output = { images: [] } as never;
  await stored.commit({ kind: 'finish', status: 'succeeded', output, attempt: attemptOf('store', 'accepted') });
  expect((await stored.read()).output).toEqual({ images: [] });
  expect((await harness.redis.keys(`{gj}:job:${stored.id}*`)).sort()).toEqual(
    ['', ':att', ':doc', ':out'].map((part) => `{gj}:job:${stored.id}${part}`),
  );
  expect(await harness.store.erase.asked(await stored.read())).toBe(true);
  expect(await harness.redis.keys(`{gj}:job:${stored.id}*`)).toEqual([]);
});

test('when a job has ended less than its time ago by the clock of Redis then no process erases it, whatever its own clock says', async () => {
  const harness = await startStore();
  const { erase } = harness.store;
  const job = await jobIn(harness, 'failed', NOTHING_ASKED);
  const ended = await job.read();
  harness.clock.advance(999);
  expect([await erase.begin(ended, 1000), await erase.old(ended, 1000)]).toEqual([false, false]);
  // Redis itself, which is weeks behind the clock of this test.
  const byRedis = createJobStore({ redis: harness.redis, prefix: 'gj', clock: harness.clock }).erase;
  harness.clock.advance(1e9);
  expect([await byRedis.begin(ended, 1000), await byRedis.old(ended, 1000)]).toEqual([false, false]);
  expect([await erase.begin(ended, 1000), await erase.old(ended, 1000)]).toEqual([true, true]);
  expect(await harness.store.jobs.read(job.id)).toBeNull();
});
