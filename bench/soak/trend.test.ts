import { expect, test } from 'vitest';
import { type Point, trendOf, verdictOf } from './trend.ts';

const line = (of: (minute: number) => number): Point[] => Array.from({ length: 240 }, (_, i) => [i * 10, of(i / 6)]);
/** The same noise each time. */
const noise = (minute: number): number => 8 * Math.sin(minute * 977);

test.each([
  ['stands still', () => 100, 0, 'flat'],
  ['has noise', (minute: number) => 100 + noise(minute), 0, 'flat'],
  ['rises by a quarter in 40 minutes', (minute: number) => 100 + noise(minute) + (25 * minute) / 40, 37.5, 'growing'],
  ['rises by less than a twentieth', (minute: number) => 100 + (4 * minute) / 40, 6, 'flat'],
  ['falls by half', (minute: number) => 100 - (50 * minute) / 40, -75, 'falling'],
  // A line through whole teeth rises a little, and by less than they are high.
  ['is a saw of ten minutes', (minute: number) => 50 + 10 * (minute % 10), 37.5, 'flat'],
] as const)('when a line %s then its slope and its verdict say so', (_what, of, perHour, verdict) => {
  const trend = trendOf(line(of));
  expect(trend.perHour).toBeGreaterThan(perHour - 15);
  expect(trend.perHour).toBeLessThan(perHour + 15);
  expect(verdictOf(trend, 1)).toBe(verdict);
});

test('when a line rises by less than the slack of its measure then it is flat', () => {
  expect(verdictOf(trendOf(line((minute) => minute / 10)), 5)).toBe('flat');
  expect(verdictOf(trendOf(line((minute) => minute / 10)), 3)).toBe('growing');
});

test('when there are fewer than three points then there is no verdict', () => {
  expect(verdictOf(trendOf([]), 0)).toBe('too short');
  expect(verdictOf(trendOf([[0, 1]]), 0)).toBe('too short');
});
