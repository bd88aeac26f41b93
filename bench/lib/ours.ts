import { randomBytes } from 'node:crypto';
import { freePort, type RedisHandle, waitFor } from '@grsai-jobs/testkit';
import { type Child, startProgram } from './children.ts';

const ADMIN_KEY = 'admin-key-for-the-bench-0123456789';
const SECRETS_KEY = randomBytes(32).toString('base64');

const entry = (app: 'api' | 'worker') => new URL(`../../apps/${app}/src/main.ts`, import.meta.url);

/** The environment of both apps, everything else at its default, the log level too. Chat jobs this small need no S3. */
const environment = (redis: RedisHandle) => ({
  REDIS_URL: redis.url,
  ADMIN_API_KEY: ADMIN_KEY,
  SECRETS_KEY,
  EGRESS_ALLOW: '127.0.0.0/8',
  S3_BUCKET: 'none',
  S3_ENDPOINT: 'http://127.0.0.1:9',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  HOST: '127.0.0.1',
  HEALTH_PORT: '0',
});

const profiling = (dir: string | undefined, name: string): string[] =>
  dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];

export interface OurApi extends Child {
  readonly url: string;
  /** Of a tenant that may send jobs. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Our API as a process, with a tenant's key. */
export async function startOurApi(redis: RedisHandle, profileDir?: string): Promise<OurApi> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = startProgram(entry('api'), { ...environment(redis), PORT: String(port) }, profiling(profileDir, 'api'));
  const up = waitFor(async () => (await fetch(`${url}/livez`)).ok, { timeoutMs: 30_000, what: 'our API to listen' });
  await Promise.race([up, child.broken]);
  const response = await fetch(`${url}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant: 'bench', name: 'bench', scopes: ['jobs:write'] }),
  });
  if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`);
  const { key } = (await response.json()) as { key: string };
  return { ...child, url, headers: { authorization: `Bearer ${key}` } };
}

/** Our worker as a process; it begins at once with what is queued. */
export function startOurWorker(redis: RedisHandle, upstreamUrl: string, profileDir?: string): Child {
  const env = { ...environment(redis), GRSAI_API_KEY: 'sk-0123456789abcdef0123456789abcdef', GRSAI_BASE_URLS: upstreamUrl };
  return startProgram(entry('worker'), env, profiling(profileDir, 'worker'));
}
