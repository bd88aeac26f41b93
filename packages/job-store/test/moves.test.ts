import { randomUUID } from 'node:crypto';
import { type JobRecord, MOVES, type MoveName, type State } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createJobStore } from '../src/index.ts';
import { imageDoc, jobIn, NO_LIMITS, newJobId, startStore } from './kit.ts';

test('when a job is accepted then it is queued, due in 30 s, in its tenant list and has its turn', async () => {
  const { store, redis, clock } = await startStore();
  const id = newJobId();
  expect(await store.moves.accept({ id, tenant: 'acme', doc: imageDoc() })).toEqual({ kind: 'ok', turn: 1 });
  expect(await store.jobs.read(id)).toMatchObject({
    status: 'queued',
    stage: null,
    run: 1,
    step: 1,
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
  expect(await store.moves.accept({ id: first, tenant: 'acme', doc: imageDoc(), idempotency: key('a') })).toMatchObject({
    kind: 'ok',
  });
  expect(await store.moves.accept({ id: second, tenant: 'acme', doc: imageDoc(), idempotency: key('a') })).toEqual({
    kind: 'replay',
    id: first,
  });
  expect(await store.moves.accept({ id: second, tenant: 'acme', doc: imageDoc(), idempotency: key('b') })).toEqual({
    kind: 'conflict',
  });
  expect(await store.moves.accept({ id: second, tenant: 'other', doc: imageDoc(), idempotency: key('b') })).toMatchObject({
    kind: 'ok',
  });
});

test('when a paid call is open then nobody else may begin, until its time is over and its outcome unknown', async () => {
  const { store, clock, ...kit } = await startStore();
  const job = await jobIn({ store, clock, ...kit }, 'submitting');
  const begin = (token: string, over?: string) =>
    store.moves.begin(
      { id: job.id, step: 1 },
      { token, limitMs: 1000, ...(over ? { over: { by: over, attempts: [], spent: 1 } } : {}) },
      NO_LIMITS,
    );
  expect((await begin('B')).kind).toBe('held');
  clock.advance(11_001);
  expect((await begin('B')).kind).toBe('unknown');
  expect((await begin('B', 'a stranger')).kind).toBe('unknown');
  expect((await begin('B', job.token)).kind).toBe('ok');
  // The first holder has lost its call to the second.
  const record = await job.read();
  expect(await store.moves.refused(record, { by: job.token, waitMs: 0, spent: 1, attempts: [] })).toMatchObject({
    kind: 'stale',
  });
});

test('when a frozen worker brings its task id after the run ended as submit_unknown then the job is reopened with it', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'submitting');
  const record = await job.read();
  await kit.store.moves.end(record, { status: 'failed', by: job.token, keepSent: true });
  const accepted = { by: job.token, token: randomUUID(), base: 'b', taskId: 't', firstLookMs: 0, aliveUntil: 1, attempts: [] };
  expect(await kit.store.moves.accepted(record, accepted)).toEqual({ kind: 'wrong', state: 'failed' });
  const reopened = await kit.store.moves.reopen(await job.read(), {
    to: 'running/generating',
    by: job.token,
    late: true,
    set: { base: 'b', task: 't', sub: kit.clock.now() },
  });
  expect(reopened.kind).toBe('ok');
  expect(await job.read()).toMatchObject({
    status: 'running',
    stage: 'generating',
    run: 2,
    late_result: true,
    task_id: 't',
    past: { 1: { status: 'failed' } },
  });
});

test('when a run ends then one webhook is unsent, in the same move, for an event that the caller asked for', async () => {
  const kit = await startStore();
  const asked = await jobIn(kit, 'storing');
  await kit.store.moves.end(await asked.read(), { status: 'succeeded' });
  const unsent = await kit.store.deliveries.read((await asked.read()).webhook.last_delivery_id ?? '');
  expect(unsent?.delivery).toMatchObject({
    id: `evt_${asked.id.slice(4)}_1_job_succeeded`,
    type: 'job.succeeded',
    state: 'pending',
    attempts_made: 0,
    step: 1,
  });
  expect(await kit.redis.zcard('{gj}:due:deliveries')).toBe(1);

  const unasked = await jobIn(kit, 'storing', imageDoc({ webhook: { url: 'https://a.example', events: ['job.failed'] } }));
  await kit.store.moves.end(await unasked.read(), { status: 'succeeded' });
  expect((await unasked.read()).webhook).toEqual({ state: 'none', last_delivery_id: null });
});

test('when a job has ended then nothing is due for it, it holds no place in flight and no step of its past moves it', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'generating');
  const before = await job.read();
  expect(await kit.redis.zcard('{gj}:inflight')).toBe(1);
  await kit.store.moves.end(before, { status: 'failed' });
  expect(await kit.redis.zcard('{gj}:due')).toBe(0);
  expect(await kit.redis.zcard('{gj}:inflight')).toBe(0);
  expect(await kit.redis.zrange('{gj}:tenant:acme:failed', '0', '-1')).toEqual([job.id]);
  expect(await kit.store.moves.look(before, { progress: 50, polls: 2 })).toMatchObject({ kind: 'stale' });
  expect(await kit.store.moves.repair(await job.read())).toEqual({ kind: 'wrong', state: 'failed' });
});

test('when the account has room for one then a second call waits, and goes when the first is over', async () => {
  const kit = await startStore();
  const limits = { maxInFlight: 1, rpm: 0 };
  const [a, b] = [await jobIn(kit, 'queued'), await jobIn(kit, 'queued')];
  const begin = (id: string, token: string) => kit.store.moves.begin({ id, step: 1 }, { token, limitMs: 1000 }, limits);
  expect((await begin(a.id, 'A')).kind).toBe('ok');
  expect((await begin(b.id, 'B')).kind).toBe('wait');
  expect((await b.read()).status).toBe('queued');
  await kit.store.moves.refused(await a.read(), { by: 'A', waitMs: 0, spent: 1, attempts: [] });
  expect((await begin(b.id, 'B')).kind).toBe('ok');
});

test('when a holder of a place died then the place comes back by itself', async () => {
  const kit = await startStore();
  const limits = { maxInFlight: 1, rpm: 0 };
  const [a, b] = [await jobIn(kit, 'queued'), await jobIn(kit, 'queued')];
  await kit.store.moves.begin({ id: a.id, step: 1 }, { token: 'A', limitMs: 1000 }, limits);
  kit.clock.advance(1000 + 10_000 + 60_001);
  expect((await kit.store.moves.begin({ id: b.id, step: 1 }, { token: 'B', limitMs: 1000 }, limits)).kind).toBe('ok');
});

test('when two calls a minute are allowed then the third waits until the bucket has one again', async () => {
  const kit = await startStore();
  const limits = { maxInFlight: 0, rpm: 2 };
  const ids = await Promise.all([1, 2, 3].map(async () => (await jobIn(kit, 'queued')).id));
  const begin = (id: string | undefined) =>
    kit.store.moves.begin({ id: id ?? '', step: 1 }, { token: randomUUID(), limitMs: 1000 }, limits);
  expect((await begin(ids[0])).kind).toBe('ok');
  expect((await begin(ids[1])).kind).toBe('ok');
  const third = await begin(ids[2]);
  expect(third).toEqual({ kind: 'wait', ms: 30_000 });
  kit.clock.advance(30_000);
  expect((await begin(ids[2])).kind).toBe('ok');
});

test('when the clocks of two workers differ by half a minute then no more calls go out than are allowed, and none waits for the other clock', async () => {
  const kit = await startStore();
  const limits = { maxInFlight: 0, rpm: 2 };
  const ids = await Promise.all([1, 2, 3, 4].map(async () => (await jobIn(kit, 'queued')).id));
  const begin = async (id: string | undefined, ahead: number) => {
    const clock = { now: () => kit.clock.now() + ahead };
    const { moves } = createJobStore({ redis: kit.redis, prefix: 'gj', clock });
    return await moves.begin({ id: id ?? '', step: 1 }, { token: randomUUID(), limitMs: 1000 }, limits);
  };
  expect((await begin(ids[0], 30_000)).kind).toBe('ok');
  expect((await begin(ids[1], 0)).kind).toBe('ok');
  expect(await begin(ids[2], 30_000)).toEqual({ kind: 'wait', ms: 30_000 });
  expect(await begin(ids[2], 0)).toEqual({ kind: 'wait', ms: 30_000 });
  // One that was wrong by an hour and was set right holds up nobody.
  await begin(ids[2], 3600_000);
  expect((await begin(ids[3], 0)).kind).toBe('ok');
});

test('when progress falls then the record keeps the highest of the run', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'generating');
  await kit.store.moves.look(await job.read(), { progress: 60, polls: 1 });
  await kit.store.moves.look(await job.read(), { progress: 20, polls: 2 });
  expect((await job.read()).progress).toBe(60);
});

/** From each state each move is tried; the table of moves alone says whether it may change anything. */
test('whatever the state, a move changes the record only when the table of moves allows it', async () => {
  const kit = await startStore();
  const { moves } = kit.store;
  const calls: Readonly<Partial<Record<MoveName, (record: JobRecord, token: string) => Promise<{ kind: string }>>>> = {
    refused: (record, by) => moves.refused(record, { by, waitMs: 0, spent: 0, attempts: [] }),
    look: (record) => moves.look(record, { progress: 1, polls: 1 }),
    again: (record) => moves.again(record, { waitMs: 0, attempts: [] }),
    cancel: (record) => moves.cancel(record),
    cancel_open: (record) => moves.cancelOpen(record),
    store_again: (record) => moves.storeAgain(record, { waitMs: 0, attempts: [] }),
    reopen: (record) => moves.reopen(record, { to: 'queued' }),
    repair: (record) => moves.repair(record),
    crash: (record) => moves.crash(record, { kind: 'thrown', waitMs: 0 }),
  };
  const states = {
    queued: 'queued',
    submitting: 'running/submitting',
    generating: 'running/generating',
    storing: 'running/storing',
    failed: 'failed',
  } as const;
  for (const [name, call] of Object.entries(calls) as [
    MoveName,
    (record: JobRecord, token: string) => Promise<{ kind: string }>,
  ][]) {
    for (const [reach, state] of Object.entries(states) as [keyof typeof states, State][]) {
      const job = await jobIn(kit, reach);
      const moved = await call(await job.read(), job.token);
      const allowed = (MOVES[name].from as readonly State[]).includes(state);
      expect(`${name} from ${state}: ${moved.kind === 'ok'}`).toBe(`${name} from ${state}: ${allowed}`);
    }
  }
});

test('when begin is sent again after its run was given up then it does not let the call go out', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'submitting');
  const again = () => kit.store.moves.begin({ id: job.id, step: 1 }, { token: job.token, limitMs: 1000 }, NO_LIMITS);
  expect((await again()).kind).toBe('ok');
  await kit.store.moves.cancelOpen(await job.read());
  expect((await again()).kind).toBe('canceling');
  await kit.store.moves.end(await job.read(), { status: 'failed', keepSent: true });
  expect((await again()).kind).toBe('stale');
});

test('when a job that was refused begins again with its old turn then V stays: a tenant that comes then is not ahead of those who wait', async () => {
  const { store } = await startStore();
  const accept = async (tenant: string) => {
    const id = newJobId();
    const accepted = await store.moves.accept({ id, tenant, doc: imageDoc() });
    return { id, turn: accepted.kind === 'ok' ? accepted.turn : Number.NaN };
  };
  const begin = async ({ id }: { id: string }, token: string) => {
    const begun = await store.moves.begin({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
    if (begun.kind !== 'ok') throw new Error(begun.kind);
    return begun.record;
  };
  const first = await accept('a');
  const refused = await begin(first, 'A');
  expect(await store.moves.refused(refused, { by: 'A', waitMs: 0, spent: 0, attempts: [] })).toMatchObject({ kind: 'ok' });
  for (let n = 2; n <= 6; n += 1) await begin(await accept('a'), `A${n}`);
  expect((await accept('a')).turn).toBe(7);
  await begin(first, 'again');
  expect((await accept('b')).turn).toBe(7);
});

test('when a job whose result came late is submitted anew then its next result is not called late, and one that is gone on with is', async () => {
  const kit = await startStore();
  for (const [to, late] of [
    ['running/storing', true],
    ['queued', false],
  ] as const) {
    const job = await jobIn(kit, 'failed');
    const pend = JSON.stringify({ links: [], dies_at: 1 });
    await kit.store.moves.reopen(await job.read(), { to: 'running/storing', late: true, set: { pend } });
    await kit.store.moves.end(await job.read(), { status: 'failed' });
    await kit.store.moves.reopen(await job.read(), { to });
    expect((await job.read()).late_result).toBe(late);
  }
});
