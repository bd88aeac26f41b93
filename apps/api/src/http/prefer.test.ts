import { expect, test } from 'vitest';
import { preferredWait } from './prefer.ts';

test.each([
  ['wait=1', 1],
  ['wait=60', 60],
  ['WAIT = "60"', 60],
  ['Wait=07', 7],
  ['wait', 60],
  ['wait;x=1', 60],
  ['wait=', 60],
  ['wait=""', 60],
  ['wait=61', 60],
  ['wait=3600', 60],
  [`wait=${'9'.repeat(400)}`, 60],
  ['respond-async, wait=10', 10],
  ['wait=10,respond-async', 10],
  ['respond-async, wait=10; x=1', 10],
  ['return=representation; wait-for="a, b", wait=9', 9],
  ['foo="a \\" , wait=3", wait=8', 8],
  [['respond-async', 'wait=7'], 7],
  ['wait=5, wait=6', 5],
  ['wait=soon, wait=6', 6],
  [', ,wait=4,', 4],
  ['\twait\t=\t4\t', 4],
])('when Prefer is %j then the wait is %j', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds);
});

test.each([
  undefined,
  '',
  'respond-async',
  'waiting=5',
  'wait-5',
  'wait=0',
  'wait="0"',
  'wait=-1',
  'wait=+5',
  'wait=1.5',
  'wait=1e1',
  'wait=x',
  'wait="5',
  'wait=5 6',
  'return; wait=5',
  'foo="wait=5"',
  'foo="a, wait=5, b"',
  `${'"'.repeat(5000)}, wait=5`.slice(0, 4999),
])('when Prefer is %j then nobody waits, and nobody is refused', (header) => {
  expect(preferredWait(header)).toBeUndefined();
});
