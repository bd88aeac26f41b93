import { randomUUID } from 'node:crypto';
import { dayOf, type JobRecord, NO_COST, type SpentRow, type Transition } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACCEPTED, attemptOf, imageDoc, NO_LIMITS, newJobId, type Started, startStore, UNSTORED } from './harness.ts';

const DAY_MS = 24 * 3600_000;
const price = (reserve: number) => ({ reserve, refunds: { error: true, violation: false }, isOld: false });

async function newJob({ store }: Started, tenant: string, reserve: number | null, keyId = 'key_1'): Promise<JobRecord> {
  const created = await store.transitions.create({
    ...{ id: newJobId(), tenant, doc: imageDoc(), keyId },
    price: reserve === null ? null : price(reserve),
  });
  if (created.kind !== 'ok') throw new Error(created.kind);
  return created.job;
}

const begin = ({ store }: Started, { id, step }: Pick<JobRecord, 'id' | 'step'>) =>
  store.transitions.startCall({ id, step }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS);

async function begun(harness: Started, job: Pick<JobRecord, 'id' | 'step'>): Promise<JobRecord> {
  const started = await begin(harness, job);
  if (started.kind !== 'ok') throw new Error(started.kind);
  return started.job;
}

async function committed({ store }: Started, job: JobRecord, transition: Transition): Promise<JobRecord> {
  const result = await store.transitions.commit(job, transition);
  if (result.kind !== 'ok') throw new Error(result.kind);
  return result.job;
}

/** Ends of a call, by what they cost of its price. */
const ENDS: readonly ((harness: Started, job: JobRecord) => Promise<unknown>)[] = [
  (h, job) => committed(h, job, { kind: 'release', waitMs: 0, attempt: attemptOf('submit') }),
  (h, job) => committed(h, job, { kind: 'release', waitMs: 0, attempt: attemptOf('submit', 'unknown') }),
  async (h, job) => committed(h, await committed(h, job, ACCEPTED), { kind: 'start_storing', unstored: UNSTORED, polls: 1 }),
  async (h, job) => committed(h, await committed(h, job, ACCEPTED), { kind: 'resubmit', waitMs: 0, attempt: attemptOf('poll') }),
  async (h, job) => committed(h, await committed(h, job, ACCEPTED), { kind: 'finish', status: 'failed', callEnd: 'violation' }),
  async (h, job) => committed(h, await committed(h, job, ACCEPTED), { kind: 'cancel' }),
  async (h, job) => committed(h, await committed(h, job, ACCEPTED), { kind: 'finish', status: 'failed', latePollMs: 1000 }),
];

const sums = (rows: readonly SpentRow[]) => {
  const sum = (name: 'jobs' | 'credits' | 'reserved' | 'refunded') => rows.reduce((n, row) => n + row[name], 0);
  return { jobs: sum('jobs'), credits: sum('credits'), reserved: sum('reserved'), refunded: sum('refunded') };
};

test('whatever calls come to on whatever days, the counters of each tenant are the sums of its records, and so is what it has spent', async () => {
  const harness = await startStore();
  const start = harness.clock.now();
  const call = fc.record({
    job: fc.nat(4),
    end: fc.nat(ENDS.length - 1),
    sleepMs: fc.constantFrom(0, 0, 1000, DAY_MS, 20 * DAY_MS),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 15 }), async (calls) => {
      await harness.redis.flushall();
      const jobs = await Promise.all([
        newJob(harness, 'acme', 1200),
        newJob(harness, 'acme', 600, 'key_2'),
        newJob(harness, 'acme', 0),
        newJob(harness, 'other', 1200),
        newJob(harness, 'other', null),
      ]);
      const used = new Set<string>();
      for (const { job: n, end, sleepMs } of calls) {
        harness.clock.advance(sleepMs);
        const record = await harness.store.jobs.read(jobs[n]?.id ?? '');
        if (record?.status !== 'queued') continue;
        const started = await begin(harness, record);
        if (started.kind !== 'ok') continue;
        used.add(record.id);
        await ENDS[end]?.(harness, started.job);
      }
      const [from, to] = [dayOf(start), dayOf(harness.clock.now())];
      for (const tenant of ['acme', 'other']) {
        const records = (await Promise.all(jobs.map(({ id }) => harness.store.jobs.read(id)))).filter(
          (job) => job !== null && job.tenant === tenant && job.price !== null,
        ) as JobRecord[];
        const rows: SpentRow[] = [];
        for (let day = from; day <= to; day += 200)
          rows.push(...(await harness.store.spending.rows(tenant, day, Math.min(to, day + 199))));
        const of = (each: (job: JobRecord) => number) => records.reduce((n, job) => n + each(job), 0);
        const expected = {
          jobs: records.filter(({ id }) => used.has(id)).length,
          credits: of(({ cost }) => cost.charged ?? 0),
          reserved: of(({ cost }) => (cost.open ?? 0) + cost.unknown),
          refunded: of(({ cost }) => cost.refunded ?? 0),
        };
        expect(sums(rows)).toEqual(expected);
        expect(await harness.store.spending.spent(tenant, 'total', harness.clock.now())).toBe(
          expected.credits + expected.reserved,
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('when calls of a batch are settled then the batch has the sums of its jobs', async () => {
  const harness = await startStore();
  const { batches } = harness.store;
  const batch = { id: 'batch_1', tenant: 'acme', createdAt: harness.clock.now(), keyId: 'key_1' };
  const doc = { metadata: {}, priority: 'normal', expires_in_s: 3600, output: { url_ttl_s: 3600 } } as const;
  const ids = [newJobId(), newJobId(), newJobId()];
  await batches.open({ ...batch, doc });
  const lines = ids.map((jobId, n) => ({ jobId, line: n + 1, customId: `n${n}`, doc: imageDoc(), price: price(1200) }));
  await batches.add(batch, 0, lines);
  await batches.commit(batch, { total: 3, invalid: 0, expiresInS: 3600 });
  expect((await batches.read(batch.id))?.cost.reserved).toBeNull();
  const jobs = await Promise.all(ids.map((id) => begun(harness, { id, step: 1 })));
  expect((await batches.read(batch.id))?.cost).toMatchObject({ charged: null, reserved: 3600 });
  await ENDS[1]?.(harness, jobs[0] as JobRecord);
  await ENDS[2]?.(harness, jobs[1] as JobRecord);
  await ENDS[3]?.(harness, jobs[2] as JobRecord);
  expect((await batches.read(batch.id))?.cost).toEqual({ charged: 1200, refunded: 1200, reserved: 1200, isGuess: false });
  expect(await harness.store.spending.rows('acme', dayOf(harness.clock.now()), dayOf(harness.clock.now()))).toEqual([
    {
      ...{ tenant: 'acme', day: dayOf(harness.clock.now()), model: 'nano-banana-2', key: 'key_1', jobs: 3 },
      ...{ credits: 1200, reserved: 1200, refunded: 1200, prompt_tokens: 0, completion_tokens: 0 },
    },
  ]);
});

test('when a call is told again whose begin was forgotten then its job counts once, and has begun', async () => {
  const harness = await startStore();
  const job = await newJob(harness, 'acme', 1200);
  const began = harness.clock.now() - 500;
  const told = await committed(harness, job, {
    ...{ kind: 'reassert_call', token: 'held', heldMs: 500, leftMs: 900, attempts: [], attemptsUsed: 0 },
    startedAt: began,
    cost: NO_COST,
  });
  expect(told).toMatchObject({ status: 'running', started_at: began });
  await begun(harness, await committed(harness, told, { kind: 'release', waitMs: 0, attempt: attemptOf('submit') }));
  expect(await harness.store.jobs.read(job.id)).toMatchObject({ started_at: began });
  const day = dayOf(harness.clock.now());
  expect(await harness.store.spending.rows('acme', day, day)).toMatchObject([{ jobs: 1, reserved: 1200 }]);
});

test('when calls of a day cost nothing then its counters are kept as long as all others, and no longer', async () => {
  const harness = await startStore();
  const kept = async () => await harness.redis.pttl(`{gj}:spent:acme:${dayOf(harness.clock.now())}`);
  const free = await begun(harness, await newJob(harness, 'acme', 0));
  expect(await kept()).toBeGreaterThan(399 * DAY_MS);
  await committed(harness, free, { kind: 'finish', status: 'succeeded' });
  await begun(harness, await newJob(harness, 'acme', 10));
  expect(await kept()).toBeGreaterThan(399 * DAY_MS);
});

const MODELS = ['nano-banana-2', 'nano-banana-pro'];

/** A job with a fallback model, whose run has gone on with that: its first model takes no calls. */
async function fallenBack(harness: Started): Promise<JobRecord> {
  const prices = [price(1200), price(1800)];
  const doc = { ...imageDoc({ fallback_models: MODELS.slice(1) }), fallback_prices: prices };
  const created = await harness.store.transitions.create({
    ...{ id: newJobId(), tenant: 'acme', doc, keyId: 'key_1' },
    price: prices[0] ?? null,
  });
  if (created.kind !== 'ok') throw new Error(created.kind);
  const first = await begun(harness, created.job);
  return await committed(harness, first, { kind: 'release', waitMs: 0, callEnd: 'nothing', model: 1 });
}

/** What is reserved on this day, by model. */
async function reserved({ store, clock }: Started): Promise<readonly number[]> {
  const rows = await store.spending.rows('acme', dayOf(clock.now()), dayOf(clock.now()));
  return MODELS.map((name) => rows.find(({ model }) => model === name)?.reserved ?? 0);
}

test('when a run is begun anew of which nobody knows what it has cost then that is unknown from then on, and stays with its model', async () => {
  const harness = await startStore();
  const lost = await committed(harness, await begun(harness, await fallenBack(harness)), {
    ...{ kind: 'finish', status: 'failed', keepLease: true, attempt: attemptOf('submit', 'unknown') },
  });
  expect(lost.cost).toMatchObject({ open: 1800, unknown: 0 });
  const again = await committed(harness, lost, { kind: 'reopen', to: 'queued' });
  expect(again.cost).toMatchObject({ open: null, unknown: 1800 });
  expect(await harness.store.jobs.read(again.id)).toMatchObject({ cost: again.cost, price: price(1200) });
  expect(await reserved(harness)).toEqual([0, 1800]);
  const call = await begun(harness, again);
  expect(await reserved(harness)).toEqual([1200, 1800]);
  await committed(harness, call, { kind: 'release', waitMs: 0, attempt: attemptOf('submit') });
  expect(await reserved(harness)).toEqual([0, 1800]);
});

/** The jobs that are let in now, with the step of their entries. */
const letIn = async ({ store }: Started) => await store.rooms.letIn('submit');

test('when a price does not fit into the budget then its call waits until credits come back, the budget is raised or its day is over', async () => {
  const harness = await startStore();
  const { tenantLimits } = harness.store;
  const budget = (credits: number, period: 'day' | 'month' | 'total' = 'day') =>
    tenantLimits.replace('acme', { budget: { credits, period } });
  await budget(2000);
  const [first, second, third] = [
    await newJob(harness, 'acme', 1200),
    await newJob(harness, 'acme', 1200),
    await newJob(harness, 'acme', 1200),
  ];
  const open = await begun(harness, first);
  expect(await begin(harness, second)).toMatchObject({ kind: 'budget' });
  expect((await begin(harness, await newJob(harness, 'other', 5000))).kind).toBe('ok');
  await ENDS[3]?.(harness, open);
  expect(await letIn(harness)).toMatchObject([{ id: second.id, step: 2 }]);
  await begun(harness, { id: second.id, step: 2 });
  expect(await begin(harness, third)).toMatchObject({ kind: 'budget' });
  expect(await letIn(harness)).toEqual([]);
  await budget(2400);
  expect(await letIn(harness)).toMatchObject([{ id: third.id, step: 2 }]);
  await begun(harness, { id: third.id, step: 2 });
  const fourth = await newJob(harness, 'acme', 1200);
  expect(await begin(harness, fourth)).toMatchObject({ kind: 'budget' });
  harness.clock.advance(DAY_MS - (harness.clock.now() % DAY_MS));
  expect(await letIn(harness)).toMatchObject([{ id: fourth.id, step: 2 }]);
  await begun(harness, { id: fourth.id, step: 2 });
  const fifth = await newJob(harness, 'acme', 1200);
  await budget(4700, 'total');
  expect(await begin(harness, fifth)).toMatchObject({ kind: 'budget' });
  await tenantLimits.replace('acme', {});
  expect(await letIn(harness)).toMatchObject([{ id: fifth.id, step: 2 }]);
  await begun(harness, { id: fifth.id, step: 2 });
});

test('when jobs wait for the budget then no entry of theirs comes back, cheaper ones go on, and each says why until it is canceled', async () => {
  const harness = await startStore();
  const { rooms, tenantLimits } = harness.store;
  await tenantLimits.replace('acme', { budget: { credits: 1000, period: 'day' } });
  const [dear, dearer, cheap] = [
    await newJob(harness, 'acme', 1200),
    await newJob(harness, 'acme', 1300),
    await newJob(harness, 'acme', 10),
  ];
  const since = harness.clock.now();
  for (const job of [dear, dearer]) expect((await begin(harness, job)).kind).toBe('budget');
  expect((await rooms.why({ jobs: [dear.id] })).get(dear.id)).toEqual({ reason: 'budget', since, position: null });
  expect(await rooms.queued('acme')).toBe(3);
  await begun(harness, cheap);
  expect(await letIn(harness)).toEqual([]);
  const parked = await harness.store.jobs.read(dearer.id);
  expect(parked).toMatchObject({ step: 2, turn: 0, status: 'queued' });
  if (parked) await committed(harness, parked, { kind: 'cancel' });
  expect(await rooms.queued('acme')).toBe(1);
  await tenantLimits.replace('acme', {});
  expect(await letIn(harness)).toMatchObject([{ id: dear.id, step: 2 }]);
  await begun(harness, { id: dear.id, step: 2 });
  await letIn(harness);
  expect((await harness.redis.keys('{gj}:waiting*')).filter((key) => !key.endsWith('#asking'))).toEqual([]);
});

test.each(['2027-02-28', '2027-11-30', '2027-12-31', '2028-02-29'])(
  'when the month of %s is over then a budget of a month is free again, and not a minute before',
  async (last) => {
    const harness = await startStore();
    harness.clock.advance(Date.parse(`${last}T12:00:00Z`) - harness.clock.now());
    await harness.store.tenantLimits.replace('acme', { budget: { credits: 1200, period: 'month' } });
    await begun(harness, await newJob(harness, 'acme', 1200));
    const waiting = await newJob(harness, 'acme', 1200);
    harness.clock.advance(DAY_MS / 2 - 60_000);
    expect(await begin(harness, waiting)).toMatchObject({ kind: 'budget' });
    expect(await harness.store.spending.spent('acme', 'month', harness.clock.now())).toBe(1200);
    expect(await letIn(harness)).toEqual([]);
    harness.clock.advance(60_000);
    expect(await letIn(harness)).toMatchObject([{ id: waiting.id, step: 2 }]);
    await begun(harness, { id: waiting.id, step: 2 });
  },
);

test('when a budget is used up then no job and no line is taken, until it is free again', async () => {
  const harness = await startStore();
  await harness.store.tenantLimits.replace('acme', { budget: { credits: 1200, period: 'day' } });
  const day = () => dayOf(harness.clock.now());
  const create = () =>
    harness.store.transitions.create({
      ...{ id: newJobId(), tenant: 'acme', doc: imageDoc(), price: price(1200) },
      allowance: { day: day() },
    });
  const created = await create();
  if (created.kind !== 'ok') throw new Error(created.kind);
  await begun(harness, created.job);
  const until = (day() + 1) * DAY_MS;
  const refused = { kind: 'budget', period: 'day', credits: 1200, spent: 1200, until };
  expect(await create()).toEqual(refused);
  expect(await harness.store.usage.check('acme', { day: day() })).toEqual(refused);
  harness.clock.advance(DAY_MS);
  expect((await create()).kind).toBe('ok');
});
