import { expect, test } from 'vitest';
import { Kept } from './kept.ts';

test.each([1, 7, 4_100])('when an answer comes in views of %i bytes on reads of 64 KiB, then no read is kept', (size) => {
  const kept = new Kept();
  for (let at = 0; at < 10_000; at += size) kept.add(Buffer.alloc(65_536, 'a').subarray(0, size), 4_100);
  expect(kept.bytes.toString()).toBe('a'.repeat(4_100));
  expect(kept.capacity).toBe(4_100);
});

test('when little came, then little is kept, in its order', () => {
  const kept = new Kept();
  for (const part of ['ab', '', 'c']) kept.add(Buffer.from(part), 65_536);
  expect(kept.bytes.toString()).toBe('abc');
  expect(kept.capacity).toBeLessThanOrEqual(1_024);
});
