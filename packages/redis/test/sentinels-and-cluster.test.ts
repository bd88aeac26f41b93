import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { redisBinary, startRedis, startRedisCluster, startRedisSentinels } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis, requireRights } from '../src/index.ts';

const onError = () => undefined;

/** How a server greets who asks for RESP3. */
const HELLO = '%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n';

async function connected(url: string, role: 'producer' | 'consumer' = 'consumer', tag = '{gj}') {
  const redis = await connectRedis(url, role, { onError, tag });
  onTestFinished(() => redis.disconnect());
  return redis;
}

describe.runIf(await redisBinary())('several servers', () => {
  test('when Sentinels make another server the primary then both kinds of connection go on there, and a write that was refused is not lost', async () => {
    const sentinels = await startRedisSentinels();
    onTestFinished(() => sentinels.stop());
    const [consumer, producer] = [await connected(sentinels.url), await connected(sentinels.url, 'producer')];
    await consumer.set('{gj}:a', '1');
    expect(await producer.get('{gj}:a')).toBe('1');
    const before = await sentinels.primary();
    await sentinels.inStep();
    const after = await sentinels.failover();
    expect(after).not.toBe(before);
    expect(await consumer.incr('{gj}:a')).toBe(2);
    await expect.poll(() => producer.get('{gj}:a').catch(() => null)).toBe('2');

    expect(await consumer.wait(1, 5000)).toBeGreaterThan(0);
    sentinels.signal(after, 'SIGKILL');
    const written = consumer.incr('{gj}:a');
    await sentinels.nextPrimary(after);
    expect(await written).toBe(3);
  }, 60_000);

  test('when a Sentinel names another primary while a lost connection is being made anew then it is made, and does not end for good', async () => {
    const server = await startRedis({}, { ...process.env, TEST_REDIS_URL: '' });
    onTestFinished(() => server.stop());
    const { port } = new URL(server.url);
    let answers = Promise.resolve();
    const [sockets, listeners] = [new Set<Socket>(), new Set<Socket>()];
    const asked = new EventEmitter();
    const address = `*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`;
    /** As much of a Sentinel as a client asks for. */
    const sentinel = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', onError);
      socket.on('data', async (data) => {
        for (const command of data
          .toString()
          .split(/\*\d+\r\n/)
          .slice(1)) {
          if (/get-master-addr/i.test(command)) {
            asked.emit('asked');
            await answers;
            socket.write(address);
          } else if (/subscribe/i.test(command)) {
            listeners.add(socket);
            socket.write('>3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n');
            asked.emit('listens');
          } else
            socket.write(/sentinels/i.test(command) ? '*0\r\n' : /hello/i.test(command) ? HELLO : '-ERR unknown command\r\n');
        }
      });
    });
    await once(sentinel.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      sentinel.close();
    });
    const listens = once(asked, 'listens');
    const redis = await connected(`redis+sentinel://127.0.0.1:${(sentinel.address() as AddressInfo).port}/jobs`);
    await listens;

    const held = Promise.withResolvers<void>();
    answers = held.promise;
    const askedAgain = once(asked, 'asked');
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await askedAgain;
    const said = 'jobs 127.0.0.1 1 127.0.0.1 2';
    for (const socket of listeners)
      socket.write(`>3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$${said.length}\r\n${said}\r\n`);
    const written = redis.set('{gj}:a', '1');
    // Whoever has listened has heard it, or listens no more.
    await Promise.all([...listeners].map((socket) => socket.closed || once(socket, 'close')));
    held.resolve();
    expect(await written).toBe('OK');
  });

  test('when the address leads to a replica then the sentence says whose address to give', async () => {
    const sentinels = await startRedisSentinels({ servers: 2 });
    onTestFinished(() => sentinels.stop());
    const replica = sentinels.ports.find((port) => port !== sentinels.ports[0]);
    await expect(connected(`redis://127.0.0.1:${replica}`)).rejects.toThrow(/is a replica.*its Sentinels/);
    const other = sentinels.url.replace('/jobs', '/other');
    await expect(connectRedis(other, 'consumer', { onError, waitMs: 500 })).rejects.toThrow(
      /Sentinels of Redis at .* no primary of this name/,
    );
  }, 60_000);

  test('when keys of two tags have two owners in a Cluster then each connection stands at its own, and follows it to another node', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const [records, entries] = [await connected(cluster.url), await connected(cluster.url, 'consumer', '{gj-q}')];
    await records.set('{gj}:a', '1');
    await entries.set('{gj-q}:a', '1');
    const producer = await connected(cluster.url, 'producer');
    await cluster.failover(await cluster.ownerOf('{gj}'));
    expect(await records.incr('{gj}:a')).toBe(2);
    expect(await entries.incr('{gj-q}:a')).toBe(2);
    await expect.poll(() => producer.get('{gj}:a').catch(() => null)).toBe('2');

    await expect(connected(`redis://127.0.0.1:${cluster.ports[0]}`)).rejects.toThrow(/node of a Cluster.*redis\+cluster:/);
  }, 60_000);

  test('when a server without cluster mode is called a Cluster then the sentence says so', async () => {
    const server = await startRedis({}, { ...process.env, TEST_REDIS_URL: '' });
    onTestFinished(() => server.stop());
    const url = server.url.replace('redis:', 'redis+cluster:');
    await expect(connectRedis(url, 'consumer', { onError, tag: '{gj}', waitMs: 500 })).rejects.toThrow(
      /is no node of a Cluster: write redis:/,
    );
  });

  test('when a user has what the line of the documentation gives then all is allowed, and when something is missing then it is named', async () => {
    const server = await startRedis({}, { ...process.env, TEST_REDIS_URL: '' });
    onTestFinished(() => server.stop());
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const [tags, url] = [['{gj}', '{gj-q}'], server.url.replace('redis://', 'redis://grsai-jobs:PASSWORD@')];
    await expect(connectRedis(url, 'consumer', { onError, waitMs: 300 })).rejects.toThrow(/refuses this user name or password/);
    const refusal = async () => await requireRights(await connected(url), tags).then(() => '', String);
    const allow = async (line: string) => {
      const [, ...words] = line.split(' ');
      await admin.call('ACL', ...words);
    };
    await allow('ACL SETUSER grsai-jobs on >PASSWORD ~{gj}:* &{gj}:* +@all');
    const line = /ACL SETUSER .*/.exec(await refusal())?.[0] ?? '';
    expect(line).toContain('~{gj-q}:*');
    await admin.call('ACL', 'DELUSER', 'grsai-jobs');
    await allow(line);
    expect(await refusal()).toBe('');
    await allow('ACL SETUSER grsai-jobs -zrem -wait');
    expect(await refusal()).toMatch(/may not use wait, zrem:/);
    await allow('ACL SETUSER grsai-jobs +zrem +wait resetchannels');
    expect(await refusal()).toMatch(/may not use publish, subscribe:/);
  });
});
