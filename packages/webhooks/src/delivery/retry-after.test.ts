import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const NOW = Date.parse('2026-10-01T12:00:00Z');

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['1.5', 1500],
  ['120s', 120_000],
  ['1500 ms', 1500],
  ['86401', 86_400_000],
  ['9'.repeat(400), 86_400_000],
  ['Thu, 01 Oct 2026 12:00:30 GMT', 30_000],
  ['Thursday, 01-Oct-26 12:00:30 GMT', 30_000],
  ['Thu Oct  1 12:00:30 2026', 30_000],
  ['Thu, 01 Oct 2026 11:00:00 GMT', 0],
  ['Sun, 06 Nov 2094 08:49:37 GMT', 86_400_000],
  ['2026-10-01T12:00:30Z', 30_000],
  ['2026-10-01 20:00:30+08:00', 30_000],
  [String(NOW / 1000 + 30), 30_000],
  [String(NOW + 30_000), 30_000],
  ['1764000005', 0],
  ['5, 9', 5000],
  [['5', '9'], 5_000],
])('%j is a wait of %d ms', (header, ms) => expect(parseRetryAfter(header, NOW)).toBe(ms));

test.each([undefined, '', [], '-1', '1e3', 'NaN', 'soon', '2026-10-01', 'Thu, 99 Foo 2026 12:00:37 GMT', 'Monday'])(
  '%j says nothing',
  (header) => expect(parseRetryAfter(header, NOW)).toBeUndefined(),
);
