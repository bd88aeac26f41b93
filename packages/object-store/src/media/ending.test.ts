import { expect, test } from 'vitest';
import { Ending } from './ending.ts';

const reached = (contentType: string, file: string, size = 7): boolean => {
  const ending = new Ending(contentType);
  const bytes = Buffer.from(file, 'latin1');
  for (let at = 0; at < bytes.length; at += size) ending.feed(bytes.subarray(at, at + size));
  return ending.reached;
};

test.each<[string, string, boolean]>([
  ['image/png', `${'x'.repeat(9000)}IEND\xae\x42\x60\x82`, true],
  ['image/png', `IEND${'x'.repeat(9000)}`, false],
  ['image/jpeg', `${'x'.repeat(9000)}\xff\xd9${'\0'.repeat(100)}`, true],
  ['image/jpeg', 'x'.repeat(9000), false],
  ['image/gif', `${'x'.repeat(9000)}\x3b`, true],
  ['image/gif', 'x'.repeat(9000), false],
  ['image/webp', 'x', true],
  ['video/mp4', 'x', true],
  ['image/png', '', false],
])('when %s passes by then whether it came to its end is known', (contentType, file, whole) => {
  for (const size of [1, 7, 20_000]) expect(reached(contentType, file, size)).toBe(whole);
});
