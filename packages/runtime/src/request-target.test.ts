import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTarget } from './request-target.ts';

test.each([
  ['/livez', '/livez'],
  ['/livez?verbose', '/livez'],
  ['//', '//'],
  ['//livez', '//livez'],
  ['//[', '//['],
  ['//a:99999/', '//a:99999/'],
  ['/%zz', '/%zz'],
  ['/%00', '/%00'],
  ['/a/../livez', '/livez'],
  ['http://any.host:1/livez', '/livez'],
  ['https://any.host', '/'],
])('when the target is %s then its path is %s', (target, path) => {
  expect(readTarget(target)?.pathname).toBe(path);
});

test.each([
  '',
  '*',
  'http://[',
  'http://[::1',
  'http://',
  'http://a:99999/',
  'a:443',
  'livez',
  '?',
  '#',
  'file:///livez',
  `/${'a'.repeat(2048)}`,
])('when the target is %j then it names no path', (target) => {
  expect(readTarget(target)).toBeNull();
});

test('when the target is missing, or any text at all, then reading it never throws', () => {
  expect(readTarget(undefined)).toBeNull();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.webUrl(),
        fc.string().map((text) => `//${text}`),
      ),
      (text) => void readTarget(text),
    ),
  );
});
