import { expect, test } from 'vitest';
import { gatherBytes } from './gather-bytes.ts';

test('when chunks are views of what was read from a socket then a copy of them is kept, and little more', () => {
  const read = Buffer.alloc(64 * 1024, 'a');
  const gathered = gatherBytes(20_000_000);
  for (let i = 0; i < 10_000; i += 1) gathered.add(read.subarray(i, i + 1));
  read.fill('b');
  const bytes = gathered.bytes();
  expect(bytes).toEqual(Buffer.alloc(10_000, 'a'));
  expect(bytes.buffer.byteLength).toBeLessThan(20_000);
});

test('when a body is of the length that was declared then no more is taken for it', () => {
  const gathered = gatherBytes(10_000);
  for (let i = 0; i < 10; i += 1) gathered.add(Buffer.alloc(1000, i));
  expect(gathered.size()).toBe(10_000);
  expect(gathered.bytes().buffer.byteLength).toBe(10_000);
});
