import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Emulator, startEmulator } from '@grsai-jobs/grsai-emulator';
import {
  freePort,
  type Receiver,
  type RedisHandle,
  type RedisProxy,
  type S3Handle,
  startReceiver,
  startRedis,
  startRedisProxy,
  startS3,
} from '@grsai-jobs/testkit';
import { type Client, createClient } from './client.ts';
import { createEye, type Eye } from './eye.ts';
import { APIS, WORKERS } from './plan-troubles.ts';
import { startRunningClock } from './running-clock.ts';
import { type Kept, keepAlive } from './supervisor.ts';
import { PRICES, TENANTS, type Tenant } from './tenants.ts';

const entry = (app: 'api' | 'worker') => fileURLToPath(new URL(`../../apps/${app}/src/main.ts`, import.meta.url));
const ADMIN_KEY = 'admin-key-for-chaos-0123456789';
const PREFIX = 'gj';

/** Shorter than a run's freezes, so that a worker loses its locks in them. */
const LOCKS = { QUEUE_LOCK_MS: '3000', QUEUE_STALLED_MS: '1000' };

/** Both apps several times over, everything they talk to, and an eye on Redis that no trouble reaches but its death. */
export interface World {
  readonly redis: RedisHandle;
  /** What the APIs reach Redis through, and each worker by itself. */
  readonly proxies: { readonly apis: RedisProxy; readonly workers: readonly RedisProxy[] };
  readonly s3: S3Handle;
  readonly emulator: Emulator;
  /** Each tenant has its own. */
  readonly receivers: Readonly<Record<Tenant, Receiver>>;
  /** Ids of the events that a receiver has answered with 200. */
  readonly receivedEvents: ReadonlySet<string>;
  readonly apis: readonly Kept[];
  readonly workers: readonly Kept[];
  /** One for each API, with the key of the tenant. */
  readonly clients: Readonly<Record<Tenant, readonly Client[]>>;
  /** The same for an operator. */
  readonly operators: readonly Client[];
  readonly eye: Eye;
  /** Puts the emulator's clock on. */
  skipTime(ms: number): void;
  stop(): Promise<void>;
}

export async function startWorld(o: { seed: string }): Promise<World> {
  const time = startRunningClock();
  const [redis, s3, emulator, acme, thrift, folder] = await Promise.all([
    startRedis({ appendonly: 'always' }),
    startS3(),
    startEmulator({
      seed: o.seed,
      clock: time.clock,
      nodes: 2,
      taskMs: { min: 500, max: 8000 },
      chatMs: { min: 50, max: 2500 },
    }),
    startReceiver(),
    startReceiver(),
    mkdtemp(join(tmpdir(), 'chaos-')),
  ]);
  const receivers = { acme, thrift };
  const prices = join(folder, 'prices.json');
  await writeFile(prices, JSON.stringify(PRICES));
  const [apiProxy, ...workerProxies] = await Promise.all([
    startRedisProxy(redis.url),
    ...Array.from({ length: WORKERS }, () => startRedisProxy(redis.url)),
  ]);
  const receivedEvents = new Set<string>();
  for (const receiver of Object.values(receivers)) answerLikeAReceiver(receiver, o.seed, receivedEvents);
  const env = {
    ...s3.env,
    ...LOCKS,
    REDIS_PREFIX: PREFIX,
    GRSAI_API_KEY: 'sk-0123456789abcdef0123456789abcdef',
    GRSAI_BASE_URLS: emulator.nodes.map((node) => node.url).join(','),
    MODEL_PRICES: prices,
    ADMIN_API_KEY: ADMIN_KEY,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    EGRESS_ALLOW: '127.0.0.0/8',
    HEALTH_PORT: '0',
    DRAIN_S: '0',
    HOST: '127.0.0.1',
  };
  const ports: number[] = [];
  for (let i = 0; i < APIS; i += 1) ports.push(await freePort());
  const [apis, workers] = await Promise.all([
    Promise.all(
      ports.map((port, i) =>
        keepAlive({
          name: `api-${i}`,
          entry: entry('api'),
          env: { ...env, REDIS_URL: apiProxy.url, PORT: String(port) },
          readyEvent: 'api.ready',
        }),
      ),
    ),
    Promise.all(
      workerProxies.map(({ url }, i) =>
        keepAlive({ name: `worker-${i}`, entry: entry('worker'), env: { ...env, REDIS_URL: url }, readyEvent: 'worker.ready' }),
      ),
    ),
  ]);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const operators = urls.map((url) => createClient(url, ADMIN_KEY));
  const clientsOf = async (tenant: Tenant): Promise<Client[]> => {
    const scopes = ['jobs:read', 'jobs:write', 'webhooks:write'];
    const { key } = await createClient(urls[0] ?? '', ADMIN_KEY).json<{ key: string }>('POST', '/admin/v1/keys', {
      ...{ tenant, name: 'chaos', scopes },
    });
    const clients = urls.map((url) => createClient(url, key));
    receivers[tenant].useSecret((await clients[0]?.json<{ secret: string }>('GET', '/v1/webhook-secret'))?.secret ?? '');
    return clients;
  };
  const clients = { acme: await clientsOf('acme'), thrift: await clientsOf('thrift') };
  const eye = createEye(redis.url, { prefix: PREFIX, tenants: TENANTS });
  return {
    ...{ redis, s3, emulator, receivers, receivedEvents, apis, workers, clients, operators, eye },
    proxies: { apis: apiProxy, workers: workerProxies },
    skipTime: time.skip,
    stop: async () => {
      await Promise.all([...apis, ...workers].map((kept) => kept.destroy()));
      eye.close();
      await Promise.all([apiProxy, ...workerProxies].map((proxy) => proxy.stop()));
      const ends = Object.values(receivers).map((receiver) => receiver.stop());
      await Promise.all([s3.stop(), ...ends, emulator.close(), time.stop(), rm(folder, { recursive: true })]);
      await redis.stop();
    },
  };
}

/** Some first tries meet a receiver that is not at its best; the second one always works. */
function answerLikeAReceiver(receiver: Receiver, seed: string, receivedEvents: Set<string>): void {
  const seen = new Set<string>();
  receiver.respond((request) => {
    const id = String(request.headers['webhook-id']);
    const first = !seen.has(id);
    seen.add(id);
    const draw =
      (createHash('sha256')
        .update(`${seed}/${id.split('_').slice(2).join()}/${seen.size}`)
        .digest()[0] ?? 0) / 256;
    if (first && draw < 0.06) return 500;
    if (first && draw < 0.09) return 'reset';
    receivedEvents.add(id);
    return first && draw < 0.12 ? { status: 200, delayMs: 2000 } : 200;
  });
}
