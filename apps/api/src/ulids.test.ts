import { expect, test } from 'vitest';
import { createUlids } from './ulids.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const CHANCE = 10;

test('ids of many milliseconds are all different and well formed, over the end of what was drawn at once', () => {
  const newUlid = createUlids();
  const ids = Array.from({ length: 2000 }, (_, i) => newUlid(NOW + i));
  expect(new Set(ids.map((id) => id.slice(CHANCE))).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
});

test('within one millisecond ids grow, and when the clock goes back they still do', () => {
  const newUlid = createUlids();
  const ids = [newUlid(NOW), newUlid(NOW), newUlid(NOW - 5), newUlid(NOW + 1)];
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(4);
});

test('every character is drawn anew, and each value of a byte gives a character', () => {
  let fills = 0;
  const newUlid = createUlids((bytes) => {
    fills += 1;
    for (const i of bytes.keys()) bytes[i] = (i * 8) % 256;
  });
  const ids = Array.from({ length: 257 }, (_, i) => newUlid(NOW + i).slice(CHANCE));
  expect(ids[0]).not.toBe(ids[1]);
  expect([...new Set(ids.join(''))].sort().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
  expect(fills).toBe(2);
});
