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

const page = (kit: Awaited<ReturnType<typeof startStore>>, o: object = {}) =>
  kit.store.audit.page({ filter: {}, after: null, limit: 20, ...o });

test('when a change has ended then the log has one line for it, with its outcome', async () => {
  const kit = await startStore();
  const id = await kit.store.audit.begin(entry('job.requeue'));
  expect((await page(kit)).lines).toMatchObject([{ id, action: 'job.requeue', outcome: 'begun', reason: 'a try' }]);
  await kit.store.audit.end(id, entry('job.requeue'), 'refused', 'the job is running');
  const { lines, next } = await page(kit);
  expect(lines).toMatchObject([{ outcome: 'refused', detail: 'the job is running' }]);
  expect(next).toBeNull();
});

test('when the process dies within a change then its line stays as begun', async () => {
  const kit = await startStore();
  await kit.store.audit.begin(entry('key.delete'));
  const other = await kit.store.audit.begin(entry('queue.change'));
  await kit.store.audit.end(other, entry('queue.change'), 'done');
  expect((await page(kit)).lines.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['queue.change', 'done'],
    ['key.delete', 'begun'],
  ]);
});

test('when the log is read page by page and by who or what then no line is told twice', async () => {
  const kit = await startStore();
  for (let i = 0; i < 7; i += 1) {
    const by = entry(i % 2 === 0 ? 'key.create' : 'key.delete', { key_name: i < 4 ? 'ann' : 'bob', target: `key_${i}` });
    await kit.store.audit.end(await kit.store.audit.begin(by), by, 'done');
  }
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { lines, next } = await page(kit, { after, limit: 2 });
    seen.push(...lines.map(({ target }) => target));
    if (next === null) break;
    after = next;
  }
  expect(seen).toEqual(['key_6', 'key_5', 'key_4', 'key_3', 'key_2', 'key_1', 'key_0']);
  const targets = async (filter: object) => (await page(kit, { filter })).lines.map(({ target }) => target);
  expect(await targets({ who: 'bob' })).toEqual(['key_6', 'key_5', 'key_4']);
  expect(await targets({ action: 'key.delete' })).toEqual(['key_5', 'key_3', 'key_1']);
  expect(await targets({ target: 'key_0' })).toEqual(['key_0']);
});

test('when Redis is full then a line is still written', async () => {
  const kit = await startStore();
  await kit.redis.config('SET', 'maxmemory', '1mb');
  await expect(kit.redis.set('x', 'y')).rejects.toThrow(/OOM/);
  const id = await kit.store.audit.begin(entry('queue.change'));
  await kit.store.audit.end(id, entry('queue.change'), 'done');
  expect((await page(kit)).lines).toHaveLength(1);
});
