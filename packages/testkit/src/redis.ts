import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisHandle, RedisOptions } from './redis-backend.ts';
import { hasContainerEngine, startContainerBackend } from './redis-container.ts';
import { startServerBackend } from './redis-server.ts';

type Source = { kind: 'url'; url: string } | { kind: 'binary'; path: string } | { kind: 'container'; image: string };

/** Where a Redis comes from, in this order: `TEST_REDIS_URL`, `redis-server` on the PATH, a container of `REDIS_IMAGE`. */
async function findRedis(env: NodeJS.ProcessEnv): Promise<Source | undefined> {
  const url = env['TEST_REDIS_URL'];
  if (url) return { kind: 'url', url };
  const path = (env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'redis-server'))
    .find(isExecutable);
  if (path !== undefined) return { kind: 'binary', path };
  if (await hasContainerEngine()) return { kind: 'container', image: env['REDIS_IMAGE'] || 'redis:7' };
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * For `describe.runIf(await hasRedis())` on a machine that may have none.
 * Always true when `CI` is set: there a missing Redis fails the tests and never skips them.
 */
export async function hasRedis(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return Boolean(env['CI']) || (await findRedis(env)) !== undefined;
}

/** The `redis-server` of this machine, for those who start several; `undefined` where tests get their Redis from elsewhere. */
export async function redisBinary(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const source = await findRedis({ ...env, TEST_REDIS_URL: '' });
  return source?.kind === 'binary' ? source.path : undefined;
}

/** Starts a Redis (≥ 7.0, `noeviction`) that nobody else uses, or joins the one at `TEST_REDIS_URL`. Rejects when there is none. */
export async function startRedis(options: RedisOptions = {}, env: NodeJS.ProcessEnv = process.env): Promise<RedisHandle> {
  const source = await findRedis(env);
  const prefix = `t${randomBytes(5).toString('hex')}`;
  if (source === undefined) {
    throw new Error('no Redis for the tests: set TEST_REDIS_URL, put redis-server on the PATH, or run a container engine');
  }
  if (source.kind === 'url') return joinRedis(source.url, prefix);
  const backend =
    source.kind === 'binary'
      ? await startServerBackend(source.path, options)
      : await startContainerBackend(source.image, options);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= backend.stop();
    return stopped;
  };
  return {
    url: `redis://${backend.host}:${backend.port}`,
    port: backend.port,
    prefix,
    shared: false,
    get pid() {
      return backend.pid();
    },
    kill: () => backend.kill(),
    restart: () => backend.restart(),
    pause: () => backend.pause(),
    resume: () => backend.resume(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function joinRedis(url: string, prefix: string): Promise<RedisHandle> {
  const port = Number(new URL(url).port || 6379);
  await ping(url);
  const refuse = (what: string) => async (): Promise<void> => {
    throw new Error(`cannot ${what} the Redis at TEST_REDIS_URL: it is not ours; unset the variable for this test`);
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= removeKeys(url, prefix);
    return stopped;
  };
  return {
    ...{ url, port, prefix, shared: true, pid: 0 },
    ...{ kill: refuse('kill'), restart: refuse('restart'), pause: refuse('pause'), resume: refuse('resume') },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function ping(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, lazyConnect: true });
  redis.on('error', () => undefined); // connect() rejects as well
  try {
    await redis.connect();
    await redis.ping();
  } catch (cause) {
    throw new Error('no answer from the Redis at TEST_REDIS_URL', { cause });
  } finally {
    redis.disconnect();
  }
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  } finally {
    redis.disconnect();
  }
}
