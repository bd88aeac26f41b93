import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../src/redis.ts';
import type { RedisOptions } from '../src/redis-backend.ts';

async function redisWith(options: RedisOptions = {}) {
  const server = await startRedis(options, { ...process.env, TEST_REDIS_URL: '' });
  onTestFinished(() => server.stop());
  const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return { server, client };
}

describe('startRedis', () => {
  test('a fresh server answers at once, saves nothing and evicts nothing', async () => {
    const { client } = await redisWith();
    expect(await client.config('GET', 'maxmemory-policy')).toContain('noeviction');
    expect(await client.config('GET', 'save')).toEqual(['save', '']);
    expect(await client.dbsize()).toBe(0);
  });

  test('with appendonly always, what was written survives a SIGKILL, on the same address', async () => {
    const { server, client } = await redisWith({ appendonly: 'always' });
    await client.set('k', 'v');
    const before = server.pid;
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await client.get('k')).toBe('v');
  });

  test('restart of a living server ends the old process', async () => {
    const { server, client } = await redisWith({ appendonly: 'everysec' });
    await client.set('k', 'v');
    const before = server.pid;
    await server.restart();
    expect(() => process.kill(before, 0)).toThrow('ESRCH');
    expect(await client.get('k')).toBe('v');
  });

  test('while paused nothing is answered, after resume the same connection goes on', async () => {
    const { server, client } = await redisWith();
    await client.ping();
    const impatient = client.duplicate({ commandTimeout: 100 });
    onTestFinished(() => impatient.disconnect());
    await impatient.set('k', 'v');
    await server.pause();
    const answer = client.get('k');
    await expect(impatient.get('k')).rejects.toThrow('Command timed out');
    await server.resume();
    expect(await answer).toBe('v');
  });

  test('a memory limit and other arguments reach the server', async () => {
    const { client } = await redisWith({ maxmemory: '16mb', args: ['--hz', '50'] });
    expect(await client.config('GET', 'maxmemory')).toEqual(['maxmemory', String(16 * 1024 * 1024)]);
    expect(await client.config('GET', 'hz')).toEqual(['hz', '50']);
  });

  test('stop ends the process, removes its directory, and may be called twice', async () => {
    const { server, client } = await redisWith({ appendonly: 'always' });
    const [, dir = ''] = (await client.config('GET', 'dir')) as string[];
    const { pid } = server;
    expect(existsSync(dir)).toBe(true);
    client.disconnect();
    await Promise.all([server.stop(), server.stop()]);
    expect(existsSync(dir)).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('a paused server can be stopped', async () => {
    const { server, client } = await redisWith();
    client.disconnect();
    await server.pause();
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  test('arguments that Redis refuses reject with what it said', async () => {
    await expect(redisWith({ args: ['--no-such-thing', '1'] })).rejects.toThrow(/no-such-thing/);
  });
});

describe('TEST_REDIS_URL', () => {
  test('a shared Redis is joined, is not stopped, and loses only the keys of this prefix', async () => {
    const { server, client } = await redisWith();
    const shared = await startRedis({}, { TEST_REDIS_URL: server.url });
    await client.mset(`${shared.prefix}:a`, '1', 'other', '2');
    await expect(shared.kill()).rejects.toThrow('not ours');
    await shared.stop();
    expect(await client.keys('*')).toEqual(['other']);
  });

  test('an address that does not answer rejects', async () => {
    await expect(startRedis({}, { TEST_REDIS_URL: 'redis://127.0.0.1:1' })).rejects.toThrow('TEST_REDIS_URL');
  });

  test('with CI set a missing Redis is a failure, not a skip', async () => {
    const bare = { PATH: '/nowhere' };
    expect(await hasRedis({ ...bare, CI: 'true' })).toBe(true);
    expect(await hasRedis(process.env)).toBe(true);
  });
});
