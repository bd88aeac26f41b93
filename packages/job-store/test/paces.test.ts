import { durationBucket, durationsOf, UNKNOWN_DURATIONS } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { type Started, startStore } from './harness.ts';

const KIND = 'nano-banana-2 2K';
const learn = async (harness: Started, ms: number, tasks: number, kind = KIND) =>
  await harness.store.paces.learn(kind, new Map([[durationBucket(ms), tasks]]));
const known = async (harness: Started, kind = KIND) =>
  durationsOf((await harness.store.paces.all()).get(kind) ?? { tasks: 0, weights: new Map() });

test('when 20 tasks of a kind were counted then its durations are known, and no other kind is', async () => {
  const harness = await startStore();
  await learn(harness, 60_000, 19);
  expect(await known(harness)).toBe(UNKNOWN_DURATIONS);
  await learn(harness, 60_000, 1);
  const { p20, p99 } = await known(harness);
  expect(p20).toBeGreaterThan(54_000);
  expect(p99).toBeLessThan(66_000);
  expect(await known(harness, 'nano-banana-2 4K')).toBe(UNKNOWN_DURATIONS);
});

test('when a vendor gets slower or faster then some hundred tasks later only the new durations count', async () => {
  const harness = await startStore();
  await learn(harness, 60_000, 10_000);
  for (let i = 0; i < 400; i += 1) await learn(harness, 20_000, 1);
  expect((await known(harness)).p90).toBeLessThan(22_000);
  for (let i = 0; i < 100; i += 1) await learn(harness, 90_000, 4);
  expect((await known(harness)).p20).toBeGreaterThan(80_000);
  for (let i = 0; i < 30; i += 1) await learn(harness, 30_000, 100);
  expect(await harness.redis.hlen(`{gj}:pace:${KIND}`)).toBe(2);
});

test('when 200 kinds are known then another one is not learned until one of them was not seen for 30 days', async () => {
  const harness = await startStore();
  const kinds = Array.from({ length: 200 }, (_, i) => `model-${i}`);
  expect(await Promise.all(kinds.map((kind) => learn(harness, 10_000, 1, kind)))).not.toContain(false);
  expect(await learn(harness, 10_000, 1, 'one-more')).toBe(false);
  expect(await learn(harness, 10_000, 1, 'model-7')).toBe(true);
  expect((await harness.store.paces.all()).size).toBe(200);
  expect(await harness.redis.pttl('{gj}:pace:model-7')).toBeGreaterThan(29 * 24 * 3600 * 1000);
  harness.clock.advance(31 * 24 * 3600 * 1000);
  expect(await learn(harness, 10_000, 1, 'one-more')).toBe(true);
  expect([...(await harness.store.paces.all()).keys()]).toEqual(['one-more']);
});
