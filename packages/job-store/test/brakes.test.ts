import { randomUUID } from 'node:crypto';
import type { Submitting, UnknownRefusal } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { imageDoc, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

const MODEL = 'nano-banana-2';

/** A queued job of a tenant. */
async function queued(harness: Started, tenant: string, model = MODEL) {
  const id = newJobId();
  await harness.store.transitions.create({ id, tenant, doc: imageDoc({ input: { model, prompt: 'p' } }) });
  return id;
}

const startCall = (harness: Started, id: string, limitMs = 1000, limits = NO_LIMITS) =>
  harness.store.transitions.startCall({ id, step: 1 }, { token: randomUUID(), limitMs }, limits);

/** Begins jobs of a tenant until one is not let through; each is refused with the same text. */
async function refuse(harness: Started, tenant: string, n: number, more: Partial<UnknownRefusal> = {}) {
  const noted = [];
  for (let i = 0; i < n; i += 1) {
    const id = await queued(harness, tenant, more.model);
    const started = await startCall(harness, id);
    if (started.kind !== 'ok') return noted;
    noted.push(await noteRefusal(harness, started.job, more));
  }
  return noted;
}

async function noteRefusal(harness: Started, { id, tenant, lease }: Submitting, more: Partial<UnknownRefusal> = {}) {
  const at = harness.clock.now();
  const { token } = lease;
  const noted = await harness.store.brakes.refused(
    {
      queue: 'submit',
      model: MODEL,
      tenant,
      id: token,
      text: 'sig_1',
      raw: 'HTTP 400: no',
      at,
      begun_at: lease.acquired_at,
      ...more,
    },
    token,
  );
  return { id, ...noted };
}

const waitOf = async (harness: Started, id: string) => {
  const started = await startCall(harness, id);
  if (started.kind !== 'braked') throw new Error(`not braked but ${started.kind}`);
  return started.ms;
};
const pauses = async (harness: Started) => (await harness.store.pauses.all())['submit'];

test('when eight submits of a model were refused then no ninth begins, other models go on, and the pause says so', async () => {
  const harness = await startStore();
  const noted = await refuse(harness, 'acme', 20);
  expect(noted).toHaveLength(8);
  expect(noted.map(({ held }) => held)).toEqual(Array.from({ length: 8 }, () => false));
  expect(await pauses(harness)).toMatchObject([
    {
      reason: 'upstream_refusal',
      model: MODEL,
      tenant: null,
      detail: 'HTTP 400: no',
      since: harness.clock.now(),
      state: 'paused',
    },
  ]);
  expect((await harness.store.pauses.all())['call']).toEqual([]);
  expect(await waitOf(harness, await queued(harness, 'acme'))).toBeGreaterThanOrEqual(60_000);
  expect((await startCall(harness, await queued(harness, 'acme', 'gpt-image-2'))).kind).toBe('ok');
});

test('when two workers are refused at once then each refusal counts once', async () => {
  const harness = await startStore();
  const open = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const started = await startCall(harness, await queued(harness, 'acme'));
      if (started.kind !== 'ok') throw new Error(started.kind);
      return started.job;
    }),
  );
  const noted = await Promise.all(open.map((record) => noteRefusal(harness, record)));
  expect(noted.filter(({ held }) => !held)).toHaveLength(8);
  expect(noted.filter(({ closed }) => closed !== null)).toHaveLength(1);
  expect((await harness.store.brakes.state()).streaks.map(({ count }) => count)).toEqual([20, 20]);
});

test('when a braked job waits then one goes ahead in each minute, of another tenant first, and its answer opens or keeps the brake', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  const own = [await queued(harness, 'acme'), await queued(harness, 'acme')] as const;
  const other = await queued(harness, 'other');
  expect(await waitOf(harness, own[0])).toBe(60_000);
  expect(await waitOf(harness, own[1])).toBe(60_050);
  expect(await waitOf(harness, other)).toBe(60_000);
  await harness.clock.advance(60_050);
  // The other tenant is given ten seconds to come.
  expect(await waitOf(harness, own[0])).toBeLessThanOrEqual(10_000);
  const probe = await startCall(harness, other, 5000);
  if (probe.kind !== 'ok') throw new Error(probe.kind);
  // While it is open nobody else goes, however long that takes.
  for (const id of own) expect(await waitOf(harness, id)).toBeGreaterThan(1000);
  const noted = await noteRefusal(harness, probe.job);
  expect(noted.held).toBe(true);
  await harness.store.transitions.commit(probe.job, { kind: 'release', waitMs: 0 });
  expect(await waitOf(harness, own[0])).toBeGreaterThan(59_000);
  // All tenants were refused now, so whoever comes goes ahead.
  await harness.clock.advance(60_001);
  const second = await startCall(harness, own[1]);
  if (second.kind !== 'ok') throw new Error(second.kind);
  const well = await harness.store.brakes.answered(
    { queue: 'submit', model: MODEL, tenant: 'acme' },
    { begunAt: harness.clock.now(), token: second.job.lease.token },
  );
  expect(well.opened).toHaveLength(1);
  expect(await pauses(harness)).toEqual([]);
  expect((await startCall(harness, own[0])).kind).toBe('ok');
  const waiting = await harness.store.brakes.waiting(10);
  expect(waiting.map(({ id }) => id).sort()).toEqual([...own, other].sort());
  expect(waiting[0]).toMatchObject({ queue: 'submit', step: 1 });
  expect((await harness.store.operations.take(harness.clock.now()))?.kind).toBe('wake-braked');
  await harness.store.brakes.forget(waiting);
  expect(await harness.store.brakes.waiting(10)).toEqual([]);
});

test('when the worker of the job that went ahead dies then another goes when its call is over', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  const [first, second] = [await queued(harness, 'acme'), await queued(harness, 'acme')];
  await harness.clock.advance(60_000);
  expect((await startCall(harness, first, 300_000)).kind).toBe('ok');
  await harness.clock.advance(300_000);
  expect(await waitOf(harness, second)).toBeGreaterThan(0);
  await harness.clock.advance(10_001);
  expect((await startCall(harness, second)).kind).toBe('ok');
});

test('when the call that went ahead came to nothing then another goes a minute later', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  await harness.clock.advance(60_000);
  const started = await startCall(harness, await queued(harness, 'acme'), 300_000);
  if (started.kind !== 'ok') throw new Error(started.kind);
  await harness.store.brakes.saidNothing(started.job.lease.token);
  const next = await queued(harness, 'acme');
  expect(await waitOf(harness, next)).toBe(60_000);
  await harness.clock.advance(60_000);
  expect((await startCall(harness, next)).kind).toBe('ok');
});

test('when the account has no room for the job that may go ahead then nothing is taken from those that wait', async () => {
  const harness = await startStore();
  const busy = await queued(harness, 'acme', 'gpt-image-2');
  expect((await startCall(harness, busy, 1e6)).kind).toBe('ok');
  await refuse(harness, 'acme', 8);
  await harness.clock.advance(60_000);
  const id = await queued(harness, 'acme');
  const other = await queued(harness, 'acme');
  expect((await startCall(harness, id, 1000, { ...NO_LIMITS, maxInFlight: 1 })).kind).toBe('parked');
  expect((await startCall(harness, other)).kind).toBe('ok');
});

test('when one tenant alone was refused and another has work, or had some of late, then only that tenant waits', async () => {
  for (const work of ['queued', 'ended', 'none', 'long ago'] as const) {
    const harness = await startStore();
    const id = await queued(harness, 'other', 'gpt-image-2');
    const started = work === 'queued' ? null : await startCall(harness, id, 1);
    if (started?.kind === 'ok') {
      if (work === 'none') await harness.redis.flushall();
      else await harness.store.transitions.commit(started.job, { kind: 'finish', status: 'succeeded' });
    }
    if (work === 'long ago') await harness.clock.advance(3_600_000);
    await refuse(harness, 'acme', 8);
    const alone = work === 'none' || work === 'long ago';
    expect(await pauses(harness)).toMatchObject([{ tenant: alone ? null : 'acme' }]);
    const other = await startCall(harness, await queued(harness, 'other'));
    expect(other.kind).toBe(alone ? 'braked' : 'ok');
    if (alone) continue;
    // Its answer says nothing of the tenant that waits, and the same refusal stops all.
    await harness.store.brakes.answered(
      { queue: 'submit', model: MODEL, tenant: 'other' },
      { begunAt: harness.clock.now(), token: 't' },
    );
    expect((await startCall(harness, await queued(harness, 'acme'))).kind).toBe('braked');
  }
});

test('when 25 000 jobs wait then they come a few at a time, all of them within ten minutes', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  const id = await queued(harness, 'acme');
  const waits = [];
  for (let i = 0; i < 25_000; i += 1000) {
    const some = await Promise.all(Array.from({ length: 1000 }, () => waitOf(harness, id)));
    waits.push(...some);
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(600_000);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000);
  const inASecond = new Map<number, number>();
  for (const ms of waits) inASecond.set(Math.floor(ms / 1000), (inASecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
  expect(Math.max(...inASecond.values())).toBeLessThanOrEqual(80);
});

test('when an operator opens the brake then jobs begin at once, and refusals are counted anew', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  expect((await harness.store.brakes.open('submit', 'another')).opened).toEqual([]);
  expect((await harness.store.brakes.open('submit', MODEL)).opened).toHaveLength(1);
  expect(await harness.redis.exists('{gj}:brakes')).toBe(0);
  expect(await refuse(harness, 'acme', 20)).toHaveLength(8);
});

test('when the answer of Redis to a refusal is lost then it counts once', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 6);
  const started = await startCall(harness, await queued(harness, 'acme'));
  if (started.kind !== 'ok') throw new Error(started.kind);
  const cut = harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const noted = noteRefusal(harness, started.job);
  await cut;
  expect(await noted).toMatchObject({ held: false, closed: null });
  expect((await harness.store.brakes.state()).streaks.map(({ count }) => count)).toEqual([7, 7]);
});

test('when Redis is full then a brake still closes', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 7);
  const started = await startCall(harness, await queued(harness, 'acme'));
  await harness.redis.config('SET', 'maxmemory', '1mb');
  if (started.kind === 'ok') await noteRefusal(harness, started.job);
  expect(await pauses(harness)).toMatchObject([{ reason: 'upstream_refusal' }]);
});

test('when nobody is refused for an hour then nothing is left of it', async () => {
  const harness = await startStore();
  await refuse(harness, 'acme', 8);
  const ttl = await harness.redis.pttl('{gj}:brakes');
  expect(ttl).toBeGreaterThan(3_590_000);
  expect(ttl).toBeLessThanOrEqual(3_600_000);
});
