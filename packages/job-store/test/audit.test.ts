import { expect, test } from 'vitest';
import { startStore } from './harness.ts';

const entry = (action: string, more: object = {}) => ({
  key_id: 'key_1',
  key_name: 'ann',
  action,
  target: 'job_1',
  reason: 'a try',
  ...more,
});

const page = (harness: Awaited<ReturnType<typeof startStore>>, o: object = {}) =>
  harness.store.audit.page({ filter: {}, after: null, limit: 20, ...o });

test('when a change has ended then the log has one line for it, with its outcome', async () => {
  const harness = await startStore();
  const id = await harness.store.audit.begin(entry('job.requeue'));
  expect((await page(harness)).lines).toMatchObject([{ id, action: 'job.requeue', outcome: 'begun', reason: 'a try' }]);
  await harness.store.audit.end(id, entry('job.requeue'), 'refused', 'the job is running');
  const { lines, next } = await page(harness);
  expect(lines).toMatchObject([{ outcome: 'refused', detail: 'the job is running' }]);
  expect(next).toBeNull();
});

test('when the process dies within a change then its line stays as begun', async () => {
  const harness = await startStore();
  await harness.store.audit.begin(entry('key.delete'));
  const other = await harness.store.audit.begin(entry('queue.change'));
  await harness.store.audit.end(other, entry('queue.change'), 'done');
  expect((await page(harness)).lines.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['queue.change', 'done'],
    ['key.delete', 'begun'],
  ]);
});

test('when the log is read page by page and by who or what then no line is shown twice', async () => {
  const harness = await startStore();
  for (let i = 0; i < 7; i += 1) {
    const by = entry(i % 2 === 0 ? 'key.create' : 'key.delete', { key_name: i < 4 ? 'ann' : 'bob', target: `key_${i}` });
    await harness.store.audit.end(await harness.store.audit.begin(by), by, 'done');
  }
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { lines, next } = await page(harness, { after, limit: 2 });
    seen.push(...lines.map(({ target }) => target));
    if (next === null) break;
    after = next;
  }
  expect(seen).toEqual(['key_6', 'key_5', 'key_4', 'key_3', 'key_2', 'key_1', 'key_0']);
  const targets = async (filter: object) => (await page(harness, { filter })).lines.map(({ target }) => target);
  expect(await targets({ who: 'bob' })).toEqual(['key_6', 'key_5', 'key_4']);
  expect(await targets({ action: 'key.delete' })).toEqual(['key_5', 'key_3', 'key_1']);
  expect(await targets({ target: 'key_0' })).toEqual(['key_0']);
});

test('when Redis is full then a line is still written', async () => {
  const harness = await startStore();
  await harness.redis.config('SET', 'maxmemory', '1mb');
  await expect(harness.redis.set('x', 'y')).rejects.toThrow(/OOM/);
  const id = await harness.store.audit.begin(entry('queue.change'));
  await harness.store.audit.end(id, entry('queue.change'), 'done');
  expect((await page(harness)).lines).toHaveLength(1);
});
