import { describe, expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';
import { WaitTimeout, waitFor, within } from './wait-for.ts';

describe('VirtualClock', () => {
  test('stands still until it is advanced', () => {
    const clock = new VirtualClock(1_000);
    expect([clock.now(), clock.advance(5), clock.now()]).toEqual([1_000, 1_005, 1_005]);
  });

  test('does not go back', () => {
    expect(() => new VirtualClock().advance(-1)).toThrow(RangeError);
  });
});

describe('waitFor', () => {
  test('returns the first value that counts', async () => {
    let looks = 0;
    expect(await waitFor(() => ++looks === 3 && `look ${looks}`, { everyMs: 0 })).toBe('look 3');
  });

  test('an error counts as not yet', async () => {
    let looks = 0;
    const look = async (): Promise<boolean> => {
      looks += 1;
      if (looks < 3) throw new Error('not there');
      return true;
    };
    expect(await waitFor(look, { everyMs: 0 })).toBe(true);
  });

  test('when time is up the error says what was wanted and what was seen', async () => {
    const late = waitFor(() => 0, { timeoutMs: 0, what: 'a job that ends' });
    await expect(late).rejects.toThrow(/a job that ends; last value 0/);
    const broken = waitFor(() => Promise.reject(new Error('ECONNREFUSED')), { timeoutMs: 0, what: 'x' });
    await expect(broken).rejects.toThrow(/last error ECONNREFUSED/);
    await expect(broken).rejects.toBeInstanceOf(WaitTimeout);
  });
});

describe('within', () => {
  test('hands on what the promise gives, and its own error when nothing comes', async () => {
    expect(await within(Promise.resolve(7), 1_000, () => 'seven')).toBe(7);
    await expect(within(new Promise(() => undefined), 1, () => 'a line')).rejects.toThrow('a line');
  });
});
