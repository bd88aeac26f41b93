import { expect, test } from 'vitest';
import { LONGEST_UPSTREAM_WAIT_MS, throttleWaitMs, upstreamWaitMs } from './upstream-waits.ts';

test.each([
  ['nothing', undefined, 2000],
  ['a time that is over', 0, 2000],
  ['a moment', 1, 1],
  ['half a minute', 30_000, 30_000],
  ['five minutes', 300_000, LONGEST_UPSTREAM_WAIT_MS],
  ['a day', 86_400_000, LONGEST_UPSTREAM_WAIT_MS],
  ['for ever', Number.POSITIVE_INFINITY, LONGEST_UPSTREAM_WAIT_MS],
])('when upstream says %s then the wait is bounded and never none', (_, said, ms) => {
  expect(throttleWaitMs(said, 0)).toBe(ms);
  expect(upstreamWaitMs(said, 2000)).toBe(ms);
});
