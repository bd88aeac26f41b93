import { randomUUID } from 'node:crypto';
import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import { startRedis, startRedisProxy, VirtualClock } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { createJobStore } from '../src/index.ts';

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A job id that no other test has. */
export const newJobId = (): string =>
  `job_${[...randomUUID().replaceAll('-', '')]
    .map((c) => ULID[Number.parseInt(c, 16)])
    .join('')
    .slice(0, 26)}`;

export const imageDoc = (more: object = {}): JobDoc => ({
  ...JobRequest.parse({
    type: 'image',
    input: { model: 'nano-banana-2', prompt: 'a paper lighthouse' },
    webhook: { url: 'https://caller.example/hooks' },
    ...more,
  }),
  on_unknown_submit: 'fail',
});

export const NO_LIMITS = { maxInFlight: 0, rpm: 0 };

/** A store on a Redis of its own, behind a proxy that can cut the connection. */
export async function startStore() {
  const server = await startRedis();
  const proxy = await startRedisProxy(server.url);
  const redis = new Redis(proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
  redis.on('error', () => {});
  const direct = new Redis(server.url);
  const clock = new VirtualClock(1_800_000_000_000);
  onTestFinished(async () => {
    redis.disconnect();
    direct.disconnect();
    await proxy.stop();
    await server.stop();
  });
  return { store: createJobStore({ redis, prefix: 'gj', clock }), redis: direct, proxy, clock };
}

export type Started = Awaited<ReturnType<typeof startStore>>;

/** A job that has reached a state by its moves. */
export async function jobIn(
  kit: Started,
  state: 'queued' | 'submitting' | 'generating' | 'storing' | 'failed',
  doc = imageDoc(),
) {
  const { moves, jobs } = kit.store;
  const id = newJobId();
  const token = randomUUID();
  const read = async () => {
    const record = await jobs.read(id);
    if (record === null) throw new Error('no record');
    return record;
  };
  await moves.accept({ id, tenant: 'acme', doc });
  if (state !== 'queued') {
    const begun = await moves.begin({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
    if (begun.kind !== 'ok') throw new Error(begun.kind);
  }
  const taken = {
    by: token,
    token: randomUUID(),
    base: 'http://b',
    taskId: '1-t',
    firstLookMs: 0,
    aliveUntil: kit.clock.now() + 1e6,
    attempts: [],
  };
  if (state === 'generating' || state === 'storing' || state === 'failed') await moves.accepted(await read(), taken);
  if (state === 'storing')
    await moves.outputs(await read(), { pending: { links: [{ url: 'http://f/1.png' }], dies_at: kit.clock.now() + 1e6 } });
  if (state === 'failed') await moves.end(await read(), { status: 'failed' });
  return { id, token, read };
}
