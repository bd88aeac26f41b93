import { connectRedis } from '@grsai-jobs/redis';
import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createMaintainer, createProducer } from '../src/index.ts';

async function startMaintainer(tasks: Readonly<Record<string, () => Promise<void>>>) {
  const server = await startRedis();
  const onError = () => {};
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const failed: string[] = [];
  const maintainer = createMaintainer(tasks, {
    redis,
    prefix: 'gj',
    concurrency: 1,
    lockMs: 15_000,
    stalledMs: 5000,
    onError,
    onTaskFailed: (task, { message }) => failed.push(`${task}: ${message}`),
  });
  onTestFinished(async () => {
    await maintainer.stop();
    await producer.close();
    redis.disconnect();
    await server.stop();
  });
  return { redis, producer, maintainer, failed };
}

test('when the tasks of a version are scheduled then those that only the version before knew come no more, and a new interval holds', async () => {
  let runs = 0;
  const { redis, producer, maintainer, failed } = await startMaintainer({
    repairs: async () => {
      runs += 1;
    },
  });
  await producer.schedule([
    { name: 'repairs', everyMs: 60_000 },
    { name: 'old-name', everyMs: 10 },
  ]);
  await producer.schedule([{ name: 'repairs', everyMs: 10 }]);
  expect(await redis.zrange('{gj-q}:maintain:repeat', '0', '-1')).toEqual(['repairs']);
  const pages = (['waiting', 'delayed'] as const).map((state) => producer.list('maintain', { state, from: 0, limit: 20 }));
  expect((await Promise.all(pages)).flatMap(({ entries }) => entries.map(({ name }) => name))).toEqual(['repairs']);
  // What is left of a longer interval would put late runs off.
  expect(Number(await redis.hget('{gj-q}:maintain:repeat:repairs', 'offset'))).toBeLessThan(10);
  maintainer.start();
  await waitFor(() => runs >= 3, { what: 'the task that is still known' });
  expect(failed).toEqual([]);
});

test('when an entry names a task that this version does not have then it fails and says so, and others run', async () => {
  let runs = 0;
  const { producer, maintainer, failed } = await startMaintainer({
    repairs: async () => {
      runs += 1;
    },
  });
  await producer.schedule(['old-name', 'toString', 'repairs'].map((name) => ({ name, everyMs: 60_000 })));
  maintainer.start();
  await waitFor(() => failed.length === 2 && runs === 1, { what: 'each task once' });
  expect(failed.sort()).toEqual([
    'old-name: this version has no task named old-name',
    'toString: this version has no task named toString',
  ]);
});

test('when a process with a wrong clock has put a task off for days then scheduling again brings it back, and moves no other', async () => {
  const { redis, producer } = await startMaintainer({});
  const tasks = ['repairs', 'old-records'].map((name) => ({ name, everyMs: 60_000 }));
  await producer.schedule(tasks);
  const nextOf = async () =>
    Object.fromEntries(
      await Promise.all(tasks.map(async ({ name }) => [name, Number(await redis.zscore('{gj-q}:maintain:repeat', name))])),
    );
  const before = await nextOf();
  await redis.zadd('{gj-q}:maintain:repeat', Date.now() + 8 * 24 * 3600_000, 'repairs');
  await producer.schedule(tasks);
  const after = await nextOf();
  expect(after['repairs']).toBeLessThan(Date.now() + 60_000);
  expect(after['old-records']).toBe(before['old-records']);
});
