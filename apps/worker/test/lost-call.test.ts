import { createJobStore } from '@grsai-jobs/job-store';
import { type JobDoc, type JobPrice, JobRequest } from '@grsai-jobs/jobs';
import { NotLasting } from '@grsai-jobs/redis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createRepairs } from '../src/maintenance/repairs.ts';
import { acceptedJob, type Harness, handlersOf, imageDoc, startedCall, startHarness } from './harness.ts';

/** A worker has died with its call in flight: what the next one does that gets its entry. */

const TASK = { id: '1-t', base: 'https://b.example' };
const COMPLETION = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] };
const CHAT = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } };

/** Stages whose upstream answers at once, and how often it was called. */
function answering(harness: Harness) {
  const calls: string[] = [];
  const answer = <T>(kind: string, result: T) => {
    calls.push(kind);
    return Promise.resolve(result);
  };
  const grsai = {
    images: { ...harness.grsai.images, submit: () => answer('image', TASK) },
    chat: { ...harness.grsai.chat, complete: () => answer('chat', COMPLETION) },
  } as unknown as Harness['grsai'];
  return { ...handlersOf(harness, { grsai }), calls };
}

interface Row {
  of: string;
  type: JobDoc['type'];
  policy: JobDoc['on_unknown_submit'];
  /** Whether the call may still be in flight. */
  time: 'in flight' | 'over';
  canceled?: true;
  attempts?: number;
  left: 'waits' | 'is called again' | 'is canceled' | 'fails as submit_unknown' | 'fails as upstream_unavailable';
}

const ROWS: readonly Row[] = [
  { of: 'an image that may not be submitted again', type: 'image', policy: 'fail', time: 'in flight', left: 'waits' },
  {
    of: 'an image that may not be submitted again',
    type: 'image',
    policy: 'fail',
    time: 'over',
    left: 'fails as submit_unknown',
  },
  { of: 'an image that may be submitted again', type: 'image', policy: 'resubmit', time: 'in flight', left: 'waits' },
  { of: 'an image that may be submitted again', type: 'image', policy: 'resubmit', time: 'over', left: 'is called again' },
  {
    of: 'an image that may be submitted again, at its last attempt',
    type: 'image',
    policy: 'resubmit',
    time: 'over',
    attempts: 1,
    left: 'fails as submit_unknown',
  },
  {
    of: 'an image that may be submitted again and is to be canceled',
    type: 'image',
    policy: 'resubmit',
    time: 'in flight',
    canceled: true,
    left: 'waits',
  },
  {
    of: 'an image that may be submitted again and is to be canceled',
    type: 'image',
    policy: 'resubmit',
    time: 'over',
    canceled: true,
    left: 'is canceled',
  },
  { of: 'a chat that may not be called again', type: 'chat', policy: 'fail', time: 'in flight', left: 'waits' },
  { of: 'a chat that may not be called again', type: 'chat', policy: 'fail', time: 'over', left: 'fails as submit_unknown' },
  { of: 'a chat that may be called again', type: 'chat', policy: 'resubmit', time: 'in flight', left: 'is called again' },
  {
    of: 'a chat that may be called again, at its last attempt',
    type: 'chat',
    policy: 'resubmit',
    time: 'in flight',
    attempts: 1,
    left: 'fails as upstream_unavailable',
  },
  {
    of: 'a chat that may be called again and is to be canceled',
    type: 'chat',
    policy: 'resubmit',
    time: 'in flight',
    canceled: true,
    left: 'is canceled',
  },
];

test.each(ROWS)(
  'when the worker of $of died and the time of its call is $time then the job $left',
  async ({ of: _, type, policy, time, canceled, attempts, left }) => {
    const harness = await startHarness();
    const { call, submit, calls } = answering(harness);
    const doc: JobDoc = { ...(type === 'chat' ? JobRequest.parse(CHAT) : imageDoc()), on_unknown_submit: policy };
    const job = await acceptedJob(harness, {}, () => ({ ...doc, ...(attempts === undefined ? {} : { max_attempts: attempts }) }));
    const { lease } = await startedCall(harness, job.id);
    if (canceled) await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
    if (time === 'over') await harness.clock.advance(lease.expires_at - harness.clock.now());
    const before = await job.read();

    const outcome = await (type === 'chat' ? call : submit)({ entry: { id: job.id, step: 1 }, stalled: false });
    const now = await job.read();
    if (left === 'waits') {
      expect([outcome, now]).toEqual([{ kind: 'wait', ms: lease.expires_at - harness.clock.now() }, before]);
      return expect(calls).toEqual([]);
    }
    expect(outcome).toEqual({ kind: 'done' });
    if (left === 'is called again') {
      expect(calls).toEqual([type]);
      return expect(now).toMatchObject({ attempts_used: 2, attempts: [{ number: 1, outcome: 'unknown' }, { number: 2 }] });
    }
    // The lease stays: its holder, if it lives, can still bring what was paid for.
    expect([calls, now.lease]).toEqual([[], lease]);
    expect(now).toMatchObject(
      left === 'is canceled'
        ? { status: 'canceled' }
        : { status: 'failed', error: { code: left.replace('fails as ', '') }, attempts_used: 1 },
    );
  },
);

const PRICE: JobPrice = { reserve: 1000, refunds: { error: true, violation: false }, isOld: false };

test.each(['chat', 'image'] as const)(
  'when the worker of the call of a %s died and its tenant has no credits for another then it waits for them, and expires in time',
  async (type) => {
    const harness = await startHarness();
    const stages = answering(harness);
    const stage = type === 'chat' ? stages.call : stages.submit;
    const doc: JobDoc = { ...(type === 'chat' ? JobRequest.parse(CHAT) : imageDoc()), on_unknown_submit: 'resubmit' };
    const job = await acceptedJob(harness, {}, () => ({ ...doc, expires_in_s: 3600 }), 'acme', PRICE);
    await harness.store.tenantLimits.replace('acme', { budget: { credits: 1500, period: 'total' } });
    const { lease, expires_at } = await startedCall(harness, job.id);
    await harness.clock.advance(lease.expires_at - harness.clock.now());
    const entry = { id: job.id, step: 1 };
    expect(await stage({ entry, stalled: false })).toEqual({ kind: 'wait', ms: 1000 });
    expect(await job.read()).toMatchObject({
      ...{ status: 'queued', lease: null, attempts_used: 1, attempts: [{ number: 1, outcome: 'unknown' }] },
      cost: { open: null, unknown: 1000 },
    });
    expect(await stage({ entry, stalled: false })).toEqual({ kind: 'done' });
    await harness.clock.advance(expires_at - harness.clock.now());
    await createRepairs(harness)();
    expect(await job.read()).toMatchObject({ status: 'expired' });
    expect(stages.calls).toEqual([]);
  },
);

test.each(['chat', 'image'] as const)(
  'when the worker of the call of a %s died and the time of the job is over then no other call is made, and it expires',
  async (type) => {
    const harness = await startHarness();
    const stages = answering(harness);
    const stage = type === 'chat' ? stages.call : stages.submit;
    const doc: JobDoc = { ...(type === 'chat' ? JobRequest.parse(CHAT) : imageDoc()), on_unknown_submit: 'resubmit' };
    const job = await acceptedJob(harness, {}, () => ({ ...doc, expires_in_s: 60 }), 'acme', PRICE);
    const { lease } = await startedCall(harness, job.id, { limitMs: 120_000 });
    const entry = { id: job.id, step: 1 };
    await harness.clock.advance(60_000);
    // Whoever makes it may live.
    const waits = { kind: 'wait', ms: type === 'chat' ? 1000 : lease.expires_at - harness.clock.now() };
    expect(await stage({ entry, stalled: false })).toEqual(waits);
    expect(await job.read()).toMatchObject({ status: 'running', lease });
    await harness.clock.advance(lease.expires_at - harness.clock.now());
    expect(await stage({ entry, stalled: false })).toEqual({ kind: 'wait', ms: 1000 });
    expect(await stage({ entry, stalled: false })).toEqual({ kind: 'done' });
    expect(await job.read()).toMatchObject({
      ...{ status: 'expired', attempts_used: 1, attempts: [{ number: 1, outcome: 'unknown' }] },
      cost: { open: null, unknown: 1000 },
    });
    expect(stages.calls).toEqual([]);
  },
);

test('when the worker of a call died long ago and its tenant may have no more in flight then the job waits in its turn', async () => {
  const harness = await startHarness();
  const { call, calls } = answering(harness);
  await harness.store.tenantLimits.replace('acme', { max_in_flight: 1 });
  const chat: JobDoc = { ...(JobRequest.parse(CHAT) as JobDoc), on_unknown_submit: 'resubmit' };
  const job = await acceptedJob(harness, {}, () => chat);
  const { lease } = await startedCall(harness, job.id);
  await harness.clock.advance(lease.expires_at + 60_001 - harness.clock.now());
  await startedCall(harness, (await acceptedJob(harness, {}, () => chat)).id, { limitMs: 60_000 });
  expect(await call({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 1000 });
  expect(await job.read()).toMatchObject({ status: 'queued', lease: null, attempts_used: 1 });
  expect(calls).toEqual([]);
});

test('when the worker of the last call of a chat died, and an earlier one had brought an answer, then that is the result', async () => {
  const harness = await startHarness();
  const { call, calls } = answering(harness);
  const job = await acceptedJob(harness, {}, () => ({
    ...(JobRequest.parse(CHAT) as JobDoc),
    on_unknown_submit: 'resubmit',
    max_attempts: 2,
  }));
  const first = await startedCall(harness, job.id);
  const unstored = { completion: COMPLETION, dies_at: first.lease.expires_at };
  await harness.store.transitions.commit(first, { kind: 'release', waitMs: 0, attemptsUsed: 1, unstored });
  await startedCall(harness, job.id);
  expect(await call({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(calls).toEqual([]);
  expect(await job.read()).toMatchObject({
    ...{ status: 'succeeded', output: { kind: 'chat', completion: COMPLETION }, attempts_used: 2, unstored: null },
    attempts: [{ outcome: 'unknown', error_code: 'submit_unknown' }],
  });
});

test('when Redis has answered too late that a call may go out then it does not, and uses up no attempt', async () => {
  const harness = await startHarness();
  const { startCall } = harness.store.transitions;
  let late = 0;
  const { now } = performance;
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + late);
  onTestFinished(() => void vi.restoreAllMocks());
  const slow: typeof startCall = async (...args) => {
    const started = await startCall(...args);
    late = 5001;
    return started;
  };
  const { submit, calls } = answering({
    ...harness,
    store: { ...harness.store, transitions: { ...harness.store.transitions, startCall: slow } },
  });
  const job = await acceptedJob(harness);
  expect(await submit({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 0 });
  expect(await job.read()).toMatchObject({ status: 'queued', lease: null, attempts_used: 0, attempts: [] });
  expect(calls).toEqual([]);
});

test('when the lease of a call may not outlive a failover then nothing is sent, and the entry waits with no attempt used up', async () => {
  const harness = await startHarness();
  const lasting = async (_: string, reply: unknown) => {
    // What gives the lease back lasts.
    if (Array.isArray(reply) && Array.isArray(reply[1])) throw new NotLasting('no replica', reply);
  };
  const { redis, clock } = harness;
  const store = createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, lasting });
  const job = await acceptedJob(harness);
  const { submit, calls } = answering({ ...harness, store });
  expect(await submit({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 2000 });
  expect(calls).toEqual([]);
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0, lease: null });
});

test('when what was paid for is written and may not last then it is written until it does', async () => {
  const harness = await startHarness();
  let refusals = 2;
  const lasting = async (_: string, reply: unknown) => {
    if (Array.isArray(reply) && reply[6] === 'running/generating' && refusals-- > 0) throw new NotLasting('no replica', reply);
  };
  const { redis, clock } = harness;
  const store = createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, lasting });
  const job = await acceptedJob(harness);
  const { submit, calls } = answering({ ...harness, store });
  expect(await submit({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect([calls, refusals]).toEqual([['image'], -1]);
  expect(await job.read()).toMatchObject({ stage: 'generating', step: 2, task: { id: TASK.id } });
});
