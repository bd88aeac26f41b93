import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endChild, isAlive, spawnChild } from './children.ts';
import { freePort } from './free-port.ts';
import type { RedisBackend, RedisOptions } from './redis-backend.ts';
import { waitFor } from './wait-for.ts';

const HOST = '127.0.0.1';

/** The command line of a test Redis: nothing saved unless asked for, and `noeviction` as our service demands it. */
export function redisArguments(options: RedisOptions): string[] {
  const append = options.appendonly ?? 'no';
  return [
    ...['--save', '', '--maxmemory-policy', 'noeviction'],
    ...(append === 'no' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', append]),
    ...(options.maxmemory === undefined ? [] : ['--maxmemory', options.maxmemory]),
    ...(options.args ?? []),
  ];
}

/** Resolves once Redis answers PING with PONG on that address; tries again as long as the connection is refused. */
export async function awaitPong(host: string, port: number, timeoutMs = 10_000): Promise<void> {
  const ask = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: 1_000 }, () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString().startsWith('+PONG'));
      });
      socket.once('timeout', () => socket.destroy(new Error('no answer in 1 s')));
      socket.once('error', reject);
      socket.once('close', () => resolve(false));
    });
  await waitFor(ask, { timeoutMs, everyMs: 10, what: `PONG from redis at ${host}:${port}` });
}

/** Starts one `redis-server` and returns when it has said that it is ready; rejects with its output when it ends instead. */
const spawnServer = (binary: string, port: number, dir: string, options: RedisOptions): Promise<ChildProcess> =>
  spawnReady(binary, port, ['--port', String(port), '--bind', HOST, '--dir', dir, ...redisArguments(options)]);

/** The same with a command line of one's own, for a Sentinel too. */
export async function spawnReady(
  binary: string,
  port: number,
  args: readonly string[],
  isReady = 'Ready to accept connections',
): Promise<ChildProcess> {
  const child = spawnChild(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended at once:\n${said.join('\n')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (said.length < 100) said.push(line);
        if (line.includes(isReady)) resolve();
      });
    }
  });
  await awaitPong(HOST, port);
  return child;
}

/** A Redis of our own from a binary on this machine, in a temporary directory that goes away with it. */
export async function startServerBackend(binary: string, options: RedisOptions): Promise<RedisBackend> {
  const dir = await mkdtemp(join(tmpdir(), 'testkit-redis-'));
  const first = async (triesLeft: number): Promise<{ child: ChildProcess; port: number }> => {
    const port = await freePort();
    try {
      return { port, child: await spawnServer(binary, port, dir, options) };
    } catch (error) {
      if (triesLeft > 0 && String(error).includes('Address already in use')) return first(triesLeft - 1);
      throw error;
    }
  };
  const started = await first(3).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const { port } = started;
  let child = started.child;
  return {
    host: HOST,
    port,
    pid: () => child.pid ?? 0,
    kill: () => endChild(child),
    pause: async () => void child.kill('SIGSTOP'),
    resume: async () => void child.kill('SIGCONT'),
    restart: async () => {
      if (isAlive(child)) {
        child.kill('SIGCONT');
        await endChild(child, 'SIGTERM');
      }
      child = await spawnServer(binary, port, dir, options);
    },
    stop: async () => {
      await endChild(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
