import { expect, test } from 'vitest';
import { attemptOf, imageDoc, jobIn, startStore } from './harness.ts';

const NOTHING_ASKED = imageDoc({ webhook: undefined });

test('when an ended job is erased then nothing of it is left, and its tenant alone is told that it was', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'failed', NOTHING_ASKED);
  expect(await kit.store.erase.asked(await job.read())).toBe(true);
  expect(await kit.store.jobs.read(job.id)).toBeNull();
  for (const key of await kit.redis.keys('{gj}:*')) {
    if ((await kit.redis.type(key)) === 'zset') expect(`${key}: ${await kit.redis.zscore(key, job.id)}`).toBe(`${key}: null`);
  }
  expect(await kit.store.erase.wasAsked(job.id, 'acme')).toBe(true);
  expect(await kit.store.erase.wasAsked(job.id, 'other')).toBe(false);
});

test('when a job still has a pending delivery then that stays, without the job, and a settled one goes', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'failed');
  const first = (await job.read()).webhook.last_delivery_id ?? '';
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response' };
  const unsent = await kit.store.deliveries.read(first);
  if (unsent) await kit.store.deliveries.settle(unsent.delivery, { state: 'delivered', now: 1, attempt });
  await kit.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  await kit.store.transitions.commit(await job.read(), { kind: 'cancel' });
  const second = (await job.read()).webhook.last_delivery_id ?? '';

  expect(await kit.store.erase.asked(await job.read())).toBe(true);
  expect(await kit.store.deliveries.read(first)).toBeNull();
  expect(await kit.store.deliveries.read(second)).toMatchObject({ delivery: { type: 'job.canceled', run: 2 }, job: null });
  expect(await kit.store.deliveries.overdue(kit.clock.now() + 1e6, 10)).toEqual([second]);
  const left = await kit.store.deliveries.read(second);
  if (left)
    expect(await kit.store.deliveries.settle(left.delivery, { state: 'delivered', now: 1, attempt })).toMatchObject({
      settled: true,
    });
  expect(await kit.redis.pttl(`{gj}:delivery:${second}`)).toBeGreaterThan(0);
});

test('when a job was reopened since it was read, or is live, then it is not erased', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'failed');
  const ended = await job.read();
  await kit.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' });
  expect(await kit.store.erase.asked(ended)).toBe(false);
  expect(await kit.store.erase.asked(await job.read())).toBe(false);
  expect(await job.read()).toMatchObject({ status: 'queued', run: 2 });
});

test('when the delete of a job has begun then neither a retry nor a late result reopens it, and it is erased', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'generating', NOTHING_ASKED);
  await kit.store.transitions.commit(await job.read(), { kind: 'finish', status: 'expired', latePollMs: 1000 });
  const ended = await job.read();
  // A second delete at the same time, or the same one sent again.
  expect(await Promise.all([kit.store.erase.begin(ended), kit.store.erase.begin(ended)])).toEqual([true, true]);
  expect(await kit.redis.zcard('{gj}:late')).toBe(0);
  const unstored = { links: [{ url: 'http://f/1.png' }], dies_at: kit.clock.now() + 1000 };
  for (const to of ['queued', 'running/generating', 'running/storing'] as const)
    expect(await kit.store.transitions.commit(await job.read(), { kind: 'reopen', to, unstored })).toEqual({
      kind: 'wrong',
      state: 'expired',
    });
  expect(await job.read()).toMatchObject({ status: 'expired', run: 1, erasing: true });
  expect(await kit.store.erase.asked(await job.read())).toBe(true);
});

test('when a job is reopened first then its delete does not begin', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'failed');
  const ended = await job.read();
  await kit.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' });
  expect(await kit.store.erase.begin(ended)).toBe(false);
  expect(await kit.store.erase.begin(await job.read())).toBe(false);
  expect(await job.read()).toMatchObject({ status: 'queued', erasing: false });
});

test('when a job with an output is erased then none of its parts is left, and while it waits its hash has the compact form', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'queued', { ...imageDoc(), metadata: { note: 'x'.repeat(500) } });
  expect(await kit.redis.object('ENCODING', `{gj}:job:${job.id}`)).toBe('listpack');
  const stored = await jobIn(kit, 'storing');
  const output = { images: [] } as never;
  await stored.commit({ kind: 'finish', status: 'succeeded', output, attempt: attemptOf('store', 'accepted') });
  expect((await stored.read()).output).toEqual({ images: [] });
  expect((await kit.redis.keys(`{gj}:job:${stored.id}*`)).sort()).toEqual(
    ['', ':att', ':doc', ':out'].map((part) => `{gj}:job:${stored.id}${part}`),
  );
  expect(await kit.store.erase.asked(await stored.read())).toBe(true);
  expect(await kit.redis.keys(`{gj}:job:${stored.id}*`)).toEqual([]);
});
