import { expect, test } from 'vitest';
import { retryInMs, TRIES } from './retry-policy.ts';

const answer = (status: number, retryAfter?: string) =>
  new Response(null, { status, ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }) });

test.each([
  [503, '7', 7000],
  [429, '120', 120_000],
  [429, '121', undefined],
  [409, '2', 2000],
  [409, undefined, undefined],
  [502, undefined, 500],
  [504, 'soon', 500],
  [500, '1', undefined],
  [404, '1', undefined],
])('when %d comes with Retry-After %s then the wait is %s', (status, retryAfter, expected) =>
  expect(retryInMs(answer(status, retryAfter), { attempt: 1, tries: TRIES, random: () => 1 })).toBe(expected),
);

test('when an upload is still counted as open then it is asked again for as long as that of a dead process is', () => {
  const waits = Array.from({ length: 30 }, (_, i) =>
    retryInMs(answer(409, '5'), { attempt: i + 1, tries: TRIES, random: () => 1 }),
  );
  expect(waits.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)).toBeGreaterThan(60_000);
  expect(waits.at(-1)).toBeUndefined();
});

test('when the connection fails then the waits grow, by chance at least half, and end', () => {
  expect([1, 2, 3, 4].map((attempt) => retryInMs(undefined, { attempt, tries: TRIES, random: () => 1 }))).toEqual([
    500, 1000, 2000, 4000,
  ]);
  expect(retryInMs(undefined, { attempt: 2, tries: TRIES, random: () => 0 })).toBe(500);
  expect(retryInMs(undefined, { attempt: TRIES, tries: TRIES, random: () => 0 })).toBeUndefined();
});
