import { dottedEventId, eventId } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { imageDoc, jobIn, type Started, startStore } from './harness.ts';

/** Gives an event the id that a release before would have made it with, everywhere in Redis. */
async function asBefore({ redis }: Started, id: string, subject: string): Promise<string> {
  const before = dottedEventId(id);
  await redis.rename(`{gj}:delivery:${id}`, `{gj}:delivery:${before}`);
  await redis.hset(`{gj}:delivery:${before}`, 'id', before);
  if ((await redis.hget(subject, 'whd')) === id) await redis.hset(subject, 'whd', before);
  for (const key of ['{gj}:tenant:acme:deliveries', '{gj}:due:deliveries']) {
    const score = await redis.zscore(key, id);
    await redis.zrem(key, id);
    if (score !== null) await redis.zadd(key, score, before);
  }
  return before;
}

const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response' };

test('when a webhook was made by a release before then it is listed, found by its job, tried, resent and erased', async () => {
  const harness = await startStore();
  const { deliveries, deliveryList, erase } = harness.store;
  const job = await jobIn(harness, 'failed');
  const id = await asBefore(harness, eventId(job.id, 1, 'job.failed'), `{gj}:job:${job.id}`);
  const page = { tenant: 'acme', after: null, limit: 10 };
  for (const filter of [{}, { jobId: job.id }])
    expect((await deliveryList.page({ ...page, filter })).deliveries).toMatchObject([{ id, state: 'pending' }]);
  const made = await deliveryList.madeBetween({ tenant: 'acme', from: 0, to: harness.clock.now(), after: null, count: 5 });
  expect(made.deliveries).toMatchObject([{ id }]);
  expect(await deliveries.overdue(harness.clock.now() + 1e6, 10)).toEqual([id]);
  const found = await deliveries.read(id);
  if (!found) throw new Error('no delivery');
  expect(found).toMatchObject({ delivery: { id }, job: { id: job.id } });
  expect(await deliveries.settle(found.delivery, { state: 'delivered', attempt })).toMatchObject({ settled: true });
  expect((await job.read()).webhook).toEqual({ state: 'delivered', last_delivery_id: id });
  const over = await deliveries.read(id);
  expect(over && (await deliveries.resend(over.delivery))).toBe(2);
  const again = await deliveries.read(id);
  if (again) await deliveries.settle(again.delivery, { state: 'delivered', attempt });
  expect(await erase.asked(await job.read())).toBe(true);
  expect(await harness.redis.keys('{gj}:delivery:*')).toEqual([]);
  expect(await harness.redis.zcard('{gj}:tenant:acme:deliveries')).toBe(0);
});

test('when a progress webhook of a run was made by an earlier release then it is not made a second time', async () => {
  const harness = await startStore();
  const url = 'https://caller.example/hooks';
  const job = await jobIn(harness, 'generating', imageDoc({ webhook: { url, events: ['job.started'] } }));
  const report = async () =>
    await harness.store.deliveries.report({ id: job.id, tenant: 'acme', run: 1, url }, { type: 'job.started' });
  const entry = await report();
  await asBefore(harness, entry?.id ?? '', `{gj}:job:${job.id}`);
  expect(await report()).toBeNull();
  expect(await harness.redis.zcard('{gj}:tenant:acme:deliveries')).toBe(1);
});

test('when an ended batch whose webhook was made by a release before is erased then that goes with it', async () => {
  const harness = await startStore();
  const [batch, before] = ['batch_01K9ZV5W3N8Q2R4T6V8X0Z2B4D', 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_2_batch.completed'];
  await harness.redis.hset(`{gj}:batch:${batch}`, { tenant: 'acme', st: 'completed', round: 2, whd: before, whs: 'delivered' });
  await harness.redis.hset(`{gj}:delivery:${before}`, { id: before, tenant: 'acme', state: 'delivered' });
  await harness.redis.zadd('{gj}:tenant:acme:deliveries', 1, before);
  expect(await harness.store.batches.eraseEnded({ id: batch, tenant: 'acme', round: 2 }, 0)).toBe(true);
  expect(await harness.redis.keys('{gj}:delivery:*')).toEqual([]);
  expect(await harness.redis.zcard('{gj}:tenant:acme:deliveries')).toBe(0);
});
