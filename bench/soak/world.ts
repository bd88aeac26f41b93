import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Emulator, startEmulator } from '@grsai-jobs/grsai-emulator';
import { type Receiver, type RedisHandle, type S3Handle, startReceiver, startS3 } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import type { Child } from '../lib/children.ts';
import { type OurApi, startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { ProcessName } from './measures.ts';

/** Short, so that as much goes as comes well within an hour: 4.3 minutes. */
const RETENTION_DAYS = '0.003';
/** A rule of the bucket, as operators are told to have one. */
const OBJECTS_KEPT_MS = 5 * 60_000;

/** Of most requests and tasks of upstream some go wrong, whatever else happens. */
export const USUAL_MIX = [
  { fault: 'F3', p: 0.003 },
  { fault: 'F4', p: 0.002 },
  { fault: 'F6', p: 0.001 },
  { fault: 'F16', p: 0.01 },
  { fault: 'F17', p: 0.003 },
  { fault: 'F18:as=503', p: 0.01 },
  { fault: 'F21', p: 0.003 },
  { fault: 'F22:ms=3000', p: 0.002 },
];
export const USUAL_PACE = { taskMs: { min: 1000, max: 8000 }, chatMs: { min: 20, max: 400 } };

export const TENANTS = ['soak-1', 'soak-2', 'soak-3', 'soak-4', 'soak-5'] as const;
export type Tenant = (typeof TENANTS)[number];

/** A process, or the present life of one that is killed. */
export interface Running {
  readonly name: ProcessName;
  readonly child: Child;
  /** Where its metrics are. */
  readonly url: string;
}

export interface World {
  readonly redis: RedisHandle;
  /** Beside the connections of the service. */
  readonly eye: Redis;
  readonly s3: S3Handle;
  readonly emulator: Emulator;
  readonly receiver: Receiver;
  readonly api: OurApi;
  readonly headers: Readonly<Record<Tenant, Readonly<Record<string, string>>>>;
  /** Those that live now. */
  running(): readonly Running[];
  /** SIGKILL; the next life begins when it is gone. */
  killWorker2(): Promise<void>;
  /** Does what the bucket's rule does, and answers how many objects are left. */
  expireObjects(): Promise<number>;
  stop(): Promise<void>;
}

/** Everything of a soak. The stand-ins run in this process, and what they hold is not looked at. */
export async function startWorld(o: { dir: string; seed: string }): Promise<World> {
  const [redis, s3, emulator, receiver] = await Promise.all([
    startOwnRedis(),
    startS3(),
    startEmulator({ seed: o.seed, ...USUAL_PACE, imageEdge: 48, lifeMs: 2 * 3600_000, mix: [] }),
    startReceiver(),
  ]);
  const env = { ...s3.env, LOG_LEVEL: 'warn', TENANT_MAX_REDIS_BYTES: 'off' };
  const logOf = (name: string) => {
    const file = createWriteStream(join(o.dir, `${name}.log`), { flags: 'a' });
    return (line: string) => void file.write(`${line}\n`);
  };
  const api = await startOurApi(redis, { env, onLine: logOf('api') });
  const startWorker = async (name: ProcessName): Promise<Running> => {
    const more = { ...env, RETENTION_DAYS, GRSAI_MAX_IN_FLIGHT: '600', GRSAI_CATALOGUE_URL: 'off' };
    const child = await startReadyWorker(redis, { upstreamUrl: emulator.url, env: more, onLine: logOf(name) });
    return { name, child, url: child.url };
  };
  let [worker1, worker2]: (Running | undefined)[] = await Promise.all([startWorker('worker-1'), startWorker('worker-2')]);
  const keys = await Promise.all(TENANTS.map(async (tenant) => [tenant, await api.headersOf(tenant)] as const));
  const eye = new Redis(redis.url, { maxRetriesPerRequest: null });
  eye.on('error', () => undefined); // it comes back
  const expireObjects = bucketRule(s3);
  return {
    ...{ redis, eye, s3, emulator, receiver, api, expireObjects },
    headers: Object.fromEntries(keys) as World['headers'],
    running: () => [
      { name: 'api', child: api, url: api.url },
      ...(worker1 === undefined ? [] : [worker1]),
      ...(worker2 === undefined ? [] : [worker2]),
    ],
    killWorker2: async () => {
      const gone = worker2;
      worker2 = undefined;
      await gone?.child.kill();
      worker2 = await startWorker('worker-2');
    },
    stop: async () => {
      eye.disconnect();
      await Promise.all([api, worker1?.child, worker2?.child].map((child) => child?.stop()));
      worker1 = undefined;
      await Promise.all([s3.stop(), receiver.stop(), emulator.close()]);
      await redis.stop();
    },
  };
}

/** Objects of jobs go when this has seen them for long enough. */
function bucketRule(s3: S3Handle): () => Promise<number> {
  const seen = new Map<string, number>();
  return async () => {
    const keys = await s3.keys();
    const now = Date.now();
    const old = keys.filter((key) => {
      if (!key.includes('job_')) return false;
      const since = seen.get(key) ?? now;
      seen.set(key, since);
      return now - since > OBJECTS_KEPT_MS;
    });
    const there = new Set(keys);
    for (const key of seen.keys()) if (!there.has(key)) seen.delete(key);
    for (const key of old) {
      const answer = await fetch(`${s3.endpoint}/${s3.bucket}/${key}`, { method: 'DELETE' }).catch(() => undefined);
      await answer?.body?.cancel();
    }
    return keys.length - old.length;
  };
}
