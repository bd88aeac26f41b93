import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.parse('2026-10-01T12:00:00Z');

test.each<[string, string | string[] | undefined, number | undefined]>([
  ['nothing', undefined, undefined],
  ['an empty text', '', undefined],
  ['seconds', '7', 7000],
  ['a fraction', '0.5', 500],
  ['a date to come', 'Thu, 01 Oct 2026 12:00:10 GMT', 10_000],
  ['a date that is over', 'Thu, 01 Oct 2026 11:00:00 GMT', 0],
  ['more than a day', '9'.repeat(400), 86_400_000],
  ['a list', ['3', '4'], 3000],
  ['junk', 'soon', undefined],
])('Retry-After of %s', (_, header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
