import type { BaseState } from '@grsai-jobs/grsai';
import { expect, test } from 'vitest';
import { judgeBases } from './upstream-checks.ts';

test.each<[BaseState[], string, RegExp]>([
  [['right'], 'ok', /^undefined$/],
  [['right', 'right'], 'ok', /^undefined$/],
  [['away', 'right'], 'ok', /^undefined$/],
  [['wrong'], 'failing', /GRSAI_BASE_URLS: the address is not that of a Grsai API \(HTTP 404\)/],
  [['wrong', 'right'], 'failing', /address 1 of 2/],
  [['away', 'wrong'], 'failing', /address 2 of 2/],
  [['right', 'wrong'], 'warn', /address 2 of 2/],
  [['away'], 'warn', /cannot be reached \(HTTP 404\)/],
  [['away', 'away'], 'warn', /cannot be reached/],
])('when the bases are %j then the upstream is %s', (states, state, reason) => {
  const found = judgeBases(states.map((each) => ({ state: each, seen: 'HTTP 404' })));
  expect(found.state).toBe(state);
  expect(String('reason' in found ? found.reason : undefined)).toMatch(reason);
});
