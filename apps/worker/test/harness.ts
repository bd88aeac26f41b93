import { randomBytes, randomUUID } from 'node:crypto';
import { createEgress } from '@grsai-jobs/egress';
import { Grsai } from '@grsai-jobs/grsai';
import { startEmulator, VirtualClock } from '@grsai-jobs/grsai-emulator';
import { type AccountLimits, createJobStore } from '@grsai-jobs/job-store';
import {
  type FailureCode,
  type Generating,
  type Job,
  type JobDoc,
  type JobPrice,
  JobRequest,
  jobError,
  UNKNOWN_DURATIONS,
} from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { createProducer, entryId } from '@grsai-jobs/queue';
import { connectRedis } from '@grsai-jobs/redis';
import { createLogger, createMetrics, systemTimers } from '@grsai-jobs/runtime';
import { startRedis } from '@grsai-jobs/testkit';
import { onTestFinished } from 'vitest';
import { createWorkerMetrics } from '../src/metrics.ts';
import { type AccountTrouble, createAccountTrouble } from '../src/pauses/account-trouble.ts';
import { createRefusalBrake } from '../src/pauses/brake.ts';
import { askForMoney } from '../src/pauses/credits.ts';
import { baseState, keyState } from '../src/pauses/key-probe.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth, type UpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createCancelableCalls } from '../src/runner/cancelable-calls.ts';
import { createJournal } from '../src/runner/journal.ts';
import { type PaidRunnerDeps, runFreeStage, runPaidStage } from '../src/runner/runner.ts';
import { settle } from '../src/runner/settle.ts';
import { createTokenStreams, type TokenStreams } from '../src/runner/token-streams.ts';
import type { Shutdown } from '../src/runner/until-taken.ts';
import { createCallStage } from '../src/stages/call.ts';
import { afterFailedCall } from '../src/stages/failed-call.ts';
import type { PaidOutputsDeps } from '../src/stages/outputs/paid-outputs.ts';
import { createPollStage } from '../src/stages/poll.ts';
import { createSubmitStage } from '../src/stages/submit.ts';
import type { LearnedPace } from '../src/stages/task/learned-pace.ts';
import { createKnownTasks, type KnownTasks, taskFacts } from '../src/stages/task/task-facts.ts';
import { createInputObjects, type InputObjects } from '../src/stages/upstream/input-objects.ts';

/** What the parts of a worker work with, on a real Redis and an emulator, with one clock that the test moves. */
export async function startHarness() {
  const agreeing: { trouble(): string | undefined } = { trouble: () => undefined };
  const clock = Object.assign(new VirtualClock(1_800_000_000_000), agreeing);
  const [server, emulator] = await Promise.all([startRedis(), startEmulator({ clock, taskMs: 1000 })]);
  const onError = () => {};
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const store = createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock });
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
  const harness = {
    store,
    producer,
    clock,
    timers: systemTimers,
    random: Math.random,
    newToken: randomUUID,
    log,
    metrics: createWorkerMetrics(metrics),
    backoff: () => 0,
    disturbance: { within: () => false },
    journal: createJournal(systemTimers),
    onRecovering: () => undefined,
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
  const brake = createRefusalBrake({ brakes: store.brakes, producer, clock, log: harness.log });
  return { ...harness, ...NO_OUTPUTS, brake, clock, redis, emulator, egress, count, control, trouble, asked };
}

export type Harness = Awaited<ReturnType<typeof startHarness>>;

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
  harness: Harness,
  more: object = {},
  change: (doc: JobDoc) => JobDoc = (same) => same,
  tenant = 'acme',
  price: JobPrice | null = null,
) {
  const id = newId();
  await harness.store.transitions.create({ id, tenant, doc: change(imageDoc(more)), price });
  const read = async () => {
    const record = await harness.store.jobs.read(id);
    if (record === null) throw new Error(`no record of ${id}`);
    return record;
  };
  return { id, read };
}

/** A job whose image task is alive at the emulator. */
export async function generatingJob(harness: Harness, prompt = 'a lighthouse', more: object = {}, price: JobPrice | null = null) {
  const job = await acceptedJob(harness, more, undefined, undefined, price);
  const submitting = await startedCall(harness, job.id);
  const task = await harness.grsai.images.submit({ model: 'nano-banana-2', prompt });
  const now = harness.clock.now();
  await harness.store.transitions.commit(submitting, {
    kind: 'task_accepted',
    task: { base: task.base, id: task.id },
    attempt: { stage: 'submit', started_at: now, ended_at: now, outcome: 'accepted' },
    firstPollMs: 0,
    aliveMs: 1e6,
  });
  return job;
}

/** The job with the lease of a call that is in flight. */
export async function startedCall(
  harness: Pick<Harness, 'store'>,
  id: string,
  { step = 1, limitMs = 1000, token = randomUUID() } = {},
) {
  const started = await harness.store.transitions.startCall({ id, step }, { token, limitMs }, NO_LIMITS);
  if (started.kind !== 'ok') throw new Error(started.kind);
  return started.job;
}

/** Ends a job as failed, as a worker does. */
export const failJob = async (harness: Harness, job: { read: () => Promise<Job> }, code: FailureCode, latePollMs?: number) => {
  const read = await job.read();
  const error = jobError(code, read.stage ?? 'queued');
  await settle(harness, read, { kind: 'finish', status: 'failed', error, ...(latePollMs === undefined ? {} : { latePollMs }) });
};

/** Inputs of tests in which none stands in the object store. */
const noInputs = () =>
  createInputObjects({
    objects: { get: () => Promise.reject(new Error('no inputs here')), signedUrl: async () => ({ url: '', expiresAt: 0 }) },
    how: 'inline',
    timers: systemTimers,
    newToken: randomUUID,
  });

/** What a test puts in place of the parts of its harness. */
interface Parts {
  limits?: () => AccountLimits;
  grsai?: Pick<Grsai, 'chat' | 'images'>;
  pauses?: Harness['control'];
  trouble?: AccountTrouble;
  upstream?: UpstreamHealth;
  pace?: Pick<LearnedPace, 'durations' | 'learn'>;
  tasks?: KnownTasks;
  inputs?: InputObjects;
  outputs?: Omit<PaidOutputsDeps, 'timers'>;
  shutdown?: Shutdown;
  probeKey?: () => Promise<boolean>;
  storeProven?: () => boolean;
  tokenStreams?: TokenStreams;
}

export const NO_LIMITS: AccountLimits = { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 };

/** The stages that call upstream as a worker runs them: each takes a queue entry. */
export function handlersOf(harness: Harness, parts: Parts = {}) {
  const tasks = parts.tasks ?? createKnownTasks(systemTimers);
  const own = {
    ...harness,
    ...NO_OUTPUTS,
    ...parts.outputs,
    tasks,
    limits: () => NO_LIMITS,
    pauses: harness.control,
    upstream: createUpstreamHealth(harness.control, harness.log),
    inFlight: createCancelableCalls(),
    tokenStreams: createTokenStreams(harness),
    inputs: noInputs(),
    pace: { durations: () => UNKNOWN_DURATIONS, learn: () => undefined },
    probeKey: async () => true,
    storeProven: () => true,
    notSent: harness.brake.notSent,
    accepted: (job: Generating) => void tasks.set(entryId(job), taskFacts(job)),
    reportProgress: () => undefined,
    ...parts,
  };
  const runner: PaidRunnerDeps = { ...own, afterFailedCall: (...failed) => afterFailedCall(own, ...failed) };
  return {
    call: runPaidStage(runner, createCallStage(own)),
    submit: runPaidStage(runner, createSubmitStage(own)),
    poll: runFreeStage(runner, createPollStage(own)),
    runner,
  };
}

/** For stages of tests in which no bytes come in an answer. */
const NO_OUTPUTS = {
  objects: { putBytes: () => Promise.reject(new Error('no outputs here')) } as unknown as ObjectStore,
  keyPrefix: '',
  storage: { stored: () => undefined, failed: () => undefined },
};
