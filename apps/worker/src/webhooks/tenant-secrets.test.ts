import { systemTimers } from '@grsai-jobs/runtime';
import type { DatedSecret } from '@grsai-jobs/webhooks';
import { expect, test } from 'vitest';
import { createTenantSecrets } from './tenant-secrets.ts';

/** A keyring whose answers come when the test says so. */
function startSecrets() {
  let now = 0;
  let elapsed = 1;
  const reads: ((secrets: readonly DatedSecret[]) => void)[] = [];
  const secrets = createTenantSecrets({
    keyring: { read: () => new Promise((resolve) => reads.push(resolve)) },
    keyOf: (secret) => secret,
    clock: { now: () => now },
    timers: { elapsed: () => elapsed },
  });
  return {
    secrets,
    reads,
    answer: async (...list: readonly DatedSecret[]) => reads.at(-1)?.(list),
    at: (ms: number) => {
      now = ms;
    },
    pass: (ms: number) => {
      elapsed += ms;
    },
  };
}

test('while changes arrive a tenant is read once, also by many attempts at once', async () => {
  const { secrets, reads, answer } = startSecrets();
  secrets.subscribed();
  const both = Promise.all([secrets.of('acme'), secrets.of('acme')]);
  await answer({ secret: 'a' });
  expect(await both).toEqual([['a'], ['a']]);
  expect(await secrets.of('acme')).toEqual(['a']);
  expect(reads).toHaveLength(1);
});

test('when a minute is over then a tenant is read again, whatever has arrived', async () => {
  const { secrets, reads, answer, pass } = startSecrets();
  secrets.subscribed();
  for (const ms of [0, 59_000, 2000]) {
    pass(ms);
    const read = secrets.of('acme');
    await answer({ secret: 'a' });
    expect(await read).toEqual(['a']);
  }
  expect(reads).toHaveLength(2);
});

test('when a change arrives while a read is under way then what that read brings is not believed later', async () => {
  const { secrets, reads, answer } = startSecrets();
  secrets.subscribed();
  const before = secrets.of('acme');
  secrets.changed('acme');
  await answer({ secret: 'old' });
  expect(await before).toEqual(['old']);
  const after = secrets.of('acme');
  await answer({ secret: 'new' });
  expect(await after).toEqual(['new']);
  expect(reads).toHaveLength(2);
});

test('while changes are missed each attempt reads, and what was known before is forgotten when they arrive again', async () => {
  const { secrets, reads, answer } = startSecrets();
  secrets.subscribed();
  const first = secrets.of('acme');
  await answer({ secret: 'a' });
  await first;
  secrets.disconnected();
  for (const n of [2, 3]) {
    const each = secrets.of('acme');
    expect(reads).toHaveLength(n);
    await answer({ secret: 'b' });
    expect(await each).toEqual(['b']);
  }
  secrets.subscribed();
  const again = secrets.of('acme');
  await answer({ secret: 'c' });
  expect(await again).toEqual(['c']);
});

test('a secret that was read before its end signs no longer after it', async () => {
  const { secrets, answer, at } = startSecrets();
  secrets.subscribed();
  const during = secrets.of('acme');
  await answer({ secret: 'new' }, { secret: 'old', until: 100 });
  expect(await during).toEqual(['new', 'old']);
  at(100);
  expect(await secrets.of('acme')).toEqual(['new']);
});

test('when a read fails then the next attempt reads again', async () => {
  let reads = 0;
  const keyring = {
    read: async () => {
      reads += 1;
      if (reads === 1) throw new Error('away');
      return [{ secret: 'a' }];
    },
  };
  const secrets = createTenantSecrets({ keyring, keyOf: (secret) => secret, clock: { now: () => 0 }, timers: systemTimers });
  secrets.subscribed();
  await expect(secrets.of('acme')).rejects.toThrow('away');
  expect(await secrets.of('acme')).toEqual(['a']);
});
