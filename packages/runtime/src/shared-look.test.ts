import { beforeEach, expect, test, vi } from 'vitest';
import { sharedLook } from './shared-look.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test('when many ask within the time then one look answers all, and the next look comes after it', async () => {
  const look = vi.fn(async () => look.mock.calls.length);
  const ask = sharedLook(250, look);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  await vi.advanceTimersByTimeAsync(249);
  expect(await ask()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await Promise.all([ask(), ask()])).toEqual([2, 2]);
});

test('when a look is open for longer than the time then who asks waits for it instead of opening another', async () => {
  const open = Promise.withResolvers<string>();
  const look = vi.fn(() => open.promise);
  const ask = sharedLook(250, look);
  const first = ask();
  await vi.advanceTimersByTimeAsync(60_000);
  const second = ask();
  open.resolve('well');
  expect([await first, await second, look.mock.calls.length]).toEqual(['well', 'well', 1]);
});

test('when a look fails then it fails for all who share it, and the next look may come to something else', async () => {
  const look = vi.fn(async () => 'well').mockRejectedValueOnce(new Error('away'));
  const ask = sharedLook(250, look);
  const both = await Promise.allSettled([ask(), ask()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await vi.advanceTimersByTimeAsync(250);
  expect([await ask(), look.mock.calls.length]).toEqual(['well', 2]);
});
