import { randomBytes } from 'node:crypto';
import type { Silence } from '@grsai-jobs/redis';
import { createLogger } from '@grsai-jobs/runtime';
import {
  createClient,
  everythingInRedis,
  type LogLine,
  type RedisOptions,
  startRedis,
  startRedisProxy,
  startS3,
} from '@grsai-jobs/testkit';
import { onTestFinished, vi } from 'vitest';
import { buildApi } from '../src/build.ts';
import { loadConfig } from '../src/config.ts';

const ADMIN_KEY = 'admin-key-for-tests-0123456789';

/**
 * The whole API in this process, on a port of its own, over a real Redis and an S3 server; stopped when the test ends. There is no
 * worker, so jobs stay queued. `receiver` is only an address: nobody delivers webhooks.
 */
export async function startApi(o: { env?: Record<string, string>; redis?: RedisOptions; silence?: Silence } = {}) {
  const [redis, s3] = await Promise.all([startRedis({ appendonly: 'everysec', ...o.redis }), startS3()]);
  const proxy = await startRedisProxy(redis.url);
  const env = {
    ...s3.env,
    REDIS_URL: proxy.url,
    ADMIN_API_KEY: ADMIN_KEY,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    EGRESS_ALLOW: '127.0.0.0/8',
    HOST: '127.0.0.1',
    PORT: '0',
    DRAIN_S: '0',
    ...o.env,
  };
  // The client of S3 looks for its credentials in the environment of the process itself.
  for (const [name, value] of Object.entries(s3.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value);
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const log = createLogger({ name: 'api', level: 'info', pretty: false, destination });
  const started: Awaited<ReturnType<typeof buildApi>>[] = [];
  /** One more API process of the same service. */
  const startAnother = async (more: Record<string, string> = {}) => {
    const api = await buildApi(loadConfig({ ...env, ...more }), log, o.silence);
    started.push(api);
    return api;
  };
  onTestFinished(async () => {
    await Promise.all(started.map((api) => api.stop()));
    await Promise.all([proxy.stop(), s3.stop()]);
    await redis.stop();
  });
  const { url } = await startAnother();
  const admin = createClient(url, ADMIN_KEY);
  /** A client with a new key of this tenant. */
  const clientOf = async (tenant: string, scopes = ['jobs:read', 'jobs:write', 'webhooks:write']) => {
    const { key } = await admin.post<{ key: string }>('/admin/v1/keys', { tenant, name: 'tests', scopes });
    return createClient(url, key);
  };
  const tenant = await clientOf('acme');
  return {
    url,
    lines,
    redis,
    proxy,
    s3,
    env,
    admin,
    tenant,
    clientOf,
    startAnother,
    receiver: { url: 'http://127.0.0.1:9/hooks' },
  };
}

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** What an API writes by itself, however long a test takes. */
const BEATS = new Set(['{gj}:health', '{gj}:keys-used', '{gj}:api-processes']);

/** All that requests can have written into Redis. */
export const writtenInRedis = async ({ redis }: Pick<TestApi, 'redis'>) =>
  (await everythingInRedis(redis.url)).filter(({ where }) => !BEATS.has(where));
