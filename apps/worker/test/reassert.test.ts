import { type CallEnd, jobError } from '@grsai-jobs/jobs';
import { createLogger } from '@grsai-jobs/runtime';
import { expect, test, vi } from 'vitest';
import { createRecovering } from '../src/recovery/recover.ts';
import { createJournal } from '../src/runner/journal.ts';
import { reassert } from '../src/runner/reassert.ts';
import { settle } from '../src/runner/settle.ts';
import { acceptedJob, type Harness, startedCall, startHarness } from './harness.ts';

const TASK = { base: 'https://b.example', id: '1-t' };
const accepted = (harness: Harness) => ({
  kind: 'task_accepted' as const,
  task: TASK,
  attempt: {
    stage: 'submit' as const,
    started_at: harness.clock.now(),
    ended_at: harness.clock.now(),
    outcome: 'accepted' as const,
  },
  firstPollMs: 0,
  aliveMs: 1e6,
});

const unknown = () => ({
  kind: 'finish' as const,
  status: 'failed' as const,
  error: jobError('submit_unknown', 'submitting'),
  keepLease: true as const,
});

/** What stands in Redis now. Calling it forgets everything that was written since, as a failover does. */
async function remember({ redis }: Harness): Promise<() => Promise<void>> {
  const keys = await redis.keys('*');
  const dumps = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
  return async () => {
    await redis.flushall();
    for (const [key, dump] of dumps) await redis.restore(key, 0, dump ?? '');
  };
}

test.each(['its lease', 'the job itself'])(
  'when a failover forgets %s while the call is in flight then the task that it brings is on record all the same',
  async (forgotten) => {
    const harness = await startHarness();
    const before = await remember(harness);
    const job = await acceptedJob(harness);
    const afterwards = await remember(harness);
    const call = await startedCall(harness, job.id);
    await (forgotten === 'its lease' ? afterwards : before)();
    expect(await settle(harness, call, accepted(harness))).toMatchObject({ kind: 'committed' });
    const record = await job.read();
    expect(record).toMatchObject({ status: 'running', stage: 'generating', task: TASK, attempts_used: 1, tenant: 'acme' });
    expect(await harness.producer.stateOf('poll', record)).toBe('there');
  },
);

test('when a failover forgets a call then it is in flight again as before, and nobody else makes it', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const forget = await remember(harness);
  const call = await startedCall(harness, job.id, { limitMs: 20_000 });
  await forget();
  await harness.clock.advance(5000);
  expect(await reassert(harness, call)).toBe('told');
  const record = await job.read();
  expect(record).toMatchObject({ status: 'running', stage: 'submitting', lease: call.lease, attempts_used: 0 });
  await expect(startedCall(harness, job.id)).rejects.toThrow('held');
  expect(await reassert(harness, call)).toBe('open');
});

test('when a worker says again that its call made nothing, and the next call has begun, then that one goes on', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const call = await startedCall(harness, job.id);
  const release = { kind: 'release', waitMs: 0, callEnd: 'nothing' } as const;
  expect(await settle(harness, call, release)).toMatchObject({ kind: 'committed' });
  const next = await startedCall(harness, job.id);
  expect(await settle(harness, call, release)).toMatchObject({ kind: 'dropped' });
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'submitting', lease: next.lease });
});

const FALLBACK = { type: 'image', fallback_models: ['nano-banana-pro'] };
const PRICES = [5, 9].map((reserve) => ({ reserve, refunds: { error: true, violation: false }, isOld: false }));

/** A job whose run has gone on with its second model, after the only attempt of the first. */
async function fallenBack(harness: Harness, callEnd: CallEnd = 'nothing') {
  const job = await acceptedJob(
    harness,
    { ...FALLBACK, max_attempts: 1 },
    (doc) => ({ ...doc, fallback_prices: PRICES }),
    'acme',
    PRICES[0],
  );
  const beforehand = await remember(harness);
  const first = await startedCall(harness, job.id);
  const amid = await remember(harness);
  await settle(harness, first, { kind: 'release', waitMs: 0, callEnd, model: 1 });
  return { job, beforehand, amid, call: await startedCall(harness, job.id) };
}

test('when a failover forgets that a run went on with another model then its call is in flight with that model and its price', async () => {
  const harness = await startHarness();
  const { job, beforehand, call } = await fallenBack(harness);
  await beforehand();
  expect(await reassert(harness, call)).toBe('told');
  const record = await job.read();
  expect(record).toMatchObject({ stage: 'submitting', lease: call.lease, attempts_used: 0, price: PRICES[1] });
  expect(record.doc.input.model).toBe('nano-banana-pro');
  await settle(harness, call, accepted(harness));
  expect(await harness.redis.hgetall(`{gj}:spent:acme:${Math.floor(harness.clock.now() / 86_400_000)}`)).toMatchObject({
    'nano-banana-pro ? r': '9',
  });
});

test.each<[CallEnd, object]>([
  ['nothing', { charged: null, refunded: null, unknown: 0 }],
  ['failed', { charged: null, refunded: 5, unknown: 0 }],
  ['unknown', { charged: null, refunded: null, unknown: 5 }],
])(
  'when a failover forgets that a call came to %s and another began then each costs what it does, by its own model',
  async (end, cost) => {
    const harness = await startHarness();
    const { job, amid, call } = await fallenBack(harness, end);
    const day = `{gj}:spent:acme:${Math.floor(harness.clock.now() / 86_400_000)}`;
    const counted = await harness.redis.hgetall(day);
    await amid();
    expect(await reassert(harness, call)).toBe('told');
    expect((await job.read()).cost).toMatchObject({ ...cost, open: 9 });
    expect(await harness.redis.hgetall(day)).toEqual(counted);
    await settle(harness, call, { kind: 'finish', status: 'failed', callEnd: 'made' });
    expect((await job.read()).cost).toMatchObject({ ...cost, open: null, charged: 9 });
  },
);

const KNOWN = { stage: 'generating', task: TASK };
const UNKNOWN = { status: 'failed', error: { code: 'submit_unknown' } };

test.each([
  ['the end of a call that brought a task', 'end', accepted, KNOWN],
  ['a call that brought a task', 'call', accepted, KNOWN],
  ['the end of a call of which nobody knows what it brought', 'end', unknown, UNKNOWN],
  ['a call of which nobody knows what it brought', 'call', unknown, UNKNOWN],
] as const)('when a failover forgets %s then its worker tells that again', async (_what, forgotten, endOf, known) => {
  const harness = await startHarness();
  const journal = createJournal(harness.timers);
  const job = await acceptedJob(harness);
  const before = await remember(harness);
  const call = await startedCall(harness, job.id);
  journal.begun(call);
  const amid = await remember(harness);
  await settle({ ...harness, journal }, call, endOf(harness));
  journal.over(call);
  await (forgotten === 'end' ? amid : before)();
  await harness.redis.set('{gj}:primary', 'another one');
  const recovering = createRecovering({ ...harness, journal, durability: 'memory', workerId: () => 'worker_a' });
  recovering.noticed();
  await expect.poll(() => job.read()).toMatchObject(known);
  await recovering.stop();
});

test('when a job was deleted then no call of it makes it again', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const call = await startedCall(harness, job.id);
  const { store } = harness;
  await settle(harness, call, { kind: 'finish', status: 'failed' });
  await store.erase.begin(await job.read());
  expect(await store.erase.asked(await job.read())).toBe(true);
  expect(await reassert(harness, call)).toBe('lost');
  expect(await store.jobs.read(job.id)).toBeNull();
});

test('when a primary is another then a worker tells it of its calls and of what they have brought, and paid calls are open again', async () => {
  const harness = await startHarness();
  const { clock, redis } = harness;
  const journal = createJournal(harness.timers);
  const [inFlight, brought] = [await acceptedJob(harness), await acceptedJob(harness)];
  const forget = await remember(harness);
  const calls = [await startedCall(harness, inFlight.id), await startedCall(harness, brought.id)] as const;
  for (const call of calls) journal.begun(call);
  await settle({ ...harness, journal }, calls[1], accepted(harness));
  journal.over(calls[1]);
  await forget();
  await redis.set('{gj}:primary', 'another one');
  const log = createLogger({ name: 'test', level: 'silent', pretty: false });
  const info = vi.spyOn(log, 'info');
  const recovering = createRecovering({ ...harness, log, journal, durability: 'memory', workerId: () => 'worker_a' });
  recovering.noticed();
  await expect.poll(() => inFlight.read()).toMatchObject({ lease: calls[0].lease });
  await expect.poll(() => brought.read()).toMatchObject({ stage: 'generating', task: TASK });
  await clock.advance(1000);
  await expect.poll(() => info.mock.calls.map(([said]) => said)).toContainEqual({ event: 'recovery.opened', since_ms: 1000 });
  expect(info.mock.calls[0]?.[0]).toEqual({ event: 'recovery.told', known: 0, told: 2, lost: 0 });
  await recovering.stop();
});

test('when a worker stays silent and the primary may have forgotten then what waits and is not to be called twice is held, and nothing else', async () => {
  const harness = await startHarness();
  const { clock, redis, store } = harness;
  const chat = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } };
  const held = [await acceptedJob(harness), await acceptedJob(harness, chat, (doc) => ({ ...doc, on_unknown_submit: 'fail' }))];
  const others = [
    await acceptedJob(harness, chat, (doc) => ({ ...doc, on_unknown_submit: 'resubmit' })),
    await acceptedJob(harness, {}, (doc) => ({ ...doc, on_unknown_submit: 'resubmit' })),
    await acceptedJob(harness),
  ];
  await startedCall(harness, others[2]?.id ?? '');
  await redis.hset('{gj}:workers', 'worker_dead', JSON.stringify({ id: 'worker_dead', seen_at: clock.now(), queues: {} }));
  await redis.set('{gj}:primary', 'another one');
  const recovering = createRecovering({ ...harness, durability: 'memory', workerId: () => 'worker_a' });
  recovering.noticed();
  await expect.poll(() => redis.hget('{gj}:recovery', 'w:worker_dead')).not.toBeNull();
  await clock.advance(30_000);
  await expect.poll(() => redis.exists('{gj}:recovery')).toBe(0);
  expect((await store.suspects.list({ skip: 0, limit: 10 })).map(({ id }) => id).sort()).toEqual(held.map(({ id }) => id).sort());
  await recovering.stop();
});
