import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ATTEMPT_WAITS_MS, JITTER, MAX_RETRY_AFTER_MS, nextAttempt } from './schedule.ts';

const HOUR = 3_600_000;
const middle = () => 0.5;

test('the ten attempts are those of the design and span three days', () => {
  expect(ATTEMPT_WAITS_MS.map((ms) => ms / 1000)).toEqual([0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  expect(ATTEMPT_WAITS_MS.reduce((sum, ms) => sum + ms) / HOUR).toBeGreaterThan(72);
});

test('a receiver that never answers is attempted ten times, then the delivery has failed', () => {
  const states = Array.from({ length: 10 }, (_, i) => nextAttempt({ made: i + 1, answer: {}, random: middle }));
  expect(states.slice(0, 9)).toEqual(ATTEMPT_WAITS_MS.slice(1).map((waitMs) => ({ state: 'pending', waitMs })));
  expect(states[9]).toEqual({ state: 'failed' });
});

test.each([200, 201, 202, 204, 299])('status %i delivers, even on the last attempt', (status) => {
  expect(nextAttempt({ made: 1, answer: { status } })).toEqual({ state: 'delivered' });
  expect(nextAttempt({ made: 10, answer: { status } })).toEqual({ state: 'delivered' });
});

test('410 means gone, whichever attempt it is', () => {
  expect(nextAttempt({ made: 1, answer: { status: 410 } })).toEqual({ state: 'gone' });
  expect(nextAttempt({ made: 10, answer: { status: 410 } })).toEqual({ state: 'gone' });
});

test.each([301, 302, 304, 307, 400, 401, 404, 408, 429, 500, 503, 600])('status %i is attempted again', (status) =>
  expect(nextAttempt({ made: 1, answer: { status }, random: middle })).toEqual({ state: 'pending', waitMs: 5_000 }),
);

test.each([
  ['puts an attempt off', 1, HOUR, HOUR],
  ['does not bring an attempt forward', 9, 1_000, 24 * HOUR],
  ['of zero changes nothing', 1, 0, 5_000],
  ['counts up to 24 h', 1, 48 * HOUR, 24 * HOUR],
])('Retry-After %s', (_, made, retryAfterMs, waitMs) =>
  expect(nextAttempt({ made, answer: { status: 503, retryAfterMs }, random: middle })).toEqual({ state: 'pending', waitMs }),
);

test('Retry-After gives no eleventh attempt', () =>
  expect(nextAttempt({ made: 10, answer: { status: 503, retryAfterMs: 1 } })).toEqual({ state: 'failed' }));

test('every wait lies within a fifth of its length, and both ends are reached', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (made, x) => {
      const next = nextAttempt({ made, answer: { status: 500 }, random: () => x });
      const nominal = ATTEMPT_WAITS_MS[made] ?? 0;
      const waitMs = next.state === 'pending' ? next.waitMs : Number.NaN;
      expect(waitMs).toBeGreaterThanOrEqual(nominal * (1 - JITTER));
      expect(waitMs).toBeLessThanOrEqual(nominal * (1 + JITTER));
      expect(waitMs).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS * (1 + JITTER));
    }),
  );
  expect(nextAttempt({ made: 1, answer: {}, random: () => 0 })).toEqual({ state: 'pending', waitMs: 4_000 });
  expect(nextAttempt({ made: 1, answer: {}, random: () => 0.999_999_9 })).toEqual({ state: 'pending', waitMs: 6_000 });
});
