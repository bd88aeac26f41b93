import { expect, test } from 'vitest';
import { inGroups } from './in-groups.ts';

const MIB = 1024 * 1024;
const sizes = (...bytes: number[]) =>
  inGroups(
    bytes.map((each) => ({ bytes: each })),
    3,
  ).map((group) => group.map(({ bytes: each }) => each));

test('when items are small then a group has as many as are allowed, and when they are large then few or one', () => {
  expect(sizes()).toEqual([]);
  expect(sizes(1, 2, 3, 4)).toEqual([[1, 2, 3], [4]]);
  expect(sizes(MIB, 3 * MIB, 1, 8 * MIB, 8 * MIB, 1)).toEqual([[MIB, 3 * MIB], [1], [8 * MIB], [8 * MIB], [1]]);
});
