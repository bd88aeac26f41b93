import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endChild, isAlive } from './children.ts';
import { freePort } from './free-port.ts';
import { redisBinary } from './redis.ts';
import { spawnReady } from './redis-server.ts';
import { waitFor } from './wait-for.ts';

const HOST = '127.0.0.1';
const NAME = 'jobs';

export interface SentinelOptions {
  /** Servers: one primary and its replicas. */
  servers?: number;
  /** More of the command line of each server. */
  args?: readonly string[];
  /** After how long without an answer a Sentinel takes the primary for dead. */
  downAfterMs?: number;
}

/** A primary, its replicas and three Sentinels that watch them. */
export interface RedisSentinels {
  /** `redis+sentinel://…/jobs`. */
  readonly url: string;
  /** Ports of the servers; the first was the primary at the start. */
  readonly ports: readonly number[];
  /** The port of the primary, as the Sentinels have it. */
  primary(): Promise<number>;
  /** A client of the server on this port; whoever takes one ends it. */
  client(port: number): Redis;
  /** Has the Sentinels make another server the primary; resolves when they have. Nobody dies. */
  failover(): Promise<number>;
  /** SIGKILL to this server, or SIGSTOP. */
  signal(port: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Starts a server that was killed again, on its port. */
  revive(port: number): Promise<void>;
  /** Resolves with the port of the next primary, when it is another than `port` and the Sentinels agree. */
  nextPrimary(port: number): Promise<number>;
  /** Resolves when the primary has so many replicas that are in step. */
  inStep(replicas?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them from the `redis-server` of this machine, which is a Sentinel as well. Rejects where there is none. */
export async function startRedisSentinels(o: SentinelOptions = {}): Promise<RedisSentinels> {
  const binary = await redisBinary();
  if (binary === undefined) throw new Error('no redis-server on the PATH');
  const dir = await mkdtemp(join(tmpdir(), 'testkit-sentinels-'));
  const ports: number[] = [];
  const children = new Map<number, ChildProcess>();
  const clients = new Set<Redis>();

  async function startServer(port: number, of?: number): Promise<void> {
    const own = join(dir, String(port));
    await mkdir(own, { recursive: true });
    const config = join(own, 'redis.conf');
    // A Sentinel changes the role of a server in its file; one that comes back has the role that it had last.
    if (!children.has(port))
      await writeFile(
        config,
        [
          ...[`port ${port}`, `bind ${HOST}`, `dir ${own}`, 'save ""', 'appendonly no', 'maxmemory-policy noeviction'],
          ...['repl-diskless-sync-delay 0', 'repl-backlog-size 16mb', 'repl-ping-replica-period 1'],
          ...(of === undefined ? [] : [`replicaof ${HOST} ${of}`]),
          '',
        ].join('\n'),
      );
    children.set(port, await spawnReady(binary as string, port, [config, ...(o.args ?? [])]));
  }

  async function startSentinel(port: number, primary: number): Promise<void> {
    const config = join(dir, `sentinel-${port}.conf`);
    const down = o.downAfterMs ?? 1000;
    const lines = [`port ${port}`, `bind ${HOST}`, `dir ${dir}`, `sentinel monitor ${NAME} ${HOST} ${primary} 2`];
    const rules = [`down-after-milliseconds ${NAME} ${down}`, `failover-timeout ${NAME} 3000`, `parallel-syncs ${NAME} 5`];
    await writeFile(config, [...lines, ...rules.map((rule) => `sentinel ${rule}`), ''].join('\n'));
    children.set(port, await spawnReady(binary as string, port, [config, '--sentinel'], 'Sentinel ID is'));
  }

  const client = (port: number): Redis => {
    const redis = new Redis({ host: HOST, port, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', () => undefined);
    clients.add(redis);
    redis.on('end', () => clients.delete(redis));
    return redis;
  };
  async function ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = client(port);
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  for (let n = 0; n < (o.servers ?? 3); n++) ports.push(await freePort());
  const [first = 0] = ports;
  for (const port of ports) await startServer(port, port === first ? undefined : first);
  const sentinels: number[] = [];
  for (let n = 0; n < 3; n++) {
    const port = await freePort();
    await startSentinel(port, first);
    sentinels.push(port);
  }
  const [asked = 0] = sentinels;

  const primaryBy = (sentinel: number) =>
    ask(sentinel, async (redis) => Number(((await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[])[1]));
  const all: RedisSentinels = {
    url: `redis+sentinel://${sentinels.map((port) => `${HOST}:${port}`).join(',')}/${NAME}`,
    ports,
    primary: () => primaryBy(asked),
    client,
    signal: (port, signal) => void children.get(port)?.kill(signal),
    async failover() {
      const before = await all.primary();
      // A Sentinel that finds no replica good enough at that moment takes the order and lets it go.
      const order = async () => {
        if ((await all.primary()) !== before) return true;
        await ask(asked, (redis) => redis.call('SENTINEL', 'FAILOVER', NAME)).catch(() => undefined);
        return false;
      };
      await waitFor(order, { timeoutMs: 90_000, everyMs: 3000, what: 'the Sentinels to carry out the order' });
      return await all.nextPrimary(before);
    },
    async nextPrimary(before) {
      const next = async () => {
        const [primary = before, ...others] = await Promise.all(sentinels.map(primaryBy));
        if (primary === before || others.some((other) => other !== primary)) return false;
        return (await ask(primary, (redis) => redis.info('replication'))).includes('role:master');
      };
      await waitFor(next, { timeoutMs: 60_000, everyMs: 50, what: 'another primary' });
      return await all.primary();
    },
    async revive(port) {
      const child = children.get(port);
      if (child !== undefined && isAlive(child)) return;
      await startServer(port);
    },
    async inStep(replicas = 1) {
      const count = async () => {
        const info = await ask(await all.primary(), (redis) => redis.info('replication'));
        return [...info.matchAll(/^slave\d+:.*state=online.*lag=[01]/gm)].length >= replicas;
      };
      await waitFor(count, { timeoutMs: 20_000, everyMs: 50, what: `${replicas} replicas in step` });
    },
    async stop() {
      for (const each of clients) each.disconnect();
      await Promise.all([...children.values()].map((child) => endChild(child)));
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    // Until a Sentinel knows replicas and the others it can replace nobody.
    const known = async () => {
      const rows = await Promise.all(
        sentinels.map((port) => ask(port, (redis) => redis.call('SENTINEL', 'MASTER', NAME) as Promise<string[]>)),
      );
      return rows.every((row) => {
        const of = (name: string) => Number(row[row.indexOf(name) + 1]);
        return of('num-slaves') === ports.length - 1 && of('num-other-sentinels') === 2;
      });
    };
    await waitFor(known, { timeoutMs: 20_000, everyMs: 50, what: 'the Sentinels to know each other' });
    await all.inStep(ports.length - 1);
  } catch (error) {
    await all.stop();
    throw error;
  }
  return all;
}
