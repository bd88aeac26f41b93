import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const NOW = Date.parse('1994-11-06T08:49:07Z');

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['86401', 86_400_000],
  ['9'.repeat(400), 86_400_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 30_000],
  ['Sun Nov  6 08:49:37 1994', 30_000],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ['Sun, 06 Nov 2094 08:49:37 GMT', 86_400_000],
  [['5', '9'], 5_000],
])('%j is a wait of %d ms', (header, ms) => expect(parseRetryAfter(header, NOW)).toBe(ms));

test.each([undefined, '', [], '-1', '1.5', '1e3', 'soon', '1994-11-06', 'Sun, 99 Foo 1994 08:49:37 GMT', 'Monday'])(
  '%j says nothing',
  (header) => expect(parseRetryAfter(header, NOW)).toBeUndefined(),
);
