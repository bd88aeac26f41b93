import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { startRedis } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis, NotLasting, redisTrouble, watchDisturbance } from '../src/index.ts';

/** A way to Redis on which connections can go dumb, as when its machine is gone: nothing comes, and nothing is closed. */
async function startWay(target: string) {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) socket.on('error', () => undefined);
    client.on('close', () => redis.destroy());
    client.pipe(redis).pipe(client);
    open.add(redis);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    goDumb: () => {
      for (const socket of open) socket.unpipe();
    },
  };
}

test('when the machine of Redis is gone without a word then a producer gets an error, and soon talks to the one in its place', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const way = await startWay(server.url);
  const bare = await connectRedis(server.url, 'producer', { onError: () => undefined });
  onTestFinished(() => bare.disconnect());
  expect(bare.options).toMatchObject({ commandTimeout: 5000, socketTimeout: 6000 });
  const quick = { commandTimeout: 250, socketTimeout: 300 };
  const redis = await connectRedis(way.url, 'producer', { onError: () => undefined, ...quick });
  onTestFinished(() => redis.disconnect());
  expect(await redis.set('a', '1')).toBe('OK');
  way.goDumb();
  expect(redisTrouble(await redis.get('a').catch((error: unknown) => error))).toBe('lost');
  await expect.poll(() => redis.get('a').catch(() => null)).toBe('1');
});

test.each(["Stream isn't writeable and enableOfflineQueue options is false", 'READONLY', 'OOM', 'Connection is closed.'])(
  'when a write has run and it is not known whether it lasts, since "%s", then its outcome is unknown and not none',
  (why) => {
    expect(redisTrouble(new NotLasting(why, 'OK'))).toBe('lost');
  },
);

test('when Redis is full then a refused transaction says so as a refused command does, and a wrong one does not', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectRedis(server.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  const troubleOf = async (asked: Promise<unknown>) => await asked.then(() => 'none', redisTrouble);
  expect(await troubleOf(redis.multi().call('HSET', 'x').exec())).toBeNull();
  await redis.config('SET', 'maxmemory', '1');
  expect(await troubleOf(redis.set('x', '1'))).toBe('full');
  expect(await troubleOf(redis.multi().set('x', '1').hset('y', 'a', '1').exec())).toBe('full');
});

test.each([
  ['lacks its replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ['is a replica for a while', ['replicaof', '127.0.0.1 1'], ['replicaof', 'no one']],
])(
  'when Redis %s then a script of a consumer waits and runs once, and a producer hears at once',
  async (_what, refuse, allow) => {
    const server = await startRedis({}, { ...process.env, TEST_REDIS_URL: '' });
    onTestFinished(() => server.stop());
    const refused: string[] = [];
    const consumer = await connectRedis(server.url, 'consumer', { onError: ({ message }) => refused.push(message) });
    const producer = await connectRedis(server.url, 'producer', { onError: () => undefined });
    const admin = await connectRedis(server.url, 'producer', { onError: () => undefined });
    onTestFinished(() => void [consumer, producer, admin].map((each) => each.disconnect()));
    const disturbance = watchDisturbance([consumer], () => performance.now());
    expect(disturbance.within(60_000)).toBe(false);
    const configure = ([name = '', value = '']: string[]) =>
      name === 'replicaof' ? admin.call('REPLICAOF', ...value.split(' ')) : admin.config('SET', name, value);
    await configure(refuse);
    const script = "#!lua\nreturn redis.call('INCR', KEYS[1])";
    expect(redisTrouble(await producer.eval(script, 1, 'a').catch((error: unknown) => error))).toBe('away');
    const written = consumer.eval(script, 1, 'a');
    await expect.poll(() => disturbance.within(60_000)).toBe(true);
    await configure(allow);
    expect(await written).toBe(1);
  },
);

test('when Redis ends while a script waits for it then the connection can still be closed', async () => {
  const server = await startRedis({}, { ...process.env, TEST_REDIS_URL: '' });
  onTestFinished(() => server.stop());
  const refused = Promise.withResolvers<void>();
  const redis = await connectRedis(server.url, 'consumer', { onError: () => refused.resolve() });
  await redis.config('SET', 'min-replicas-to-write', '1');
  const written = redis.eval("#!lua\nreturn redis.call('INCR', KEYS[1])", 1, 'a');
  await refused.promise;
  redis.disconnect();
  await expect(written).rejects.toThrow('Connection is closed');
});
