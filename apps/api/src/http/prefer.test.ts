import { expect, test } from 'vitest';
import { preferredWait } from './prefer.ts';
import { Problem } from './problem.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['respond-async', undefined],
  ['waiting=5', undefined],
  ['wait=1', 1],
  ['WAIT = "60"', 60],
  ['respond-async, wait=10; x=1', 10],
  [['respond-async', 'wait=7'], 7],
])('when Prefer is %j then the wait is %j', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds);
});

test.each(['wait', 'wait=', 'wait=0', 'wait=61', 'wait=-1', 'wait=1.5', 'wait=1e1', 'wait=x'])(
  'when Prefer is %j then it is refused',
  (header) => {
    expect(() => preferredWait(header)).toThrow(Problem);
  },
);
