import { expect, test } from 'vitest';
import { instant, pairs, positive, seconds, size, whole, words } from './values.ts';

test.each([
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['15min', 900],
  ['2h', 7200],
  ['1d', 86_400],
])('when a span is %s then it is %d seconds', (text, expected) => expect(seconds(text)).toBe(expected));

test.each(['', 'x', '-1', '1.5h', '2 h', '1w', '1e3', '9999999999'])('when a span is "%s" then it is refused', (text) =>
  expect(() => seconds(text)).toThrow('must be a span'),
);

test.each([
  ['2h', '2026-05-01T10:00:00.000Z'],
  ['2026-05-01T12:00:00Z', '2026-05-01T12:00:00.000Z'],
  ['2026-05-01T12:00:00+02:00', '2026-05-01T10:00:00.000Z'],
  ['2026-05-01', '2026-05-01T00:00:00.000Z'],
])('when a time is %s then it is %s', (text, expected) =>
  expect(instant(() => Date.parse('2026-05-01T12:00:00Z'))(text)).toBe(expected),
);

test.each(['yesterday', '12', '2026-13-01', ''])('when a time is "%s" then it is refused', (text) =>
  expect(() => instant(() => 0)(text)).toThrow('must be a time'),
);

test('when numbers, pairs and lists are given then they are read, and wrong ones refused', () => {
  expect([positive('1'), whole('0')]).toEqual([1, 0]);
  for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => positive(text)).toThrow('1 or more');
  expect(() => whole('-1')).toThrow();
  expect(pairs('b=2=3', { a: '1' })).toEqual({ a: '1', b: '2=3' });
  for (const text of ['=x', 'x', '']) expect(() => pairs(text)).toThrow('name=value');
  expect(words('b, c,', ['a'])).toEqual(['a', 'b', 'c']);
});

test('when a size is given then it is in bytes, and what is none is refused', () => {
  expect(['0', '17', '17b', '2kb', '500MB', '10gb'].map(size)).toEqual([0, 17, 17, 2048, 500 * 1024 ** 2, 10 * 1024 ** 3]);
  for (const text of ['', '-1', '1.5gb', '10g', 'x', '1tb', '9999999999999']) expect(() => size(text), text).toThrow('10gb');
});
