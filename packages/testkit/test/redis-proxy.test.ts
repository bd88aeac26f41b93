import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../src/redis.ts';
import type { RedisHandle } from '../src/redis-backend.ts';
import { startRedisProxy } from '../src/redis-proxy.ts';
import { waitFor } from '../src/wait-for.ts';

let server: RedisHandle;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

let key: string;
let turn = 0;
beforeEach(() => {
  turn += 1;
  key = `${server.prefix}:${turn}`;
});

async function proxied(protocol: 2 | 3 = 2) {
  const proxy = await startRedisProxy(server.url);
  onTestFinished(() => proxy.stop());
  const client = new Redis(proxy.url, { retryStrategy: () => 10, maxRetriesPerRequest: null, protocol });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  await client.ping();
  proxy.resetCounts();
  return { proxy, client };
}

const SCRIPT = `redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 60) return redis.call('GET', KEYS[1])`;

describe('counting', () => {
  test('each command of a client counts once, what a script calls inside does not', async () => {
    const { proxy, client } = await proxied();
    const heard: string[] = [];
    proxy.onCommand(({ name, args }) => heard.push([name, ...args].join(' ')));
    await client.eval(SCRIPT, 1, key);
    await client.pipeline().get(key).get(key).exec();
    await client.multi().incr(key).exec();
    expect(proxy.counts).toEqual({ eval: 1, get: 2, multi: 1, incr: 1, exec: 1 });
    expect(heard.slice(1)).toEqual([`get ${key}`, `get ${key}`, 'multi', `incr ${key}`, 'exec']);
    expect(proxy.total).toBe(6);
    proxy.resetCounts();
    expect(proxy.total).toBe(0);
  });

  test('values with line ends and of megabytes come through as they are', async () => {
    const { proxy, client } = await proxied();
    const value = Buffer.alloc(3_000_000, '\r\n$5\r\n*1\r\n');
    await client.set(key, value);
    expect(value.equals((await client.getBuffer(key)) ?? Buffer.alloc(0))).toBe(true);
    expect(proxy.counts).toEqual({ set: 1, get: 1 });
  });

  test('a subscriber gets its messages', async () => {
    const { proxy } = await proxied();
    const subscriber = new Redis(proxy.url);
    onTestFinished(() => subscriber.disconnect());
    const got: string[] = [];
    subscriber.on('message', (_channel, message) => got.push(message));
    await subscriber.subscribe(key);
    await direct.publish(key, 'hello');
    await waitFor(() => got.length === 1);
    expect(got).toEqual(['hello']);
  });
});

describe.each([2, 3] as const)('cutting, RESP%d', (protocol) => {
  test('after the reply: Redis has executed it, the client has no answer, and ioredis sends it again', async () => {
    const { proxy, client } = await proxied(protocol);
    const cut = proxy.cutAfterNextReply('INCR');
    const answer = client.incr(key);
    expect((await cut).args).toEqual([key]);
    expect(await direct.get(key)).toBe('1');
    expect(await answer).toBe(2);
    expect(proxy.counts['incr']).toBe(2);
  });

  test('before: Redis has not seen it, and the repetition is the first', async () => {
    const { proxy, client } = await proxied(protocol);
    const cut = proxy.cutBefore((command) => command.name === 'incr' && command.args[0] === key);
    expect(await client.incr(key)).toBe(1);
    await cut;
    expect(proxy.counts['incr']).toBe(2);
  });

  test('in a pipeline the answers before the cut one arrive, the rest is sent again', async () => {
    const { proxy, client } = await proxied(protocol);
    const cut = proxy.cutAfterNextReply('append');
    const answers = [client.incr(key), client.append(`${key}:a`, 'x'), client.get(key)];
    await cut;
    expect(await Promise.all(answers)).toEqual([1, 2, '1']);
    expect(proxy.counts).toMatchObject({ incr: 1, append: 2 });
  });

  test('a script that Redis does not know is not executed: the cut waits for one that is', async () => {
    const { proxy, client } = await proxied(protocol);
    const cut = proxy.cutAfterNextReply((command) => command.name.startsWith('eval'));
    await expect(client.evalsha('0'.repeat(40), 1, key)).rejects.toThrow('NOSCRIPT');
    const answer = client.eval(SCRIPT, 1, key);
    expect((await cut).name).toBe('eval');
    expect(await answer).toBe('2');
  });

  test('a subscriber is left alone', async () => {
    const { proxy, client } = await proxied(protocol);
    const subscriber = client.duplicate();
    onTestFinished(() => subscriber.disconnect());
    await subscriber.subscribe(`${key}:1`, `${key}:2`);
    const cut = proxy.cutAfterNextReply('ping');
    await subscriber.ping();
    expect(subscriber.status).toBe('ready');
    await client.ping();
    await cut;
    expect(proxy.counts['ping']).toBe(3);
  });
});

test('a message that Redis pushes is not taken for the answer that is waited for', async () => {
  const { proxy } = await proxied();
  const socket = connect(proxy.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString();
  });
  socket.write(`HELLO 3\r\nCLIENT TRACKING ON\r\nGET ${key}\r\n`);
  await waitFor(() => heard.includes('_\r\n'));
  const cut = proxy.cutAfterNextReply('blpop');
  socket.write(`BLPOP ${key}:list 0\r\n`);
  await waitFor(() => proxy.counts['blpop'] === 1);
  await direct.set(key, 'changed');
  await waitFor(() => heard.includes('invalidate'));
  const closed = once(socket, 'close');
  await direct.rpush(`${key}:list`, 'element');
  await cut;
  await closed;
  expect(heard).not.toContain('element');
});

describe('outages', () => {
  test('a stall holds requests back in order, resume lets them through', async () => {
    const { proxy, client } = await proxied();
    proxy.stall();
    const answers = Promise.all([client.incr(key), client.incr(key)]);
    await direct.ping();
    expect(await direct.get(key)).toBe(null);
    proxy.resume();
    expect(await answers).toEqual([1, 2]);
  });

  test('refused clients come back on the same address when it ends', async () => {
    const { proxy, client } = await proxied();
    await proxy.refuse(true);
    const refused = new Redis(proxy.url, { retryStrategy: () => null, lazyConnect: true });
    refused.on('error', () => undefined);
    await expect(refused.connect()).rejects.toThrow();
    await proxy.refuse(false);
    expect(await client.incr(key)).toBe(1);
  });

  test('dropped connections are made anew', async () => {
    const { proxy, client } = await proxied();
    const closed = new Promise((resolve) => client.once('close', resolve));
    proxy.dropAll();
    await closed;
    expect(await client.incr(key)).toBe(1);
    expect(proxy.connections).toBe(1);
  });

  test('when Redis dies the clients of the proxy lose their connection too', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    if (own.shared) return;
    const proxy = await startRedisProxy(own.url);
    onTestFinished(() => proxy.stop());
    const client = new Redis(proxy.url, { retryStrategy: () => null });
    client.on('error', () => undefined);
    await client.ping();
    const closed = new Promise((resolve) => client.once('close', resolve));
    await own.kill();
    await closed;
    await waitFor(() => proxy.connections === 0);
  });
});
