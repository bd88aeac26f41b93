import { expect, test } from 'vitest';
import { createTenantLimits } from './limits.ts';

test('when limits are set while they are being read then who reads gets an answer, and the new ones are known', async () => {
  const answer = Promise.withResolvers<string>();
  const limits = createTenantLimits(
    { hget: () => answer.promise },
    async () => undefined as never,
    { tenant: (name) => name, inflight: 'inflight', spent: 'spent' },
    { now: () => 0 },
  );
  const read = limits.recent('acme');
  await limits.replace('acme', { max_in_flight: 3 });
  answer.resolve('{"max_in_flight":20}');
  expect([20, 3]).toContain((await read).max_in_flight);
  expect(limits.known('acme')).toEqual({ max_in_flight: 3 });
  expect(await limits.recent('acme')).toEqual({ max_in_flight: 3 });
});
