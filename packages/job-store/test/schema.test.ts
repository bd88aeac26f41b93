import { createScripts } from '@grsai-jobs/redis';
import { startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createKeys } from '../src/layout/keys.ts';
import { LUA_LIBRARY } from '../src/layout/lua-library.ts';
import type { Migration } from '../src/layout/migrations.ts';
import { createSchema, watchSchema } from '../src/layout/schema.ts';
import { timers } from './harness.ts';

const KEY = '{gj}:schema';

async function start() {
  const server = await startRedis();
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const o = { redis, run: createScripts(redis, LUA_LIBRARY), keys: createKeys('gj') };
  /** What a release of that version has; each migration that ran is in `ran`. */
  const release = (version: number, more: Readonly<Record<number, Migration>> = {}) => {
    const ran: number[] = [];
    const noting = (from: number) => async () => void ran.push(from);
    const all = Array.from({ length: version - 1 }, (_, i) => [i + 1, more[i + 1] ?? noting(i + 1)] as const);
    return { ...createSchema(o, { version, migrations: Object.fromEntries(all) }), ran };
  };
  return { redis, release, shipped: createSchema(o) };
}

test('when Redis is empty then the first start writes the version of its release, and no other key', async () => {
  const { redis, release, shipped } = await start();
  await Promise.all([shipped.open(), shipped.open()]);
  expect(await redis.keys('*')).toEqual([KEY]);
  await redis.flushall();
  const second = release(2);
  await second.open();
  expect([await redis.get(KEY), second.ran]).toEqual(['2', []]);
  expect(await second.trouble()).toBeUndefined();
});

test('when two releases start at once on an empty Redis then the first to write its version decides, and the other acts on it', async () => {
  const { redis, release } = await start();
  for (const olderFirst of [true, false]) {
    const [older, newer] = [release(1), release(2)];
    const opened = olderFirst ? [older.open(), newer.open()] : [newer.open(), older.open()];
    const [first, second] = await Promise.allSettled(opened);
    const [ofOlder, ofNewer] = olderFirst ? [first, second] : [second, first];
    // Whichever of the two came first: the older one is gone unless it was first, and then its data was brought up to date.
    expect([ofNewer?.status, await redis.get(KEY)]).toEqual(['fulfilled', '2']);
    expect(newer.ran).toEqual(ofOlder?.status === 'fulfilled' ? [1] : []);
    await redis.flushall();
  }
});

test.each([
  ['a newer version', '2', 'start the release that wrote it or a later one'],
  ['a migration to a newer version', '1>2', 'schema version 2'],
  ['something else', 'two', 'restore it from a backup'],
])(
  'when the key holds %s then a release of version 1 refuses to start, has trouble, and leaves the key alone',
  async (_, text, says) => {
    const { redis, release } = await start();
    await redis.set(KEY, text);
    const first = release(1);
    await expect(first.open()).rejects.toThrow(says);
    expect(await first.trouble().catch(({ message }: Error) => message)).toContain(says);
    expect(await redis.get(KEY)).toBe(text);
  },
);

test('when a release without the key wrote the data then it is of version 1, and is brought up to date version by version', async () => {
  const { redis, release } = await start();
  await redis.sadd('{gj}:tenants', 'acme');
  const third = release(3);
  await third.open();
  expect([await redis.get(KEY), third.ran]).toEqual(['3', [1, 2]]);
});

test('when a migration breaks off then older releases stay out, and the next start runs it again', async () => {
  const { redis, release } = await start();
  const first = release(1);
  await first.open();
  const seen: unknown[] = [];
  const broken = release(2, {
    1: async () => {
      seen.push(await first.trouble());
      throw new Error('Redis went away');
    },
  });
  await expect(broken.open()).rejects.toThrow('Redis went away');
  expect(seen).toEqual([expect.stringContaining('schema version 2')]);
  await expect(first.open()).rejects.toThrow('schema version 2');
  const next = release(2);
  await next.open();
  expect([await redis.get(KEY), next.ran]).toEqual(['2', [1]]);
});

test('when a release lacks a migration then it says which one it cannot make', async () => {
  const { redis, release } = await start();
  await redis.set(KEY, '0');
  await expect(release(2).open()).rejects.toThrow('schema version 0, which this release cannot bring to 1');
});

test('when Redis is set back to older data then a running process has to stop, and its next start brings it up to date', async () => {
  const { redis, release } = await start();
  const second = release(2);
  await second.open();
  await redis.set(KEY, '1');
  expect(await second.trouble()).toContain('set back to schema version 1');
  await second.open();
  expect(await second.trouble()).toBeUndefined();
});

test('when Redis does not answer then the watch concludes nothing, and when the data is newer then it says so', async () => {
  const { redis, release } = await start();
  const first = release(1);
  await first.open();
  const errors: Error[] = [];
  redis.disconnect();
  const watch = watchSchema(first, (error) => errors.push(error), timers, 5);
  onTestFinished(() => watch.stop());
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  expect(watch.trouble()).toBeUndefined();
  await redis.connect();
  await redis.set(KEY, '2');
  expect(await watch.mustStop).toContain('schema version 2');
  expect(watch.trouble()).toBe(await watch.mustStop);
});
