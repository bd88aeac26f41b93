import { expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';

test('waits end in the order of their times, also those begun inside an advance', async () => {
  const clock = new VirtualClock(0);
  const woken: [string, number][] = [];
  const nap = async (name: string, ms: number): Promise<void> => {
    await clock.wait(ms);
    woken.push([name, clock.now()]);
  };
  const naps = [nap('late', 30), nap('early', 10).then(() => nap('second', 10))];
  await clock.advance(25);
  expect([woken, clock.now()]).toEqual([
    [
      ['early', 10],
      ['second', 20],
    ],
    25,
  ]);
  await clock.advance(5);
  await Promise.all(naps);
  expect(woken.at(-1)).toEqual(['late', 30]);
});

test('a signal ends a wait early and leaves nothing behind', async () => {
  const clock = new VirtualClock(0);
  const leave = new AbortController();
  const nap = clock.wait(1000, leave.signal);
  expect(clock.waiting).toBe(1);
  leave.abort();
  await nap;
  expect([clock.waiting, clock.now()]).toEqual([0, 0]);
  await clock.wait(1000, leave.signal);
  expect(clock.waiting).toBe(0);
});

test('a wait of nothing is over at once', async () => {
  const clock = new VirtualClock(0);
  await clock.wait(0);
  expect(clock.waiting).toBe(0);
});
