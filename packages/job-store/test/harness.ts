import { randomUUID } from 'node:crypto';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import {
  isTerminal,
  type Job,
  type JobDoc,
  type JobRecord,
  JobRequest,
  type NewAttempt,
  NO_COST,
  newRecord,
  type Stage,
  type State,
  type Status,
  type Transition,
  type UnstoredResult,
} from '@grsai-jobs/jobs';
import { startRedis, startRedisProxy, VirtualClock } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { createJobStore } from '../src/index.ts';
import type { Timers } from '../src/timers.ts';

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

/** Real time, as `systemTimers` of a process. */
export const timers: Timers = {
  elapsed: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  sleep: (ms, signal) => setTimeoutPromise(ms, undefined, signal && { signal }),
};

export const NO_LIMITS = { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 };

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
  return { store: createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock }), redis: direct, proxy, clock };
}

export type Started = Awaited<ReturnType<typeof startStore>>;

/** An attempt as a stage reports it. */
export const attemptOf = (stage: NewAttempt['stage'], outcome: NewAttempt['outcome'] = 'retry'): NewAttempt => ({
  stage,
  started_at: 1,
  ended_at: 2,
  outcome,
});

export const UNSTORED: UnstoredResult = { links: [{ url: 'http://f/1.png' }], dies_at: 1_800_001_000_000 };

export const ACCEPTED = {
  kind: 'task_accepted',
  task: { base: 'http://b', id: '1-t' },
  attempt: attemptOf('submit', 'accepted'),
  firstPollMs: 0,
  aliveMs: 1e6,
} as const satisfies Transition;

/** A job that has reached a state by its transitions. `token` is that of its call. */
export async function jobIn(
  harness: Started,
  state: 'queued' | 'submitting' | 'generating' | 'storing' | 'failed',
  doc = imageDoc(),
) {
  const { transitions, jobs } = harness.store;
  const id = newJobId();
  const token = randomUUID();
  const read = async () => {
    const record = await jobs.read(id);
    if (record === null) throw new Error('no record');
    return record;
  };
  const commit = async (transition: Transition) => {
    const committed = await transitions.commit(await read(), transition);
    if (committed.kind !== 'ok') throw new Error(`${transition.kind}: ${committed.kind}`);
  };
  await transitions.create({ id, tenant: 'acme', doc });
  if (state !== 'queued') {
    const started = await transitions.startCall({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
    if (started.kind !== 'ok') throw new Error(started.kind);
  }
  if (state === 'generating' || state === 'storing' || state === 'failed') await commit(ACCEPTED);
  if (state === 'storing') await commit({ kind: 'start_storing', unstored: UNSTORED });
  if (state === 'failed') await commit({ kind: 'finish', status: 'failed' });
  return { id, token, read, commit };
}

/** The job as somebody has it who holds another lease. */
export const heldBy = <J extends JobRecord>(job: J, token: string): J => ({
  ...job,
  lease: { acquired_at: 0, expires_at: 0, ...job.lease, token },
});

/** One transition of every kind. */
export const EXAMPLES: { readonly [K in Transition['kind']]: Extract<Transition, { kind: K }> } = {
  reassert_call: {
    kind: 'reassert_call',
    token: 'lease-of-before',
    heldMs: 500,
    leftMs: 20_000,
    attempts: [],
    attemptsUsed: 1,
    startedAt: 1,
    cost: NO_COST,
  },
  report_progress: { kind: 'report_progress', progress: 5, leaseMs: 20_000 },
  release: { kind: 'release', waitMs: 1000, attempt: attemptOf('submit'), attemptsUsed: 1 },
  task_accepted: ACCEPTED,
  poll: { kind: 'poll', progress: 40, polls: 2 },
  resubmit: { kind: 'resubmit', waitMs: 1000, attempt: attemptOf('poll', 'failed') },
  start_storing: { kind: 'start_storing', unstored: UNSTORED },
  retry_storing: { kind: 'retry_storing', waitMs: 1000, attempt: attemptOf('store') },
  finish: {
    kind: 'finish',
    status: 'failed',
    latePollMs: 1000,
    error: { code: 'upstream_failed', message: 'no', retryable: false, stage: 'queued' },
  },
  cancel: { kind: 'cancel' },
  request_cancel: { kind: 'request_cancel' },
  reopen: { kind: 'reopen', to: 'queued' },
  requeue: { kind: 'requeue' },
  record_crash: { kind: 'record_crash', cause: 'thrown', waitMs: 1000 },
  record_task: { kind: 'record_task', task: ACCEPTED.task, latePollMs: 1000 },
  settle_call: { kind: 'settle_call', callEnd: 'failed' },
};

/** A line of a batch that nobody sees yet. */
export async function lineOf(harness: Started) {
  const batch = { id: newJobId().replace('job_', 'batch_'), tenant: 'acme' };
  const id = newJobId();
  const doc = imageDoc();
  await harness.store.batches.open({
    ...batch,
    doc: { expires_in_s: 3600, metadata: {} } as never,
    createdAt: harness.clock.now(),
  });
  await harness.store.batches.add(batch, 0, [{ jobId: id, line: 1, customId: 'a', doc }]);
  const hidden = newRecord({ id, tenant: 'acme', doc, createdAt: harness.clock.now(), turn: 0 });
  return { ...hidden, batch_id: batch.id } as Job;
}

/** A job in any state. One that has ended has kept the lease of its call. */
export async function jobAt(harness: Started, state: State): Promise<Job> {
  const [status, stage] = state.split('/') as [Status, Stage?];
  const job = await jobIn(harness, stage ?? (status === 'queued' ? 'queued' : 'submitting'));
  if (status === 'canceling') await job.commit({ kind: 'request_cancel' });
  if (isTerminal(status)) await job.commit({ kind: 'finish', status, keepLease: true });
  return await job.read();
}

/** All that stands in Redis. */
export async function everything(redis: Redis): Promise<Record<string, unknown>> {
  const read: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    hash: (key) => redis.hgetall(key),
    zset: (key) => redis.zrange(key, '0', '-1', 'WITHSCORES'),
    stream: (key) => redis.xrange(key, '-', '+'),
    list: (key) => redis.lrange(key, 0, -1),
    set: async (key) => (await redis.smembers(key)).sort(),
    string: (key) => redis.get(key),
  };
  const keys = (await redis.keys('*')).sort();
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await read[await redis.type(key)]?.(key)])));
}
