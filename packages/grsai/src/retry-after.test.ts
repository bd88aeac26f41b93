import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.parse('2026-10-01T12:00:00Z');
const DAY = 86_400_000;

test.each<[string, string | readonly string[] | undefined, number | undefined]>([
  ['nothing', undefined, undefined],
  ['an empty text', '', undefined],
  ['an empty list', [], undefined],
  ['seconds', '7', 7000],
  ['seconds between spaces', ' 7 ', 7000],
  ['seconds in quotes', '"7"', 7000],
  ['zero', '0', 0],
  ['a fraction', '0.5', 500],
  ['seconds with their unit', '120s', 120_000],
  ['seconds in words', '30 seconds', 30_000],
  ['milliseconds with their unit', '1500ms', 1500],
  ['minutes with their unit', '2 min', 120_000],
  ['a date to come', 'Thu, 01 Oct 2026 12:00:10 GMT', 10_000],
  ['a date of RFC 850', 'Thursday, 01-Oct-26 12:00:10 GMT', 10_000],
  ['a date of asctime, which is in UTC', 'Thu Oct  1 12:00:10 2026', 10_000],
  ['a date without a zone', 'Thu, 01 Oct 2026 12:00:10', 10_000],
  ['a date with an offset', 'Thu, 01 Oct 2026 20:00:10 +0800', 10_000],
  ['a date that is over', 'Thu, 01 Oct 2026 11:00:00 GMT', 0],
  ['an ISO date', '2026-10-01T12:00:10Z', 10_000],
  ['an ISO date with an offset', '2026-10-01T20:00:10.500+08:00', 10_500],
  ['an ISO date with a short offset', '2026-10-01T20:00:10+0800', 10_000],
  ['an ISO date without a zone, with a space', '2026-10-01 12:00:10', 10_000],
  ['epoch seconds', String(NOW / 1000 + 5), 5000],
  ['epoch seconds with a fraction', `${NOW / 1000 + 5}.25`, 5250],
  ['epoch seconds that are over', '1764000005', 0],
  ['epoch seconds far away', '4102444800', DAY],
  ['epoch milliseconds', String(NOW + 5000), 5000],
  ['epoch microseconds', `${NOW + 5000}000`, 5000],
  ['the longest number that is no time', '999999999', DAY],
  ['more than a day', '86401', DAY],
  ['a number without end', '9'.repeat(400), DAY],
  ['two header lines', ['3', '4'], 3000],
  ['a list in one line', '3, 4', 3000],
  ['a negative number', '-5', undefined],
  ['a number with a sign', '+5', undefined],
  ['an exponent', '1e3', undefined],
  ['hex', '0x10', undefined],
  ['not a number', 'NaN', undefined],
  ['infinity', 'Infinity', undefined],
  ['a day without a time', '2026-10-01', undefined],
  ['a date of no month', 'Thu, 99 Foo 2026 12:00:10 GMT', undefined],
  ['a day alone', 'Monday', undefined],
  ['junk', 'soon', undefined],
  ['a number before junk', '5 apples', undefined],
])('Retry-After of %s', (_, header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
