import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startRedis } from '../src/redis.ts';

/** Needs a container engine and the image, so it runs only where REDIS_IMAGE names one. */
const image = process.env['REDIS_IMAGE'];

test.runIf(image)(
  'in a container it is killed, restarted and paused like a process, on the same address',
  async () => {
    await using server = await startRedis({ appendonly: 'always' }, { PATH: '/nowhere', REDIS_IMAGE: image });
    const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => undefined);
    await client.set('k', 'v');
    const before = server.pid;
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await client.get('k')).toBe('v');
    await server.pause();
    const answer = client.get('k');
    await server.resume();
    expect(await answer).toBe('v');
    await server.restart();
    expect(await client.get('k')).toBe('v');
    await server.pause();
    client.disconnect();
  },
  60000,
);
