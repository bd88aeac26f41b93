import { expect, test, vi } from 'vitest';
import { createLoginBrake } from './login-brake.ts';

function start() {
  const wait = vi.fn(async (_ms: number): Promise<unknown> => undefined);
  const brake = createLoginBrake({ wait });
  const tryKey = async (address: string, key = 'wrong') => {
    wait.mockClear();
    await brake.before(address, key);
    if (key === 'wrong') brake.wrong(address);
    else brake.right(key);
    return wait.mock.calls[0]?.[0] ?? 0;
  };
  return { brake, wait, tryKey };
}

test('when wrong keys come from one address then each waits longer after the tenth, up to 5 s, and other addresses do not', async () => {
  const { tryKey } = start();
  const waits: number[] = [];
  for (let n = 0; n < 18; n += 1) waits.push(await tryKey('203.0.113.1'));
  expect(waits).toEqual([...Array<number>(10).fill(0), 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  expect(await tryKey('203.0.113.2')).toBe(0);
});

test('when somebody tries keys behind the same address then a key that was right before does not wait, and a new one waits once', async () => {
  const { tryKey } = start();
  expect(await tryKey('203.0.113.1', 'right')).toBe(0);
  for (let n = 0; n < 30; n += 1) await tryKey('203.0.113.1');
  expect(await tryKey('203.0.113.1', 'right')).toBe(0);
  expect([await tryKey('203.0.113.1', 'new'), await tryKey('203.0.113.1', 'new')]).toEqual([5000, 0]);
});

test('when addresses are of one IPv6 network of a customer then they count as one', async () => {
  const { tryKey } = start();
  for (let n = 0; n < 10; n += 1) await tryKey(`2001:db8:1:2::${n}`);
  expect([await tryKey('2001:db8:1:2:ffff::1'), await tryKey('2001:db8:1:3::1')]).toEqual([100, 0]);
  for (let n = 0; n < 20; n += 1) await tryKey('::ffff:203.0.113.1');
  expect(await tryKey('::ffff:203.0.113.2')).toBe(0);
});

test('when very many wait already then nobody else waits, and nobody is refused', async () => {
  const { brake, wait } = start();
  for (let n = 0; n < 20; n += 1) brake.wrong('203.0.113.1');
  wait.mockReturnValue(new Promise(() => undefined));
  for (let n = 0; n < 500; n += 1) void brake.before('203.0.113.1', 'wrong');
  await brake.before('203.0.113.1', 'some key');
  expect(wait).toHaveBeenCalledTimes(500);
});
