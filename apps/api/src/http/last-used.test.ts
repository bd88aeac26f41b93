import { beforeEach, expect, test, vi } from 'vitest';
import { createLastUsed, NOTE_EVERY_MS } from './last-used.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1000 });
  return () => vi.useRealTimers();
});

test('when keys are used thousands of times then their last uses are written now and then, all at once, and at a stop', async () => {
  const note = vi.fn(async (_uses: ReadonlyMap<string, number>) => undefined);
  const keys = createLastUsed(note, { now: () => Date.now() });
  for (let n = 0; n < 5000; n += 1) keys.used(`key_${n % 2}`);
  expect(note).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(NOTE_EVERY_MS - 1000);
  keys.used('key_1');
  await vi.advanceTimersByTimeAsync(3 * NOTE_EVERY_MS);
  expect(note.mock.calls).toEqual([
    [
      new Map([
        ['key_0', 1000],
        ['key_1', NOTE_EVERY_MS],
      ]),
    ],
  ]);
  keys.used('key_2');
  await keys.stop();
  expect(note.mock.calls[1]?.[0].has('key_2')).toBe(true);
});

test('when uses cannot be written then nothing fails, and the next ones are', async () => {
  const note = vi.fn(async () => Promise.reject(new Error('away')));
  const keys = createLastUsed(note, { now: () => Date.now() });
  keys.used('key_1');
  await vi.advanceTimersByTimeAsync(NOTE_EVERY_MS);
  keys.used('key_1');
  await expect(keys.stop()).resolves.toBeUndefined();
  expect(note).toHaveBeenCalledTimes(2);
});
