import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type EmulatorOptions, startEmulator } from '@grsai-jobs/grsai-emulator';
import { createJobStore } from '@grsai-jobs/job-store';
import {
  createClient,
  freePort,
  type Receiver,
  type RedisOptions,
  startProcess,
  startReceiver,
  startRedis,
  startRedisProxy,
  startS3,
  waitFor,
} from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

export { chat, createClient, image, type Job } from '@grsai-jobs/testkit';

const entry = (app: 'api' | 'worker') => fileURLToPath(new URL(`../apps/${app}/src/main.ts`, import.meta.url));
const ADMIN_KEY = 'admin-key-for-tests-0123456789';

/** Through a connection of its own, so that a test may do what it likes to those of the processes. */
async function withStore<T>(url: string, use: (store: ReturnType<typeof createJobStore>) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(createJobStore({ redis, prefix: 'gj', clock: Date }));
  } finally {
    redis.disconnect();
  }
}

/** How many entries of jobs and deliveries were lost and made anew. */
export const repairsIn = async (redis: { url: string }): Promise<number> =>
  await withStore(redis.url, async ({ jobs }) => {
    const { repairs = 0, delivery_repairs = 0 } = await jobs.counters();
    return repairs + delivery_repairs;
  });

/** Workers that do not know how long image tasks take poll after 12 s for the first time; these know that all take a second. */
async function learnQuickTasks(url: string): Promise<void> {
  await withStore(url, async ({ paces }) => {
    for (const model of ['nano-banana-2', 'gpt-image-2']) await paces.learn(model, new Map([[0, 20]]));
  });
}

export interface StackOptions {
  emulator?: EmulatorOptions;
  env?: Record<string, string>;
  workers?: number;
  redis?: RedisOptions;
  quiet?: boolean;
  quickTasks?: boolean;
  /** Workers read the list of models at the emulator. */
  catalogue?: boolean;
  /** The test kills workers or cuts connections, so entries may get lost. */
  kills?: boolean;
  /** Both apps talk to Redis itself, and `proxy` is of no use: the process of a test that measures times does not carry their traffic. */
  direct?: boolean;
}

/**
 * Both apps as processes over a real Redis, an S3 server, the emulator and a webhook receiver; stopped when the test ends. Nothing
 * is repaired in silence: the test fails when an entry had to be made anew, unless it says that it kills processes or cuts connections.
 */
export const startStack = (o: StackOptions = {}) => launch(o, onTestFinished);

/**
 * One stack for tests of a file that ask for the same one and leave it as it was; it takes 3 s of CPU time to start. Each gets a
 * tenant and a receiver of its own, an emulator that has seen nothing, and an S3 server that works. What all tenants share
 * (pauses, settings, workers) a test of such a file leaves alone or puts back; one that kills or freezes starts its own.
 */
export function shareStack(o: StackOptions = {}): () => Promise<Stack> {
  let shared: Stack | undefined;
  let tenants = 0;
  const endings: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    shared = await launch(o, (ending) => void endings.push(ending));
  });
  afterAll(async () => {
    for (const ending of endings.toReversed()) await ending();
  });
  return async () => {
    if (shared === undefined) throw new Error('the shared stack did not start');
    shared.emulator.reset();
    shared.s3.outage(false);
    // It stands until the end: what is sent late must not come to the port of another test.
    const receiver = await startReceiver();
    endings.push(receiver.stop);
    tenants += 1;
    const tenantName = `acme-${tenants}`;
    return { ...shared, receiver, tenantName, tenant: await newTenant(shared.url, shared.admin, tenantName, receiver) };
  };
}

type Client = ReturnType<typeof createClient>;

/** A tenant with a key for everything; its secret is that of the receiver from then on. */
async function newTenant(url: string, admin: Client, name: string, receiver: Receiver): Promise<Client> {
  const { key } = await admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: name,
    name: 'tests',
    scopes: ['jobs:read', 'jobs:write', 'webhooks:write'],
  });
  const tenant = createClient(url, key);
  receiver.useSecret((await tenant.get<{ secret: string }>('/v1/webhook-secret')).secret);
  return tenant;
}

async function launch(o: StackOptions, atEnd: (ending: () => Promise<void>) => void) {
  const [redis, s3, emulator, receiver] = await Promise.all([
    startRedis({ appendonly: 'always', ...o.redis }),
    startS3(),
    startEmulator({ taskMs: 500, chatMs: 20, ...o.emulator }),
    startReceiver(),
  ]);
  if (o.quickTasks) await learnQuickTasks(redis.url);
  const proxy = await startRedisProxy(redis.url);
  const env = {
    ...s3.env,
    REDIS_URL: o.direct ? redis.url : proxy.url,
    GRSAI_API_KEY: 'sk-0123456789abcdef0123456789abcdef',
    GRSAI_BASE_URLS: emulator.url,
    ADMIN_API_KEY: ADMIN_KEY,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    EGRESS_ALLOW: '127.0.0.0/8',
    HEALTH_PORT: '0',
    HOST: '127.0.0.1',
    DRAIN_S: '0',
    ...(o.catalogue ? { GRSAI_CATALOGUE_URL: emulator.url } : {}),
    ...o.env,
  };
  const port = await freePort();
  const starting: ReturnType<typeof startProcess>[] = [];
  const start = async (...args: Parameters<typeof startProcess>) => {
    const process = startProcess(...args);
    starting.push(process);
    return await process;
  };
  // Said before the first start: where one fails the others do not stay behind.
  atEnd(async () => {
    const processes = (await Promise.allSettled(starting)).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    await Promise.all(processes.map((each) => each.stop()));
    await Promise.all([proxy.stop(), s3.stop(), receiver.stop(), emulator.close()]);
    const repairs = o.kills ? 0 : await repairsIn(redis);
    await redis.stop();
    if (repairs === 0) return;
    const logged = processes.flatMap(({ lines }) => lines.filter(({ event }) => /\.(repaired|entry_missing)$/.test(`${event}`)));
    throw new Error(`${repairs} entries were lost and made anew:\n${logged.map(({ raw }) => raw).join('\n')}`);
  });
  // A quiet process says nothing when it is ready; a test with very many jobs does not want their lines.
  const quiet = o.quiet ? { LOG_LEVEL: 'warn' } : {};
  /** @param from the `main.ts` of another release */
  const startApi = async (more: Record<string, string> = {}, from = entry('api')) => {
    const own = { entry: from, env: { ...env, PORT: String(port), ...quiet, ...more } };
    if (!o.quiet) return await start({ ...own, ready: (line) => line['event'] === 'api.ready' });
    const api = await start(own);
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/livez`).then(
        (response) => response.ok,
        () => false,
      );
    await waitFor(answers, { timeoutMs: 15_000, what: 'the API to answer' });
    return api;
  };
  const startWorker = (more: Record<string, string> = {}, event = 'worker.ready', from = entry('worker')) =>
    start({
      entry: from,
      env: { ...env, ...quiet, ...more },
      ...(o.quiet ? {} : { ready: (line) => line['event'] === event }),
    });
  const [api, ...workers] = await Promise.all([startApi(), ...Array.from({ length: o.workers ?? 1 }, () => startWorker())]);
  // Until then a worker begins no image job: a test may break S3 at once.
  if (!o.quiet) await Promise.all(workers.map((worker) => worker.waitForLine((line) => line['event'] === 'store.proven')));
  const url = `http://127.0.0.1:${port}`;
  const client = createClient(url, env.ADMIN_API_KEY);
  const tenantName = 'acme';
  const tenant = await newTenant(url, client, tenantName, receiver);
  return {
    url,
    redis,
    proxy,
    s3,
    emulator,
    receiver,
    api,
    worker: workers[0] as Awaited<ReturnType<typeof startWorker>>,
    workers,
    startApi,
    startWorker,
    admin: client,
    tenant,
    tenantName,
    env,
  };
}

export type Stack = Awaited<ReturnType<typeof launch>>;

/** A client with a key of another tenant, which can send and read jobs. */
export async function tenantOf(stack: Stack, tenant: string) {
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant,
    name: 't',
    scopes: ['jobs:read', 'jobs:write'],
  });
  return createClient(stack.url, key);
}
