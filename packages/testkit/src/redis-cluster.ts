import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endChild } from './children.ts';
import { freePort } from './free-port.ts';
import { redisBinary } from './redis.ts';
import { redisArguments, spawnReady } from './redis-server.ts';
import { waitFor } from './wait-for.ts';

const HOST = '127.0.0.1';
const SLOTS = 16_384;
const PRIMARIES = 3;

/** Three primaries of a Cluster, with one replica of each. */
export interface RedisCluster {
  /** `redis+cluster://…`, naming one primary and one replica. */
  readonly url: string;
  /** Ports of all nodes, the primaries first. */
  readonly ports: readonly number[];
  /** The port of the primary that owns the slot of this tag. */
  ownerOf(tag: string): Promise<number>;
  /** Has a replica take over from this primary; resolves when it has. Nobody dies. */
  failover(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it from the `redis-server` of this machine. Rejects where there is none. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const binary = await redisBinary();
  if (binary === undefined) throw new Error('no redis-server on the PATH');
  const dir = await mkdtemp(join(tmpdir(), 'testkit-cluster-'));
  const children: ChildProcess[] = [];
  const nodes = new Map<number, Redis>();
  const node = (port: number) => nodes.get(port) as Redis;
  for (let n = 0; n < 2 * PRIMARIES; n++) {
    const port = await freePort();
    const own = join(dir, String(port));
    await mkdir(own);
    const place = [
      '--port',
      String(port),
      '--bind',
      HOST,
      '--dir',
      own,
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      '2000',
    ];
    children.push(await spawnReady(binary, port, [...place, ...redisArguments({})]));
    const redis = new Redis({ host: HOST, port });
    redis.on('error', () => undefined);
    nodes.set(port, redis);
  }
  const ports = [...nodes.keys()];
  const primaries = ports.slice(0, PRIMARIES);
  const stop = async () => {
    for (const redis of nodes.values()) redis.disconnect();
    await Promise.all(children.map((child) => endChild(child)));
    await rm(dir, { recursive: true, force: true });
  };
  const ids = await Promise.all(ports.map((port) => node(port).call('CLUSTER', 'MYID') as Promise<string>));
  const knows = (port: number, words: RegExp) => async () => words.test(String(await node(port).call('CLUSTER', 'NODES')));
  try {
    for (const [i, port] of primaries.entries()) {
      const [from, to] = [Math.floor((i * SLOTS) / PRIMARIES), Math.floor(((i + 1) * SLOTS) / PRIMARIES) - 1];
      await node(port).call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await node(port).call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    }
    for (const port of ports.slice(1)) await node(port).call('CLUSTER', 'MEET', HOST, ports[0] ?? 0);
    for (const [i, port] of ports.slice(PRIMARIES).entries()) {
      const of = ids[i] ?? '';
      await waitFor(knows(port, new RegExp(of)), { timeoutMs: 20_000, what: 'the nodes to meet' });
      await node(port).call('CLUSTER', 'REPLICATE', of);
    }
    for (const port of ports) {
      const ok = async () => String(await node(port).call('CLUSTER', 'INFO')).includes('cluster_state:ok');
      await waitFor(ok, { timeoutMs: 30_000, what: 'the cluster to be up' });
    }
    for (const port of ports.slice(PRIMARIES)) {
      const linked = async () => (await node(port).info('replication')).includes('master_link_status:up');
      await waitFor(linked, { timeoutMs: 20_000, what: 'the replicas to be in step' });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+cluster://${HOST}:${ports[0]},${HOST}:${ports[PRIMARIES]}`,
    ports,
    async ownerOf(tag) {
      const [any = 0] = ports;
      const slot = Number(await node(any).call('CLUSTER', 'KEYSLOT', tag));
      const ranges = (await node(any).call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      return ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1] ?? 0;
    },
    async failover(port) {
      const id = String(await node(port).call('CLUSTER', 'MYID'));
      const rows = String(await node(port).call('CLUSTER', 'NODES')).split('\n');
      const replica = Number(/:(\d+)@/.exec(rows.find((row) => row.includes(` slave ${id} `)) ?? '')?.[1]);
      await node(replica).call('CLUSTER', 'FAILOVER');
      const took = async () => (await node(replica).info('replication')).includes('role:master');
      await waitFor(took, { timeoutMs: 20_000, what: 'the replica to take over' });
    },
    stop,
  };
}
