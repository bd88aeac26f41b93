import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, startStack, tenantOf } from './stack.ts';

interface Refusal {
  code: string;
  detail: string;
  quota?: { name: string; limit: number; used: number };
}

/** Sends many jobs at once until some are refused; answers what the refusals were. */
async function attack(client: Awaited<ReturnType<typeof tenantOf>>, body: object, most: number): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  for (let sent = 0; sent < most && refusals.length < 20; sent += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.send('POST', '/v1/jobs', body)));
    for (const answer of answers) {
      const told = (await answer.json()) as Refusal;
      if (answer.status === 202) continue;
      expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([
        told.code === 'unavailable' ? 503 : 429,
        true,
      ]);
      refusals.push(told);
    }
  }
  return refusals;
}

/** 30 kB that stay in the record. */
const LARGE = chat({ url: 'https://caller.example/hooks' }, 'x'.repeat(30_000));

test('when one tenant fills its part of a small Redis then it alone is refused, and the paid image of another is made, stored and reported', async () => {
  const stack = await startStack({ redis: { maxmemory: '32mb' }, workers: 0 });
  const refused = await attack(stack.tenant, LARGE, 2000);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['tenant_quota_exceeded']));
  expect(refused[0]?.quota).toMatchObject({ name: 'redis', limit: 8 * 1024 * 1024 });
  expect(refused[0]?.detail).toMatch(/its limit is 8388608\. Nothing was accepted\. Delete ended jobs/);
  const quiet = await tenantOf(stack, 'quiet');
  const { id } = await quiet.post<Job>('/v1/jobs', { ...image(stack.receiver), priority: 'high' });
  await stack.startWorker();
  expect(await quiet.finished(id)).toMatchObject({ status: 'succeeded', result: { images: [{}] } });
  await stack.receiver.waitFor(({ body }) => String(body).includes(id));
});

test('when nobody is limited and Redis fills up then intake ends with 503 while a paid image goes through all its stages', async () => {
  const stack = await startStack({ redis: { maxmemory: '32mb' }, workers: 0, env: { TENANT_MAX_REDIS_BYTES: 'off' } });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const quiet = await tenantOf(stack, 'quiet');
  const { id } = await quiet.post<Job>('/v1/jobs', { ...image(stack.receiver), priority: 'high' });
  const refused = await attack(stack.tenant, LARGE, 4000);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['unavailable']));
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  expect(used / (32 * 1024 * 1024)).toBeLessThan(0.88);
  await stack.startWorker({ CALL_CONCURRENCY: '1' });
  expect(await quiet.finished(id)).toMatchObject({ status: 'succeeded', result: { images: [{}] } });
  await stack.receiver.waitFor(({ body }) => String(body).includes(id));
});

test('when a tenant may have few live jobs then a batch with more is refused early and leaves nothing, its own jobs still come, and a retry counts as a job', async () => {
  const stack = await startStack({ env: { TENANT_MAX_LIVE_JOBS: '3' } });
  const lines = Array.from({ length: 4 }, (_, i) => ({ custom_id: `l${i}`, ...chat(stack.receiver, `Say ${i}`) }));
  const refused = await stack.tenant.send('POST', '/v1/batches', { items: lines.map(({ webhook: _webhook, ...line }) => line) });
  const told = (await refused.json()) as Refusal;
  expect([refused.status, told.code, told.quota]).toEqual([429, 'tenant_quota_exceeded', { name: 'live', limit: 3, used: 0 }]);
  expect((await stack.tenant.get<{ data: unknown[] }>('/v1/batches')).data).toEqual([]);
  for (const text of ['a', 'b']) {
    const { id } = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, text));
    expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  }
  stack.emulator.configure({ chatMs: 60_000 });
  const start = async () => (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'c'))).id;
  const [canceled = '', live = ''] = [await start(), await start()];
  await stack.tenant.post(`/v1/jobs/${canceled}/cancel`);
  await stack.tenant.finished(canceled);
  await Promise.all([start(), start()]);
  const retry = async () => await stack.tenant.send('POST', `/v1/jobs/${canceled}/retry`);
  const refusedRetry = await retry();
  expect([refusedRetry.status, ((await refusedRetry.json()) as Refusal).quota]).toEqual([
    429,
    { name: 'live', limit: 3, used: 3 },
  ]);
  await stack.tenant.post(`/v1/jobs/${live}/cancel`);
  await stack.tenant.finished(live);
  expect((await retry()).status).toBe(202);
});
