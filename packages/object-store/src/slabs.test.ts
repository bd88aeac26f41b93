import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Slabs } from './slabs.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const two = () => new Slabs({ bytes: 10, most: 2, patienceMs: 1000 });

test('when a slab is given back then it is the next one, and when it is lost then another is made', async () => {
  const slabs = two();
  const first = await slabs.take();
  expect(first).toHaveLength(10);
  if (first !== null) slabs.give(first);
  expect(await slabs.take()).toBe(first);
  slabs.lose();
  const others = [await slabs.take(), await slabs.take()];
  expect(others).not.toContain(first);
  expect(new Set(others).size).toBe(2);
});

test('when all are taken then whoever waits has the next ones in turn', async () => {
  const slabs = two();
  const taken = [await slabs.take(), await slabs.take()];
  const had: string[] = [];
  const waiting = ['first', 'second'].map(async (name) => had.push(`${name} ${(await slabs.take())?.length}`));
  for (const slab of taken) if (slab !== null) slabs.give(slab);
  await Promise.all(waiting);
  expect(had).toEqual(['first 10', 'second 10']);
  expect(vi.getTimerCount()).toBe(0);
});

test('when none is given back in time then who waits goes without, and nobody has that one twice', async () => {
  const slabs = two();
  const [one] = [await slabs.take(), await slabs.take()];
  const late = slabs.take();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await late).toBeNull();
  if (one !== null) slabs.give(one);
  expect(await slabs.take()).toBe(one);
  const next = slabs.take();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await next).toBeNull();
});
