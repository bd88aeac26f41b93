import { expect, test } from 'vitest';
import { createBreaker } from './breaker.ts';

const notes = (text: string) => {
  const breaker = createBreaker();
  return [...text].map((each) => breaker.note(each === 'x'));
};

test.each([
  ['seven of seven', 'xxxxxxx', false],
  ['eight of eight', 'xxxxxxxx', true],
  ['eight of ten', '.x.xxxxxxx', true],
  ['eight of eleven', 'x..xxxxxx.x', false],
  ['seven of ten', '...xxxxxxx', false],
])('when %s calls were bad then upstream is called down: %s → %s', (_what, seen, down) => {
  expect(notes(seen).at(-1)).toBe(down);
});
