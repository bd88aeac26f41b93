import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createKeyring, type KeptSecrets } from './keyring.ts';
import { createSecretBox, SecretBoxError } from './secret-box.ts';
import type { DatedSecret } from './secrets.ts';

const HOUR = 3_600_000;
const key = (): string => randomBytes(32).toString('base64');

/** A store that keeps texts, as Redis does; `between` runs once between a read and the write that follows it. */
function shelf() {
  const texts = new Map<string, string>();
  const state = { between: async (): Promise<void> => {}, writes: 0 };
  return {
    texts,
    state,
    async webhookSecrets(tenant: string): Promise<KeptSecrets> {
      const text = texts.get(tenant) ?? '';
      return { text, secrets: text === '' ? [] : (JSON.parse(text) as DatedSecret[]) };
    },
    async replaceWebhookSecrets(tenant: string, before: KeptSecrets, after: readonly DatedSecret[]): Promise<boolean> {
      const { between } = state;
      state.between = async () => {};
      await between();
      if ((texts.get(tenant) ?? '') !== before.text) return false;
      state.writes += 1;
      texts.set(tenant, JSON.stringify(after));
      return true;
    },
  };
}

function ring(o: { keys?: string; store?: ReturnType<typeof shelf>; names?: string } = {}) {
  const store = o.store ?? shelf();
  let now = 0;
  let made = 0;
  const keyring = createKeyring({
    store,
    box: createSecretBox(o.keys ?? key()),
    newSecret: () => `${o.names ?? 's'}${++made}`,
    clock: { now: () => now },
  });
  return {
    keyring,
    store,
    at: (ms: number) => {
      now = ms;
    },
  };
}

test('a tenant gets a secret at the first question and keeps it, each its own', async () => {
  const { keyring, store } = ring();
  expect(await keyring.read('acme')).toEqual([{ secret: 's1' }]);
  expect(await keyring.read('acme')).toEqual([{ secret: 's1' }]);
  expect(await keyring.read('other')).toEqual([{ secret: 's2' }]);
  expect(store.state.writes).toBe(2);
  expect(store.texts.get('acme')).not.toContain('s1"');
});

test('after a rotation the new secret stands in front and the old one signs along until the overlap is over', async () => {
  const { keyring, at } = ring();
  await keyring.read('acme');
  expect(await keyring.rotate('acme', HOUR)).toEqual([{ secret: 's2' }, { secret: 's1', until: HOUR }]);
  expect(await keyring.read('acme')).toEqual([{ secret: 's2' }, { secret: 's1', until: HOUR }]);
  at(HOUR);
  expect(await keyring.read('acme')).toEqual([{ secret: 's2' }]);
});

test('a tenant that never had a secret gets its first one by a rotation', async () => {
  expect(await ring().keyring.rotate('acme', HOUR)).toEqual([{ secret: 's1' }]);
});

test('when another rotation comes in between then both count, one after the other', async () => {
  const keys = key();
  const store = shelf();
  const [one, two] = [ring({ keys, store, names: 'a' }), ring({ keys, store, names: 'b' })];
  await one.keyring.read('acme');
  store.state.between = async () => {
    await two.keyring.rotate('acme', HOUR);
  };
  expect((await one.keyring.rotate('acme', HOUR)).map(({ secret }) => secret)).toEqual(['a3', 'b1', 'a1']);
});

test('when the first secret is made by two at once then both answer the one that was kept', async () => {
  const keys = key();
  const store = shelf();
  const [one, two] = [ring({ keys, store, names: 'a' }), ring({ keys, store, names: 'b' })];
  store.state.between = async () => {
    await two.keyring.read('acme');
  };
  expect(await one.keyring.read('acme')).toEqual([{ secret: 'b1' }]);
});

test('a secret under an older key is sealed anew when it is read, and then opens without the older key', async () => {
  const [old, fresh] = [key(), key()];
  const store = shelf();
  const before = ring({ keys: old, store }).keyring;
  await before.read('acme');
  await before.rotate('acme', HOUR);
  const both = ring({ keys: `${fresh},${old}`, store }).keyring;
  expect(await both.read('acme')).toEqual([{ secret: 's2' }, { secret: 's1', until: HOUR }]);
  const { writes } = store.state;
  await both.read('acme');
  expect(store.state.writes).toBe(writes);
  expect(await ring({ keys: fresh, store }).keyring.read('acme')).toEqual([{ secret: 's2' }, { secret: 's1', until: HOUR }]);
});

test('when no key opens a secret any more then reading says so and a rotation gives the tenant a new one', async () => {
  const store = shelf();
  await ring({ store }).keyring.read('acme');
  const { keyring } = ring({ store, names: 'new' });
  await expect(keyring.read('acme')).rejects.toThrow(SecretBoxError);
  expect(await keyring.rotate('acme', HOUR)).toEqual([{ secret: 'new1' }]);
  expect(await keyring.read('acme')).toEqual([{ secret: 'new1' }]);
});
