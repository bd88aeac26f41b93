import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budgetMs, nextPollMs, UNKNOWN_DURATIONS } from './poll-pace.ts';

test('when nothing is known of a model then the first poll comes after 12 s and the next ones after 4 to 5', () => {
  expect(nextPollMs(0, UNKNOWN_DURATIONS, () => 0)).toBe(12_000);
  expect(nextPollMs(12_100, UNKNOWN_DURATIONS, () => 0)).toBe(4000);
  expect(nextPollMs(60_000, UNKNOWN_DURATIONS, () => 0.999)).toBe(4999);
});

test('when the tasks of a kind take about the same time then they are polled every 3 to 4 s about their end', () => {
  const known = { p20: 17_000, p90: 25_000, p99: 30_000 };
  expect(nextPollMs(17_100, known, () => 0)).toBe(3000);
  expect(nextPollMs(20_000, known, () => 0.999)).toBe(3999);
  expect(nextPollMs(25_000, known, () => 0.5)).toBe(10_000);
  expect(nextPollMs(17_100, { ...known, p90: 29_000 }, () => 0)).toBe(4000);
});

test('when a task is older than most of its kind then it is polled every 10 s', () => {
  expect(nextPollMs(200_000, UNKNOWN_DURATIONS, () => 0.5)).toBe(10_000);
});

test('whatever the age and what is known, the next poll comes later than now and the budget is from 15 min to two hours', () => {
  const durations = fc
    .tuple(fc.double({ min: 1, max: 1e6, noNaN: true }), fc.nat(1e6), fc.nat(1e6))
    .map(([p20, a, b]) => ({ p20, p90: p20 + a, p99: p20 + a + b }));
  fc.assert(
    fc.property(durations, fc.nat(8e6), fc.double({ min: 0, max: 0.999, noNaN: true }), (known, age, draw) => {
      for (const at of [age, Math.floor(known.p20)]) expect(nextPollMs(at, known, () => draw)).toBeGreaterThan(0);
      expect(budgetMs(known)).toBeGreaterThanOrEqual(900_000);
      expect(budgetMs({ ...known, p99: known.p99 * 10 })).toBeLessThanOrEqual(7_200_000);
    }),
  );
});
