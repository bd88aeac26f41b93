import { redisBinary, startRedis } from '@grsai-jobs/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectLasting, connectRedis, createPrimary, NotLasting } from '../src/index.ts';

const OWN = { ...process.env, TEST_REDIS_URL: '' };
const o = { onError: () => undefined, tag: '{gj}', key: '{gj}:lasting' };

async function startPair() {
  const server = await startRedis({}, OWN);
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] }, OWN);
  const redis = await connectRedis(server.url, 'consumer', o);
  const { lasting, disconnect } = await connectLasting(server.url, 'replica', o);
  onTestFinished(async () => {
    redis.disconnect();
    disconnect();
    await replica.resume();
    await Promise.all([server.stop(), replica.stop()]);
  });
  if (lasting === undefined) throw new Error('nothing waits');
  await expect.poll(() => redis.info('replication')).toMatch(/state=online/);
  const primary = createPrimary(redis);
  return { server, replica, redis, lasting, primary, identity: await primary.ask() };
}

describe.runIf(await redisBinary())('what has to last', () => {
  test('when a replica has it then it lasts, and all who ask in one turn wait for one write', async () => {
    const { redis, lasting, identity } = await startPair();
    await lasting(identity, null);
    const calls = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await calls();
    await Promise.all(Array.from({ length: 500 }, () => lasting(identity, null)));
    expect((await calls()) - before).toBe(1);
  });

  test('when no replica answers then what was written may not last, its reply is not lost, and it lasts as soon as one has it', async () => {
    const { replica, redis, lasting, identity } = await startPair();
    await replica.pause();
    await redis.set('{gj}:a', 1);
    const error = await lasting(identity, 'the reply').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotLasting);
    expect(error).toMatchObject({
      reply: 'the reply',
      message: expect.stringContaining('0 of 1 replicas had it within 1000 ms'),
    });
    await replica.resume();
    await lasting(identity, null);
  });

  test('when Redis has started again since the write then it may not last, and what is written now does', async () => {
    const { server, redis, lasting, primary, identity } = await startPair();
    const changes: string[] = [];
    primary.onChange((now) => changes.push(now));
    await server.restart();
    await expect.poll(() => redis.info('replication')).toMatch(/state=online/);
    await expect.poll(() => lasting(identity, null).catch(String)).toMatch(/another server is the primary/);
    // Its name changes once more with its first replica.
    const last = async () => lasting(await primary.ask(), null).then(() => 'lasts', String);
    await expect.poll(last).toBe('lasts');
    expect(changes.at(-1)).toBe(await primary.identity());
    expect(changes).not.toContain(identity);
  });
});
