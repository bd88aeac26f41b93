import { randomBytes, randomUUID } from 'node:crypto';
import { createEgress } from '@grsai-jobs/egress';
import { Grsai } from '@grsai-jobs/grsai';
import { startEmulator, VirtualClock } from '@grsai-jobs/grsai-emulator';
import { createJobStore } from '@grsai-jobs/job-store';
import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { connectRedis, createProducer } from '@grsai-jobs/queue';
import { createLogger, createMetrics } from '@grsai-jobs/runtime';
import { startRedis } from '@grsai-jobs/testkit';
import { onTestFinished } from 'vitest';
import { createAccountTrouble } from '../src/pauses/account-trouble.ts';
import { createRefusalBrake } from '../src/pauses/brake.ts';
import { askForMoney } from '../src/pauses/credits.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { baseState, keyState } from '../src/stages/key-probe.ts';
import type { Kit } from '../src/stages/kit.ts';
import { createStageMetrics } from '../src/stages/metrics.ts';

/** What the parts of a worker work with, on a real Redis and an emulator, with one clock that the test moves. */
export async function startKit() {
  const clock = new VirtualClock(1_800_000_000_000);
  const [server, emulator] = await Promise.all([startRedis(), startEmulator({ clock, taskMs: 1000 })]);
  const onError = () => {};
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const store = createJobStore({ redis, prefix: 'gj', clock });
  // The stand-in refuses keys that begin with `sk-bad`.
  const grsai = new Grsai({ apiKey: `sk-0${randomBytes(16).toString('hex').slice(1)}`, baseUrls: [emulator.url] });
  const metrics = createMetrics();
  const log = createLogger({ name: 'test', level: 'silent', pretty: false });
  const control = createPauseControl({ pauses: store.pauses, producer, clock, log });
  const asked = { key: 0, money: 0 };
  const trouble = createAccountTrouble({
    control,
    probes: {
      key: () => {
        asked.key += 1;
        return keyState(grsai, new AbortController().signal);
      },
      money: () => {
        asked.money += 1;
        return askForMoney(grsai);
      },
      base: (base) => baseState(grsai, base, new AbortController().signal),
    },
    clock,
    log,
  });
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const kit: Kit & { grsai: Grsai } = {
    store,
    producer,
    clock,
    log,
    metrics: createStageMetrics(metrics),
    backoff: () => 0,
    memory: { tight: () => false, critical: () => false },
    deliveries: { reserve: () => null },
    shutdown: { stopping: new AbortController().signal, cutting: new AbortController().signal },
    grsai,
  };
  onTestFinished(async () => {
    await grsai.close();
    await egress.close();
    await producer.close();
    redis.disconnect();
    await emulator.close();
    await server.stop();
  });
  const count = async (name: string) => {
    const line = (await metrics.expose()).text.split('\n').find((each) => each.startsWith(`grsai_jobs_${name}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const brake = createRefusalBrake({ brakes: store.brakes, producer, clock, log: kit.log });
  return { ...kit, ...NO_OUTPUTS, brake, clock, redis, emulator, egress, count, control, trouble, asked };
}

export type TestKit = Awaited<ReturnType<typeof startKit>>;

export const imageDoc = (more: object = {}): JobDoc => ({
  ...JobRequest.parse({
    type: 'image',
    input: { model: 'nano-banana-2', prompt: 'a lighthouse' },
    webhook: { url: 'https://a.example/hook' },
    ...more,
  }),
  on_unknown_submit: 'fail',
});

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const newId = () =>
  `job_${[...randomUUID().replaceAll('-', '')]
    .map((c) => ULID[Number.parseInt(c, 16)])
    .join('')
    .slice(0, 26)}`;

/** A job with its record and no entry, as a crash between the two leaves it. */
export async function acceptedJob(
  kit: TestKit,
  more: object = {},
  change: (doc: JobDoc) => JobDoc = (same) => same,
  tenant = 'acme',
) {
  const id = newId();
  await kit.store.moves.accept({ id, tenant, doc: change(imageDoc(more)) });
  const read = async () => {
    const record = await kit.store.jobs.read(id);
    if (record === null) throw new Error(`no record of ${id}`);
    return record;
  };
  return { id, read };
}

/** A job whose image task is alive at the emulator. */
export async function generatingJob(kit: TestKit, prompt = 'a lighthouse', more: object = {}) {
  const job = await acceptedJob(kit, more);
  const by = randomUUID();
  await kit.store.moves.begin({ id: job.id, step: 1 }, { token: by, limitMs: 1000 }, { maxInFlight: 0, rpm: 0 });
  const { id: taskId, base } = await kit.grsai.images.submit({ model: 'nano-banana-2', prompt });
  const aliveUntil = kit.clock.now() + 1e6;
  await kit.store.moves.accepted(await job.read(), {
    by,
    token: randomUUID(),
    base,
    taskId,
    firstLookMs: 0,
    aliveUntil,
    attempts: [],
  });
  return job;
}

/** For stages of tests in which no bytes come in an answer. */
const NO_OUTPUTS = {
  objects: { putBytes: () => Promise.reject(new Error('no outputs here')) } as unknown as ObjectStore,
  keyPrefix: '',
  storage: { stored: () => undefined, failed: () => undefined },
};
