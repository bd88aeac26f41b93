import { endpointRef } from '@grsai-jobs/job-store';
import { expect, test } from 'vitest';
import { createHeldBack } from './held-back.ts';

const at = (tenant: string, path = 'hook') => endpointRef(tenant, `https://caller.example/${path}`);

test('when endpoints are held back then each comes out once, in their order, for its own tenant', () => {
  const held = createHeldBack();
  for (const each of [at('a', '1'), at('b', '1'), at('a', '2'), at('a', '1')]) held.add(each);
  expect([held.takeOne('a'), held.takeOne('a'), held.takeOne('a')]).toEqual([at('a', '1'), at('a', '2'), null]);
  expect([held.takeOne('b'), held.size()]).toEqual([at('b', '1'), 0]);
});

test('when far more tenants and endpoints are held back than are remembered then memory is bounded, and there is room again later', () => {
  const held = createHeldBack({ endpoints: 3, tenants: 2 });
  for (const tenant of ['a', 'b', 'c', 'd']) for (const path of ['1', '2', '3', '4', '5']) held.add(at(tenant, path));
  expect(held.size()).toBe(6);
  expect(held.takeOne('c')).toBeNull();
  while (held.takeOne('a') !== null);
  held.add(at('c'));
  expect(held.takeOne('c')).toEqual(at('c'));
});
