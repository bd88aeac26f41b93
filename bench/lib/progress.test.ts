import { expect, test } from 'vitest';
import { createProgress, minutes, secondsOf } from './progress.ts';
import type { Row } from './row.ts';

const row = (name: string, seconds: number, rounds = 5): Row => ({
  ...{ name, seconds, rounds },
  measures: [{ what: `what ${name} is`, against: '–', unit: 's' }],
  run: async () => [],
});

test('when a row has fewer rounds then it is reckoned to take less, but for what it does once', () => {
  expect(secondsOf(row('a', 100), undefined)).toBe(100);
  expect(secondsOf(row('a', 100), 1)).toBeCloseTo(36);
});

test('when rows take longer than they say then the rest is reckoned to do so too', () => {
  const [first, second, third] = [row('first', 100), row('second', 300), row('third', 300)];
  let now = 0;
  const progress = createProgress([first, second, third], undefined, () => now);
  expect(progress.begin(first)).toBe('[1 of 3, about 12 min to go] first: what first is');
  now += 200_000;
  progress.end(first);
  expect(progress.begin(second)).toBe('[2 of 3, about 20 min to go] second: what second is');
  now += 600_000;
  progress.end(second);
  expect(progress.summary()).toBe('Took 13 min in all; seconds: `first` 200 · `second` 600');
});

test('when little is left then it is told in seconds', () => {
  expect([2, 42, 89, 91, 600].map(minutes)).toEqual(['5 s', '40 s', '90 s', '2 min', '10 min']);
});
