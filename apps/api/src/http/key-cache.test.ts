import type { Principal } from '@grsai-jobs/job-store';
import { expect, test } from 'vitest';
import { createKeyCache } from './key-cache.ts';

const principal: Principal = { key_id: 'key_1', tenant: 'acme', name: 'k', scopes: [], expires_at: null };

function counted() {
  const cache = createKeyCache();
  let looks = 0;
  const find = () =>
    cache.find('gj_x', async () => {
      looks += 1;
      return principal;
    });
  return { cache, find, looks: () => looks };
}

test('when revocations arrive then a key is looked up once, and again after one', async () => {
  const { cache, find, looks } = counted();
  cache.subscribed();
  await find();
  await find();
  expect(looks()).toBe(1);
  cache.forget();
  await find();
  expect(looks()).toBe(2);
});

test('when revocations may be missed then each request looks up, and what was known is not believed again', async () => {
  const { cache, find, looks } = counted();
  await find();
  await find();
  expect(looks()).toBe(2);
  cache.subscribed();
  await find();
  cache.disconnected();
  await find();
  await find();
  cache.subscribed();
  await find();
  expect(looks()).toBe(6);
});

test('when a key is revoked while it is looked up then the answer is not kept', async () => {
  const cache = createKeyCache();
  cache.subscribed();
  const { promise, resolve } = Promise.withResolvers<Principal | null>();
  const slow = cache.find('gj_x', () => promise);
  cache.forget();
  resolve(principal);
  expect(await slow).toEqual(principal);
  expect(await cache.find('gj_x', async () => null)).toBeNull();
});
