import { randomUUID } from 'node:crypto';
import { messageOf } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createJobStore } from '../src/index.ts';
import { ACCEPTED, heldBy, imageDoc, jobIn, NO_LIMITS, newJobId, startStore, UNSTORED } from './harness.ts';

test('when a job is accepted then it is queued, due in 30 s, in its tenant list and has its turn', async () => {
  const { store, redis, clock } = await startStore();
  const id = newJobId();
  const created = await store.transitions.create({ id, tenant: 'acme', doc: imageDoc() });
  const job = await store.jobs.read(id);
  if (job === null) throw new Error('no record');
  expect(created).toEqual({ kind: 'ok', job: { ...job, due: null }, message: messageOf(job) });
  expect(job).toMatchObject({
    status: 'queued',
    stage: null,
    run: 1,
    step: 1,
    turn: 1,
    ver: 1,
    created_at: clock.now(),
    expires_at: clock.now() + 86_400_000,
  });
  expect(Number(await redis.zscore('{gj}:due', id))).toBe(clock.now() + 30_000);
  expect(await redis.zrange('{gj}:tenant:acme:jobs', '0', '-1')).toEqual([id]);
});

test('when one idempotency key comes twice then there is one job, and another body is a conflict', async () => {
  const { store } = await startStore();
  const key = (fingerprint: string) => ({ route: 'POST /v1/jobs', key: 'k1', fingerprint });
  const [first, second] = [newJobId(), newJobId()];
  expect(await store.transitions.create({ id: first, tenant: 'acme', doc: imageDoc(), idempotency: key('a') })).toMatchObject({
    kind: 'ok',
  });
  expect(await store.transitions.create({ id: second, tenant: 'acme', doc: imageDoc(), idempotency: key('a') })).toEqual({
    kind: 'replay',
    id: first,
  });
  expect(await store.transitions.create({ id: second, tenant: 'acme', doc: imageDoc(), idempotency: key('b') })).toEqual({
    kind: 'conflict',
  });
  expect(await store.transitions.create({ id: second, tenant: 'other', doc: imageDoc(), idempotency: key('b') })).toMatchObject({
    kind: 'ok',
  });
});

test('when a paid call is in flight then nobody else may start one, until its time is over and its outcome unknown', async () => {
  const { store, clock, ...harness } = await startStore();
  const job = await jobIn({ store, clock, ...harness }, 'submitting');
  const startCall = (token: string, over?: string) =>
    store.transitions.startCall(
      { id: job.id, step: 1 },
      { token, limitMs: 1000, ...(over ? { over: { token: over, attempts: [], attemptsUsed: 1 } } : {}) },
      NO_LIMITS,
    );
  expect((await startCall('B')).kind).toBe('held');
  clock.advance(11_001);
  expect((await startCall('B')).kind).toBe('unknown');
  expect((await startCall('B', 'a stranger')).kind).toBe('unknown');
  expect((await startCall('B', job.token)).kind).toBe('ok');
  // The first holder has lost its call to the second.
  const record = await job.read();
  expect(record.lease?.token).toBe('B');
  expect(await store.transitions.commit(heldBy(record, job.token), { kind: 'release', waitMs: 0 })).toMatchObject({
    kind: 'stale',
  });
});

test('when a frozen worker brings its task id after the run ended as submit_unknown then the job is reopened with it', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'submitting');
  const record = await job.read();
  await harness.store.transitions.commit(record, { kind: 'finish', status: 'failed', keepLease: true });
  expect(await harness.store.transitions.commit(record, ACCEPTED)).toEqual({ kind: 'wrong', state: 'failed' });
  const stranger = { kind: 'reopen', to: 'running/generating', byLease: 'a stranger', task: ACCEPTED.task } as const;
  expect(await harness.store.transitions.commit(await job.read(), stranger)).toEqual({ kind: 'stale', state: 'failed' });
  const reopened = await harness.store.transitions.commit(await job.read(), {
    kind: 'reopen',
    to: 'running/generating',
    byLease: job.token,
    late: true,
    task: { base: 'b', id: 't' },
  });
  expect(reopened.kind).toBe('ok');
  expect(await job.read()).toMatchObject({
    status: 'running',
    stage: 'generating',
    run: 2,
    late_result: true,
    task: { base: 'b', id: 't', submitted_at: harness.clock.now(), polls: 0, last_polled_at: null },
    lease: null,
    past: { 1: { status: 'failed' } },
  });
});

test('when a run ends then one delivery is made, in the same transition, for an event that the caller asked for', async () => {
  const harness = await startStore();
  const asked = await jobIn(harness, 'storing');
  await harness.store.transitions.commit(await asked.read(), { kind: 'finish', status: 'succeeded' });
  const pending = await harness.store.deliveries.read((await asked.read()).webhook.last_delivery_id ?? '');
  expect(pending?.delivery).toMatchObject({
    id: `evt_${asked.id.slice(4)}_1_job_succeeded`,
    type: 'job.succeeded',
    state: 'pending',
    attempts_made: 0,
    step: 1,
  });
  expect(await harness.redis.zcard('{gj}:due:deliveries')).toBe(1);

  const unasked = await jobIn(harness, 'storing', imageDoc({ webhook: { url: 'https://a.example', events: ['job.failed'] } }));
  await harness.store.transitions.commit(await unasked.read(), { kind: 'finish', status: 'succeeded' });
  expect((await unasked.read()).webhook).toEqual({ state: 'none', last_delivery_id: null });
});

test('when a job has ended then nothing is due for it, it counts as in flight no more and no step of its past changes it', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating');
  const before = await job.read();
  expect(await harness.redis.zcard('{gj}:inflight')).toBe(1);
  await harness.store.transitions.commit(before, { kind: 'finish', status: 'failed' });
  expect(await harness.redis.zcard('{gj}:due')).toBe(0);
  expect(await harness.redis.zcard('{gj}:inflight')).toBe(0);
  expect(await harness.redis.zrange('{gj}:tenant:acme:failed', '0', '-1')).toEqual([job.id]);
  expect(await harness.store.transitions.commit(before, { kind: 'poll', progress: 50, polls: 2 })).toMatchObject({
    kind: 'stale',
  });
  expect(await harness.store.transitions.commit(await job.read(), { kind: 'requeue' })).toEqual({
    kind: 'wrong',
    state: 'failed',
  });
});

test('when the account has room for one then a second call goes back to its room, and is let in when the first is over', async () => {
  const harness = await startStore();
  const limits = { ...NO_LIMITS, maxInFlight: 1 };
  const [a, b] = [await jobIn(harness, 'queued'), await jobIn(harness, 'queued')];
  const startCall = (id: string, step: number, token: string) =>
    harness.store.transitions.startCall({ id, step }, { token, limitMs: 1000 }, limits);
  expect((await startCall(a.id, 1, 'A')).kind).toBe('ok');
  expect((await startCall(b.id, 1, 'B')).kind).toBe('parked');
  expect(await b.read()).toMatchObject({ status: 'queued', step: 2, turn: 0, due: (await b.read()).expires_at });
  const over = await harness.store.transitions.commit(await a.read(), { kind: 'finish', status: 'failed' });
  expect(over).toMatchObject({ kind: 'ok', letIn: [{ id: b.id, step: 2, queue: 'submit' }] });
  expect((await startCall(b.id, 2, 'B')).kind).toBe('ok');
});

test('when the holder of a permit died then the permit comes back by itself', async () => {
  const harness = await startStore();
  const limits = { ...NO_LIMITS, maxInFlight: 1 };
  const [a, b] = [await jobIn(harness, 'queued'), await jobIn(harness, 'queued')];
  await harness.store.transitions.startCall({ id: a.id, step: 1 }, { token: 'A', limitMs: 1000 }, limits);
  harness.clock.advance(1000 + 10_000 + 60_001);
  expect((await harness.store.transitions.startCall({ id: b.id, step: 1 }, { token: 'B', limitMs: 1000 }, limits)).kind).toBe(
    'ok',
  );
});

test('when two calls a minute are allowed then the third waits until the bucket has one again', async () => {
  const harness = await startStore();
  const limits = { ...NO_LIMITS, rpm: 2 };
  const ids = await Promise.all([1, 2, 3].map(async () => (await jobIn(harness, 'queued')).id));
  const startCall = (id: string | undefined) =>
    harness.store.transitions.startCall({ id: id ?? '', step: 1 }, { token: randomUUID(), limitMs: 1000 }, limits);
  expect((await startCall(ids[0])).kind).toBe('ok');
  expect((await startCall(ids[1])).kind).toBe('ok');
  const third = await startCall(ids[2]);
  expect(third).toEqual({ kind: 'wait', ms: 30_000 });
  harness.clock.advance(30_000);
  expect((await startCall(ids[2])).kind).toBe('ok');
});

test('when the clocks of two workers differ by half a minute then no more calls go out than are allowed, and none waits for the other clock', async () => {
  const harness = await startStore();
  const limits = { ...NO_LIMITS, rpm: 2 };
  const ids = await Promise.all([1, 2, 3, 4].map(async () => (await jobIn(harness, 'queued')).id));
  const startCall = async (id: string | undefined, ahead: number) => {
    const clock = { now: () => harness.clock.now() + ahead };
    const { transitions } = createJobStore({ redis: harness.redis, prefix: 'gj', clock, scriptClock: clock });
    return await transitions.startCall({ id: id ?? '', step: 1 }, { token: randomUUID(), limitMs: 1000 }, limits);
  };
  expect((await startCall(ids[0], 30_000)).kind).toBe('ok');
  expect((await startCall(ids[1], 0)).kind).toBe('ok');
  expect(await startCall(ids[2], 30_000)).toEqual({ kind: 'wait', ms: 30_000 });
  expect(await startCall(ids[2], 0)).toEqual({ kind: 'wait', ms: 30_000 });
  // One that was wrong by an hour and was set right holds up nobody.
  await startCall(ids[2], 3600_000);
  expect((await startCall(ids[3], 0)).kind).toBe('ok');
});

test('when a call says that it is in flight for longer then it is due, and counts as in flight, for so much longer', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'submitting');
  await job.commit({ kind: 'report_progress', progress: 5, leaseMs: 300_000 });
  const until = harness.clock.now() + 300_000;
  expect(await job.read()).toMatchObject({ lease: { token: job.token, expires_at: until }, due: until });
  expect(Number(await harness.redis.zscore('{gj}:due', job.id))).toBe(until);
  expect(Number(await harness.redis.zscore('{gj}:inflight', job.id))).toBe(until + 60_000);
});

test('when the entry of a job waits beyond its expiry then it is due at its expiry', async () => {
  const harness = await startStore();
  const queued = await jobIn(harness, 'submitting', imageDoc({ expires_in_s: 60 }));
  await queued.commit({ kind: 'release', waitMs: 3_600_000 });
  const generating = await jobIn(harness, 'generating', imageDoc({ expires_in_s: 60 }));
  await generating.commit({ kind: 'poll', progress: 5, polls: 1 });
  for (const job of [queued, generating]) expect((await job.read()).due).toBe((await job.read()).expires_at);
});

test('when a run is ended for a time that is still to come by the clock of Redis then it goes on, whoever says so', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating');
  const expire = (notBefore: number) =>
    job.read().then((read) => harness.store.transitions.commit(read, { kind: 'finish', status: 'expired', notBefore }));
  const { expires_at } = await job.read();
  expect(await expire(expires_at)).toEqual({ kind: 'early', state: 'running/generating' });
  expect(await expire(harness.clock.now() + 5001)).toEqual({ kind: 'early', state: 'running/generating' });
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'generating' });
  // So much the clock of a process may be ahead.
  expect((await expire(harness.clock.now() + 5000)).kind).toBe('ok');
});

test('when a job has expired then no call of it begins', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued', imageDoc({ expires_in_s: 60 }));
  harness.clock.advance(60_000);
  const before = await job.read();
  const call = { token: randomUUID(), limitMs: 1000 };
  expect(await harness.store.transitions.startCall(before, call, NO_LIMITS)).toEqual({ kind: 'expired', job: before });
  expect(await job.read()).toEqual(before);
});

test('when progress falls then the record keeps the highest of the run', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating');
  await harness.store.transitions.commit(await job.read(), { kind: 'poll', progress: 60, polls: 1 });
  await harness.store.transitions.commit(await job.read(), { kind: 'poll', progress: 20, polls: 2 });
  expect((await job.read()).progress).toBe(60);
});

test('when the start of a call is sent again after its run was given up then it does not let the call go out', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'submitting');
  const again = () =>
    harness.store.transitions.startCall({ id: job.id, step: 1 }, { token: job.token, limitMs: 1000 }, NO_LIMITS);
  expect((await again()).kind).toBe('ok');
  await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
  expect((await again()).kind).toBe('canceling');
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed', keepLease: true });
  expect((await again()).kind).toBe('stale');
});

test('when a job that was refused begins again with its old turn then V stays: a tenant that comes then is not ahead of those who wait', async () => {
  const { store } = await startStore();
  const accept = async (tenant: string) => {
    const id = newJobId();
    const created = await store.transitions.create({ id, tenant, doc: imageDoc() });
    return { id, turn: created.kind === 'ok' ? created.job.turn : Number.NaN };
  };
  const startCall = async ({ id }: { id: string }, token: string) => {
    const started = await store.transitions.startCall({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
    if (started.kind !== 'ok') throw new Error(started.kind);
    return started.job;
  };
  const first = await accept('a');
  const refused = await startCall(first, 'A');
  expect(await store.transitions.commit(refused, { kind: 'release', waitMs: 0 })).toMatchObject({ kind: 'ok' });
  for (let n = 2; n <= 6; n += 1) await startCall(await accept('a'), `A${n}`);
  expect((await accept('a')).turn).toBe(7);
  await startCall(first, 'again');
  expect((await accept('b')).turn).toBe(7);
});

test('when a job whose result came late is submitted anew then its next result is not called late, and one that is gone on with is', async () => {
  const harness = await startStore();
  for (const [to, late] of [
    ['running/storing', true],
    ['queued', false],
  ] as const) {
    const job = await jobIn(harness, 'failed');
    await harness.store.transitions.commit(await job.read(), {
      kind: 'reopen',
      to: 'running/storing',
      late: true,
      unstored: UNSTORED,
    });
    await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
    await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to });
    expect((await job.read()).late_result).toBe(late);
  }
});
