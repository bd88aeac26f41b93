import { expect, test } from 'vitest';
import { type Service, stopInOrder } from './lifecycle.ts';
import { systemTimers } from './timers.ts';

const service = (name: string, stop: () => Promise<void>): Service => ({ name, stop });

test('when there are phases then each waits for the one before it', async () => {
  const order: string[] = [];
  const part = (name: string) => service(name, async () => void order.push(name));
  expect(await stopInOrder(systemTimers, [[part('intake')], [part('call'), part('poll')], [part('redis')]], 1000)).toEqual([]);
  expect(order).toEqual(['intake', 'call', 'poll', 'redis']);
});

test('when a part fails then it is reported and the next phase still runs', async () => {
  let last = false;
  const failures = await stopInOrder(
    systemTimers,
    [
      [service('a', () => Promise.reject(new Error('boom')))],
      [
        service('b', async () => {
          last = true;
        }),
      ],
    ],
    1000,
  );
  expect(failures.map((f) => f.message)).toEqual(['boom']);
  expect(last).toBe(true);
});

test('when a part never ends then it is named and left behind', async () => {
  const failures = await stopInOrder(systemTimers, [[service('stuck', () => new Promise(() => {}))]], 1);
  expect(failures.map((f) => f.message)).toEqual(['stuck did not stop in time']);
});
