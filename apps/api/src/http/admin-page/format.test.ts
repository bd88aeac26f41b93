import { expect, test } from 'vitest';
import { age, ago, bytes, duration, words } from './format.js';

test.each([
  [0, '0 s'],
  [0.44, '0.4 s'],
  [42.4, '42 s'],
  [60, '1 min'],
  [3599, '59 min'],
  [3600, '1 h'],
  [7500, '2 h 5 min'],
  [86_399, '23 h 59 min'],
  [273_600, '3 d 4 h'],
])('%d seconds are shown as %s', (seconds, text) => {
  expect(age(seconds)).toBe(text);
});

test('sizes, durations and times ago have the unit that fits', () => {
  expect([0, 1023, 1024, 3_250_585, 2 ** 40].map(bytes)).toEqual(['0 B', '1,023 B', '1 KiB', '3.1 MiB', '1 TiB']);
  expect([0.4, 999, 1500].map(duration)).toEqual(['0 ms', '999 ms', '1.5 s']);
  const now = Date.parse('2026-01-31T08:00:00Z');
  expect(['2026-01-31T07:59:58Z', '2026-01-31T07:58:30Z'].map((at) => ago(at, now))).toEqual(['just now', '1 min ago']);
  expect(words('upstream_failed')).toBe('upstream failed');
});
