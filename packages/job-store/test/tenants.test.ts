import { expect, test } from 'vitest';
import { startStore } from './harness.ts';

test('a secret that was written before there were rotations is read as the only one', async () => {
  const { store, redis } = await startStore();
  await redis.hset('{gj}:tenant:acme', 'webhook_secret', 'v1.00000000.sealed');
  expect((await store.tenants.webhookSecrets('acme')).secrets).toEqual([{ secret: 'v1.00000000.sealed' }]);
  expect((await store.tenants.webhookSecrets('other')).secrets).toEqual([]);
});

test('of two changes of the same secrets one is written, and all processes are notified', async () => {
  const { store, redis } = await startStore();
  const received: string[] = [];
  const receiver = redis.duplicate();
  receiver.on('message', (_channel, tenant) => received.push(tenant));
  await receiver.subscribe('{gj}:secret-changes');
  const before = await store.tenants.webhookSecrets('acme');
  const both = ['a', 'b'].map((secret) => store.tenants.replaceWebhookSecrets('acme', before, [{ secret }]));
  const answers = await Promise.all(both);
  expect(answers).toEqual([true, false]);
  expect((await store.tenants.webhookSecrets('acme')).secrets).toEqual([{ secret: 'a' }]);
  const next = await store.tenants.webhookSecrets('acme');
  expect(await store.tenants.replaceWebhookSecrets('acme', next, [{ secret: 'c' }, { secret: 'a', until: 5 }])).toBe(true);
  expect((await store.tenants.webhookSecrets('acme')).secrets).toEqual([{ secret: 'c' }, { secret: 'a', until: 5 }]);
  await receiver.ping();
  expect(received).toEqual(['acme', 'acme']);
  receiver.disconnect();
});

test('when the answer to a change is lost then the change that is sent again says that it was written', async () => {
  const { store, proxy } = await startStore();
  const before = await store.tenants.webhookSecrets('acme');
  await store.tenants.replaceWebhookSecrets('warm', before, [{ secret: 'a' }]);
  const cut = proxy.cutAfterNextReply((command) => command.name === 'evalsha');
  expect(await store.tenants.replaceWebhookSecrets('acme', before, [{ secret: 'a' }])).toBe(true);
  await cut;
});

test('each tenant that ever had a key is known, and the one of the first key', async () => {
  const { store } = await startStore();
  for (const [tenant, name] of [
    ['acme', 'a'],
    ['acme', 'b'],
    ['b-2', 'c'],
  ] as const) {
    await store.apiKeys.create({ tenant, name, scopes: ['jobs:read'], expiresAt: null, now: 1 });
  }
  expect((await store.tenants.all()).sort()).toEqual(['acme', 'admin', 'b-2']);
});

test('when Redis is full then a key can be revoked all the same', async () => {
  const { store, redis } = await startStore();
  const { key, key_id } = await store.apiKeys.create({ tenant: 'acme', name: 'k', scopes: [], expiresAt: null, now: 1 });
  await redis.config('SET', 'maxmemory', '1');
  expect(await store.apiKeys.remove(key_id)).toMatchObject({ key_id, tenant: 'acme' });
  expect(await store.apiKeys.find(key)).toBeNull();
});

test('when the answer to a revocation is lost then the one that is sent again says that the key was revoked', async () => {
  const { store, proxy } = await startStore();
  const make = async () => await store.apiKeys.create({ tenant: 'acme', name: 'k', scopes: [], expiresAt: null, now: 1 });
  await store.apiKeys.remove((await make()).key_id);
  const { key, key_id } = await make();
  const cut = proxy.cutAfterNextReply((command) => command.name === 'evalsha');
  expect(await store.apiKeys.remove(key_id)).toMatchObject({ key_id });
  await cut;
  expect(await store.apiKeys.find(key)).toBeNull();
});

test('when a key is revoked that was revoked before then that is said for three days, and then it is forgotten', async () => {
  const { store, redis } = await startStore();
  const { key_id } = await store.apiKeys.create({ tenant: 'acme', name: 'k', scopes: [], expiresAt: null, now: 1 });
  expect(await store.apiKeys.remove(key_id)).toMatchObject({ key_id });
  expect(await store.apiKeys.remove(key_id)).toBe('before');
  const left = await redis.pttl(`{gj}:revoked:${key_id}`);
  expect(left).toBeGreaterThan(71 * 3600_000);
  expect(left).toBeLessThanOrEqual(72 * 3600_000);
});
