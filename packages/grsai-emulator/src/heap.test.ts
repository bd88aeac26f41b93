import { expect, test } from 'vitest';
import { MinHeap } from './heap.ts';
import { unit } from './random.ts';

test('what is due comes out in order, and nothing else does', () => {
  const heap = new MinHeap<number>();
  const keys = Array.from({ length: 500 }, (_, i) => Math.floor(unit('heap', i) * 1000));
  for (const key of keys) heap.push(key, key);
  const out: number[] = [];
  for (let next = heap.popUpTo(600); next !== undefined; next = heap.popUpTo(600)) out.push(next);
  expect(out).toEqual(keys.filter((key) => key <= 600).sort((a, b) => a - b));
  expect(heap.size).toBe(500 - out.length);
});
