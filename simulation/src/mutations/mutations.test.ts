import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTATIONS } from './all.ts';
import { mutated } from './mutation.ts';

const textOf = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

test('when the product changes then each mutation still finds its place', () => {
  for (const mutation of MUTATIONS) expect(mutated(textOf(mutation.file), mutation)).not.toBe(textOf(mutation.file));
});

test('when what is to be found stands there twice, or not at all, then a mutation is refused', () => {
  const mutation = { file: 'a.ts', find: 'x', put: '$&', breaks: 'all' };
  expect(mutated('axb', mutation)).toBe('a$&b');
  expect(() => mutated('xx', mutation)).toThrow('2 times');
  expect(() => mutated('ab', mutation)).toThrow('0 times');
});
