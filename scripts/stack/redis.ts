import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FindPort } from './ports.ts';
import { root, short } from './root.ts';
import { keptSecret } from './secrets.ts';

const PREFERRED_PORT = 6390;
const START_MS = 60_000; // a large append-only file takes its time
const STOP_MS = 10_000;

/** A Redis of our own. */
export interface LocalRedis {
  readonly url: string;
  /** Where it runs and what it keeps, for people. */
  readonly about: string;
  stop(): Promise<void>;
}

/**
 * Starts a Redis that keeps `dir` in an append-only file, evicts nothing, and listens on 127.0.0.1 only. `program` is
 * `redis-server`, `valkey-server`, or `docker` for the one of docker/compose.yaml. One that still runs in this directory
 * is shut down first, since two must never write the same file.
 */
export function startRedis(dir: string, program: string, find: FindPort): Promise<LocalRedis> {
  mkdirSync(dir, { recursive: true });
  return program === 'docker' ? startContainer(dir, find) : startServer(dir, program, find);
}

async function startServer(dir: string, program: string, find: FindPort): Promise<LocalRedis> {
  const password = keptSecret(dir, 'password', () => randomBytes(18).toString('base64url'));
  const portFile = join(dir, 'port');
  const before = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : undefined;
  if (before !== undefined) await shutDown(before, password, dir);
  const port = await find('Redis', before ?? PREFERRED_PORT);
  const server = spawnServer(dir, program, port, password);
  writeFileSync(portFile, String(port));
  await untilUp(port, password, server, join(dir, 'redis.log'));
  endWithUs(server);
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    about: `127.0.0.1:${port}, keeps ${short(dir)}`,
    stop: () => shutDown(port, password, dir),
  };
}

/** Ends the Redis at `port` and waits until it is gone, if it is the one that keeps `dir`. */
async function shutDown(port: number, password: string, dir: string): Promise<void> {
  const deadline = performance.now() + STOP_MS;
  const isOurs = async () => (await askRedis(port, [`AUTH ${password}`, 'CONFIG GET dir']))?.includes(dir) === true;
  if (!(await isOurs())) return;
  await askRedis(port, [`AUTH ${password}`, 'SHUTDOWN']);
  while ((await isOurs()) && performance.now() < deadline) await sleep(20);
}

/** A shell that waits for the end of its input, which is our end, even by SIGKILL, and then ends the server. */
function endWithUs(server: ChildProcess): void {
  const script = 'cat >/dev/null; kill "$1" 2>/dev/null';
  const watcher = spawn('sh', ['-c', script, 'sh', String(server.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.on('error', () => {}); // no shell, no watcher: the next start shuts the server down
  (watcher.stdin as Socket).unref();
  watcher.unref();
}

function spawnServer(dir: string, program: string, port: number, password: string): ChildProcess {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const config = {
    bind: '127.0.0.1',
    port: String(port),
    requirepass: password,
    dir: quoted(dir),
    logfile: quoted(join(dir, 'redis.log')),
    appendonly: 'yes',
    save: '""',
    'maxmemory-policy': 'noeviction',
  };
  // By its input, so that the password is not seen in the list of processes.
  const server = spawn(program, ['-'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  server.on('error', () => {}); // reported by untilUp
  server.stdin?.on('error', () => {});
  server.stdin?.end(
    `${Object.entries(config)
      .map(([name, value]) => `${name} ${value}`)
      .join('\n')}\n`,
  );
  server.unref();
  return server;
}

async function untilUp(port: number, password: string, server: ChildProcess, log: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if ((await askRedis(port, [`AUTH ${password}`, 'PING']))?.includes('+PONG')) return;
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) break;
    await sleep(20);
  }
  server.kill();
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') : 'it wrote no log';
  throw new Error(`Redis did not start:\n${lines}`);
}

/** What a Redis on 127.0.0.1 answers to these commands, as it comes over the wire; undefined when nobody is there. */
function askRedis(port: number, commands: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write([...commands, 'QUIT', ''].join('\r\n')));
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(answer));
  });
}

async function startContainer(dir: string, find: FindPort): Promise<LocalRedis> {
  // A project for each directory, so that two stacks have a Redis each.
  const project = `grsai-jobs-${createHash('sha256').update(dir).digest('hex').slice(0, 10)}`;
  const running = await compose(project, ['port', 'redis', '6379']).catch(() => '');
  const port = Number(running.trim().split(':').at(-1)) || (await find('Redis', PREFERRED_PORT));
  await compose(project, ['up', '-d', '--wait', 'redis'], port);
  return {
    url: `redis://127.0.0.1:${port}`,
    about: `127.0.0.1:${port}, in Docker, keeps the volume ${project}_redis`,
    async stop() {
      await compose(project, ['stop', 'redis'], port);
    },
  };
}

function compose(project: string, args: readonly string[], port?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['compose', '-p', project, '-f', 'docker/compose.yaml', ...args], {
      cwd: root,
      env: { ...process.env, ...(port === undefined ? {} : { REDIS_PORT: String(port) }) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`docker compose ${args.join(' ')}: ${errors.trim()}`)),
    );
  });
}
