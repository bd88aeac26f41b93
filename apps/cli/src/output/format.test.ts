import { expect, test } from 'vitest';
import { ago, between, bytes, count, duration, oneLine, plural, printable } from './format.ts';

test.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [245_000, '4 min 5 s'],
  [3_599_600, '1 h'],
  [12_000_000, '3 h 20 min'],
  [190_800_000, '2 d 5 h'],
])('when a span has %d ms then it reads %s', (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [0, 'now'],
  [40_000, '40 s ago'],
  [200_000, '3 min ago'],
  [5 * 3_600_000, '5 h ago'],
  [49 * 3_600_000, '2 d ago'],
])('when something was %d ms ago then it reads %s', (ms, text) =>
  expect(ago(new Date(1e12 - ms).toISOString(), 1e12)).toBe(text),
);

test('when an instant is missing then a dash stands for it, and what has not ended is measured to now', () => {
  expect([ago(null, 0), between(null, null, 0)]).toEqual(['–', '–']);
  expect(between(new Date(1000).toISOString(), null, 3000)).toBe('2.0 s');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [20 * 1024 * 1024, '20.0 MiB'],
])('when there are %d bytes then it reads %s', (size, text) => expect(bytes(size)).toBe(text));

test('when numbers are long then their digits stand in threes', () => {
  expect([count(999), count(50_000), count(1_234_567)]).toEqual(['999', '50 000', '1 234 567']);
  expect([plural(1, 'job'), plural(2, 'job'), plural(2, 'job is', 'jobs are')]).toEqual(['1 job', '2 jobs', '2 jobs are']);
});

test('when others wrote steering characters of a terminal then none goes through', () => {
  expect(printable('a\u001b[31mb\u0007\tc\nd\u009b2J\r')).toBe('a[31mb\tc\nd2J');
  expect(oneLine(' a\n\tb  c ')).toBe('a b c');
  // What turns the rest of a line around shows another line than was written.
  expect(oneLine('of ann\u202e: nimda \u2066x')).toBe('of ann: nimda x');
});
