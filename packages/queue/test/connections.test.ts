import { startRedis } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, redisTrouble } from '../src/index.ts';

test('when Redis is full then a refused transaction says so as a refused command does, and a wrong one does not', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectRedis(server.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  const troubleOf = async (asked: Promise<unknown>) => await asked.then(() => 'none', redisTrouble);
  expect(await troubleOf(redis.multi().call('HSET', 'x').exec())).toBeNull();
  await redis.config('SET', 'maxmemory', '1mb');
  expect(await troubleOf(redis.set('x', '1'))).toBe('full');
  expect(await troubleOf(redis.multi().set('x', '1').hset('y', 'a', '1').exec())).toBe('full');
});
