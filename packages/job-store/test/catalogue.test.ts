import { expect, onTestFinished, test } from 'vitest';
import { watchCatalogue } from '../src/index.ts';
import { startStore, timers } from './harness.ts';

const list = (...ids: string[]) => ({
  read_at: 1_800_000_000_000,
  models: ids.map((id) => ({
    id,
    type: 'image' as const,
    price: { credits: 600 },
    maintenance: null,
    closed: false,
    refunds: { error: true, violation: null },
    tokenLimit: null,
  })),
});

test('when a list is put then it is read back, in place of the one before, and ends after a week', async () => {
  const { store, redis } = await startStore();
  expect(await store.catalogue.read()).toBeNull();
  await store.catalogue.put(list('a', 'b'));
  await store.catalogue.put(list('c'));
  expect(await store.catalogue.read()).toEqual(list('c'));
  expect(await redis.pttl('{gj}:catalogue')).toBeGreaterThan(7 * 24 * 3600 * 1000 - 10_000);
});

test('when the watch has seen a list then it holds while Redis has none that can be read, and a look says so', async () => {
  const { store, redis } = await startStore();
  await store.catalogue.put(list('a'));
  const errors: Error[] = [];
  const watch = watchCatalogue(store, (error) => errors.push(error), timers);
  onTestFinished(() => watch.stop());
  await expect.poll(() => watch.list()).toEqual(list('a'));
  await redis.set('{gj}:catalogue', 'no JSON');
  await expect(watch.look()).rejects.toThrow();
  expect([watch.list(), errors]).toEqual([list('a'), []]);
  await store.catalogue.put(list('b'));
  expect(await watch.look()).toEqual(list('b'));
  expect(watch.list()).toEqual(list('b'));
});
