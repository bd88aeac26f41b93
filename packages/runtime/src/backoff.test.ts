import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullJitter } from './backoff.ts';

test.each([
  [0, 2000],
  [1, 4000],
  [4, 32_000],
  [5, 60_000],
  [50, 60_000],
])('when retry %i draws the longest wait then it is %i ms', (n, ms) => {
  expect(fullJitter({ random: () => 1 })(n)).toBe(ms);
});

test('whatever the draw, a wait lies between 0 and the cap', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), (n, draw) => {
      const wait = fullJitter({ random: () => draw })(n);
      return wait >= 0 && wait <= 60_000;
    }),
  );
});
