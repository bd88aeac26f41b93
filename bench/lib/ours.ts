import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { freePort, type RedisHandle, waitFor } from '@grsai-jobs/testkit';
import { type Child, startProgram } from './children.ts';

const ADMIN_KEY = 'admin-key-for-the-bench-0123456789';
const SECRETS_KEY = randomBytes(32).toString('base64');

/** The tenant that the key of `startOurApi` belongs to. */
export const TENANT = 'bench';

const root = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<'start:api' | 'start:worker', string>;
};

/** As `pnpm start:<app>` does it, options of Node and all. */
function startCommand(app: 'api' | 'worker'): { entry: URL; nodeArgs: string[] } {
  const words = scripts[`start:${app}`].split(' ').slice(1);
  return { entry: new URL(words.at(-1) ?? '', root), nodeArgs: words.slice(0, -1) };
}

/** The environment of both apps, everything else at its default, the log level too. Chat jobs this small need no S3. */
const environment = (redis: RedisHandle) => ({
  REDIS_URL: redis.url,
  ADMIN_API_KEY: ADMIN_KEY,
  SECRETS_KEY,
  EGRESS_ALLOW: '127.0.0.0/8',
  S3_BUCKET: 'none',
  S3_ENDPOINT: 'http://127.0.0.1:9',
  S3_FORCE_PATH_STYLE: 'true',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  HOST: '127.0.0.1',
  HEALTH_PORT: '0',
  DRAIN_S: '0',
});

const profiling = (dir: string | undefined, name: string): string[] =>
  dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];

export interface OurApi extends Child {
  readonly url: string;
  /** Of a tenant that may send jobs. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of another one, or the same, that may read them too and how their webhooks are signed. */
  headersOf(tenant: string): Promise<Readonly<Record<string, string>>>;
  /** Of an operator. */
  readonly operator: Readonly<Record<string, string>>;
}

/** Our API as a process, with a tenant's key. */
export async function startOurApi(
  redis: RedisHandle,
  { profileDir, onLine, env: more }: Pick<OurWorkerOptions, 'profileDir' | 'onLine' | 'env'> = {},
): Promise<OurApi> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...environment(redis), PORT: String(port), ...more };
  const { entry, nodeArgs } = startCommand('api');
  const child = startProgram(entry, { env, nodeArgs: [...nodeArgs, ...profiling(profileDir, 'api')], onLine });
  await Promise.race([answers(`${url}/livez`, 'our API'), child.broken]);
  const operator = { authorization: `Bearer ${ADMIN_KEY}` };
  const keyOf = async (tenant: string, scopes: readonly string[]) => {
    const response = await fetch(`${url}/admin/v1/keys`, {
      method: 'POST',
      headers: { ...operator, 'content-type': 'application/json' },
      body: JSON.stringify({ tenant, name: 'bench', scopes }),
    });
    if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`);
    const { key } = (await response.json()) as { key: string };
    return { authorization: `Bearer ${key}` };
  };
  const headers = await keyOf(TENANT, ['jobs:write']);
  const headersOf = (tenant: string) => keyOf(tenant, ['jobs:write', 'jobs:read', 'webhooks:write']);
  return { ...child, url, headers, operator, headersOf };
}

export interface OurWorkerOptions {
  /** Where upstream's API is; without it the worker calls nobody. */
  readonly upstreamUrl?: string;
  readonly profileDir?: string | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Variables that are not to have their defaults. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Our worker as a process; it begins at once with what is queued. */
export function startOurWorker(redis: RedisHandle, options: OurWorkerOptions): Child {
  const env = {
    ...environment(redis),
    GRSAI_API_KEY: 'sk-0123456789abcdef0123456789abcdef',
    GRSAI_BASE_URLS: options.upstreamUrl ?? 'http://127.0.0.1:9',
    ...options.env,
  };
  const { entry, nodeArgs } = startCommand('worker');
  return startProgram(entry, {
    env,
    nodeArgs: [...nodeArgs, ...profiling(options.profileDir, 'worker')],
    onLine: options.onLine,
  });
}

/** Our worker with its health server, when it takes jobs. */
export async function startReadyWorker(redis: RedisHandle, options: OurWorkerOptions): Promise<Child & { url: string }> {
  const port = String(await freePort());
  const child = startOurWorker(redis, { ...options, env: { ...options.env, HEALTH_PORT: port } });
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([answers(`${url}/livez`, 'our worker'), child.broken]);
  return { ...child, url };
}

async function answers(url: string, what: string): Promise<void> {
  await waitFor(async () => (await fetch(url)).ok, { timeoutMs: 30_000, what: `${what} to listen` });
}
