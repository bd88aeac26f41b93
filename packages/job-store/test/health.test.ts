import { startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createJobStore } from '../src/index.ts';

async function healthOf(args: readonly string[], appendonly: 'no' | 'everysec' = 'no', user = '') {
  const server = await startRedis({ appendonly, args });
  const redis = new Redis(server.url.replace('redis://', `redis://${user}`));
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const clock = { now: () => 0 };
  return { redis, health: createJobStore({ redis, prefix: 'gj', clock }).health };
}

test('when a managed Redis refuses CONFIG then nobody knows how it keeps its data, and with an append-only file all is well', async () => {
  const renamed = await healthOf(['--rename-command', 'CONFIG', '']);
  expect(await renamed.health.persistence()).toMatchObject({ state: 'unknown' });
  expect((await renamed.health.facts()).appendfsync).toBe('unknown');
  const limited = await healthOf(['--user', 'app', 'on', '>pw', '~*', '&*', '+@all', '-config'], 'no', 'app:pw@');
  expect(await limited.health.persistence()).toMatchObject({ state: 'unknown' });
  const kept = await healthOf(['--rename-command', 'CONFIG', ''], 'everysec');
  expect(await kept.health.persistence()).toEqual({ state: 'ok' });
  expect((await kept.health.facts()).appendfsync).toBe('unknown');
});

test('when the append-only file is switched on then the warning is over, and facts say how it is written', async () => {
  const { redis, health } = await healthOf([]);
  expect(await health.persistence()).toMatchObject({ state: 'warn' });
  expect((await health.facts()).appendfsync).toBe('off');
  await redis.config('SET', 'appendonly', 'yes');
  await redis.config('SET', 'appendfsync', 'always');
  await expect.poll(() => health.persistence()).toEqual({ state: 'ok' });
  expect((await health.facts()).appendfsync).toBe('always');
});

test('when Redis cannot save to its disk then that is said, and its refusal of writes as well', async () => {
  const { redis, health } = await healthOf(['--save', '3600 1', '--enable-protected-configs', 'yes']);
  await redis.set('gj', 1);
  await redis.config('SET', 'dir', '/proc');
  await redis.bgsave();
  await expect
    .poll(async () => (await health.persistence()) as { reason?: string })
    .toMatchObject({
      state: 'warn',
      reason: expect.stringContaining('rdb_last_bgsave_status'),
    });
  await expect(health.write()).rejects.toThrow('MISCONF');
});

test('when what was answered has to be on disk then Redis has to write it there first, else nothing starts', async () => {
  const { redis, health } = await healthOf([], 'everysec');
  const refusal = () => health.require(() => undefined, 'disk').then(() => '', String);
  expect(await refusal()).toMatch(/REDIS_DURABILITY is disk.*appendfsync everysec: set appendonly yes and appendfsync always/);
  await redis.config('SET', 'appendfsync', 'always');
  expect(await refusal()).toBe('');
  await redis.config('SET', 'appendonly', 'no');
  expect(await refusal()).toMatch(/no append-only file/);
});
