import { randomUUID } from 'node:crypto';
import type { Submitting, UnknownRefusal } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { imageDoc, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

const MODEL = 'nano-banana-2';

/** A queued job of a tenant. */
async function queued(kit: Started, tenant: string, model = MODEL) {
  const id = newJobId();
  await kit.store.transitions.create({ id, tenant, doc: imageDoc({ input: { model, prompt: 'p' } }) });
  return id;
}

const startCall = (kit: Started, id: string, limitMs = 1000, limits = NO_LIMITS) =>
  kit.store.transitions.startCall({ id, step: 1 }, { token: randomUUID(), limitMs }, limits);

/** Begins jobs of a tenant until one is not let through; each is refused with the same text. */
async function refuse(kit: Started, tenant: string, n: number, more: Partial<UnknownRefusal> = {}) {
  const noted = [];
  for (let i = 0; i < n; i += 1) {
    const id = await queued(kit, tenant, more.model);
    const started = await startCall(kit, id);
    if (started.kind !== 'ok') return noted;
    noted.push(await noteRefusal(kit, started.job, more));
  }
  return noted;
}

async function noteRefusal(kit: Started, { id, tenant, lease }: Submitting, more: Partial<UnknownRefusal> = {}) {
  const at = kit.clock.now();
  const { token } = lease;
  const noted = await kit.store.brakes.refused(
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

const waitOf = async (kit: Started, id: string) => {
  const started = await startCall(kit, id);
  if (started.kind !== 'braked') throw new Error(`not braked but ${started.kind}`);
  return started.ms;
};
const pauses = async (kit: Started) => (await kit.store.pauses.all())['submit'];

test('when eight submits of a model were refused then no ninth begins, other models go on, and the pause says so', async () => {
  const kit = await startStore();
  const noted = await refuse(kit, 'acme', 20);
  expect(noted).toHaveLength(8);
  expect(noted.map(({ held }) => held)).toEqual(Array.from({ length: 8 }, () => false));
  expect(await pauses(kit)).toMatchObject([
    { reason: 'upstream_refusal', model: MODEL, tenant: null, detail: 'HTTP 400: no', since: kit.clock.now(), state: 'paused' },
  ]);
  expect((await kit.store.pauses.all())['call']).toEqual([]);
  expect(await waitOf(kit, await queued(kit, 'acme'))).toBeGreaterThanOrEqual(60_000);
  expect((await startCall(kit, await queued(kit, 'acme', 'gpt-image-2'))).kind).toBe('ok');
});

test('when two workers are refused at once then each refusal counts once', async () => {
  const kit = await startStore();
  const open = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const started = await startCall(kit, await queued(kit, 'acme'));
      if (started.kind !== 'ok') throw new Error(started.kind);
      return started.job;
    }),
  );
  const noted = await Promise.all(open.map((record) => noteRefusal(kit, record)));
  expect(noted.filter(({ held }) => !held)).toHaveLength(8);
  expect(noted.filter(({ closed }) => closed !== null)).toHaveLength(1);
  expect((await kit.store.brakes.state()).streaks.map(({ count }) => count)).toEqual([20, 20]);
});

test('when a braked job waits then one goes ahead in each minute, of another tenant first, and what it is told opens or keeps the brake', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  const own = [await queued(kit, 'acme'), await queued(kit, 'acme')] as const;
  const other = await queued(kit, 'other');
  expect(await waitOf(kit, own[0])).toBe(60_000);
  expect(await waitOf(kit, own[1])).toBe(60_050);
  expect(await waitOf(kit, other)).toBe(60_000);
  await kit.clock.advance(60_050);
  // The other tenant is given ten seconds to come.
  expect(await waitOf(kit, own[0])).toBeLessThanOrEqual(10_000);
  const probe = await startCall(kit, other, 5000);
  if (probe.kind !== 'ok') throw new Error(probe.kind);
  // While it is open nobody else goes, however long that takes.
  for (const id of own) expect(await waitOf(kit, id)).toBeGreaterThan(1000);
  const noted = await noteRefusal(kit, probe.job);
  expect(noted.held).toBe(true);
  await kit.store.transitions.commit(probe.job, { kind: 'release', waitMs: 0 });
  expect(await waitOf(kit, own[0])).toBeGreaterThan(59_000);
  // All tenants were refused now, so whoever comes goes ahead.
  await kit.clock.advance(60_001);
  const second = await startCall(kit, own[1]);
  if (second.kind !== 'ok') throw new Error(second.kind);
  const well = await kit.store.brakes.answered(
    { queue: 'submit', model: MODEL, tenant: 'acme' },
    { begunAt: kit.clock.now(), token: second.job.lease.token },
  );
  expect(well.opened).toHaveLength(1);
  expect(await pauses(kit)).toEqual([]);
  expect((await startCall(kit, own[0])).kind).toBe('ok');
  const waiting = await kit.store.brakes.waiting(10);
  expect(waiting.map(({ id }) => id).sort()).toEqual([...own, other].sort());
  expect(waiting[0]).toMatchObject({ queue: 'submit', step: 1 });
  expect((await kit.store.operations.take(kit.clock.now()))?.kind).toBe('wake-braked');
  await kit.store.brakes.forget(waiting);
  expect(await kit.store.brakes.waiting(10)).toEqual([]);
});

test('when the worker of the job that went ahead dies then another goes when its call is over', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  const [first, second] = [await queued(kit, 'acme'), await queued(kit, 'acme')];
  await kit.clock.advance(60_000);
  expect((await startCall(kit, first, 300_000)).kind).toBe('ok');
  await kit.clock.advance(300_000);
  expect(await waitOf(kit, second)).toBeGreaterThan(0);
  await kit.clock.advance(10_001);
  expect((await startCall(kit, second)).kind).toBe('ok');
});

test('when the call that went ahead came to nothing then another goes a minute later', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  await kit.clock.advance(60_000);
  const started = await startCall(kit, await queued(kit, 'acme'), 300_000);
  if (started.kind !== 'ok') throw new Error(started.kind);
  await kit.store.brakes.saidNothing(started.job.lease.token);
  const next = await queued(kit, 'acme');
  expect(await waitOf(kit, next)).toBe(60_000);
  await kit.clock.advance(60_000);
  expect((await startCall(kit, next)).kind).toBe('ok');
});

test('when the account has no room for the job that may go ahead then nothing is taken from those that wait', async () => {
  const kit = await startStore();
  const busy = await queued(kit, 'acme', 'gpt-image-2');
  expect((await startCall(kit, busy, 1e6)).kind).toBe('ok');
  await refuse(kit, 'acme', 8);
  await kit.clock.advance(60_000);
  const id = await queued(kit, 'acme');
  expect((await startCall(kit, id, 1000, { maxInFlight: 1, rpm: 0 })).kind).toBe('wait');
  expect((await startCall(kit, id)).kind).toBe('ok');
});

test('when one tenant alone was refused and another has work, or had some of late, then only that tenant waits', async () => {
  for (const work of ['queued', 'ended', 'none', 'long ago'] as const) {
    const kit = await startStore();
    const id = await queued(kit, 'other', 'gpt-image-2');
    const started = work === 'queued' ? null : await startCall(kit, id, 1);
    if (started?.kind === 'ok') {
      if (work === 'none') await kit.redis.flushall();
      else await kit.store.transitions.commit(started.job, { kind: 'finish', status: 'succeeded' });
    }
    if (work === 'long ago') await kit.clock.advance(3_600_000);
    await refuse(kit, 'acme', 8);
    const alone = work === 'none' || work === 'long ago';
    expect(await pauses(kit)).toMatchObject([{ tenant: alone ? null : 'acme' }]);
    const other = await startCall(kit, await queued(kit, 'other'));
    expect(other.kind).toBe(alone ? 'braked' : 'ok');
    if (alone) continue;
    // Its answer says nothing of the tenant that waits, and the same refusal stops all.
    await kit.store.brakes.answered({ queue: 'submit', model: MODEL, tenant: 'other' }, { begunAt: kit.clock.now(), token: 't' });
    expect((await startCall(kit, await queued(kit, 'acme'))).kind).toBe('braked');
  }
});

test('when 25 000 jobs wait then they come a few at a time, all of them within ten minutes', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  const id = await queued(kit, 'acme');
  const waits = [];
  for (let i = 0; i < 25_000; i += 1000) {
    const some = await Promise.all(Array.from({ length: 1000 }, () => waitOf(kit, id)));
    waits.push(...some);
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(600_000);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000);
  const inASecond = new Map<number, number>();
  for (const ms of waits) inASecond.set(Math.floor(ms / 1000), (inASecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
  expect(Math.max(...inASecond.values())).toBeLessThanOrEqual(80);
});

test('when an operator opens the brake then jobs begin at once, and refusals are counted anew', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  expect((await kit.store.brakes.open('submit', 'another')).opened).toEqual([]);
  expect((await kit.store.brakes.open('submit', MODEL)).opened).toHaveLength(1);
  expect(await kit.redis.exists('{gj}:brakes')).toBe(0);
  expect(await refuse(kit, 'acme', 20)).toHaveLength(8);
});

test('when the answer of Redis to a refusal is lost then it counts once', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 6);
  const started = await startCall(kit, await queued(kit, 'acme'));
  if (started.kind !== 'ok') throw new Error(started.kind);
  const cut = kit.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const noted = noteRefusal(kit, started.job);
  await cut;
  expect(await noted).toMatchObject({ held: false, closed: null });
  expect((await kit.store.brakes.state()).streaks.map(({ count }) => count)).toEqual([7, 7]);
});

test('when Redis is full then a brake still closes', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 7);
  const started = await startCall(kit, await queued(kit, 'acme'));
  await kit.redis.config('SET', 'maxmemory', '1mb');
  if (started.kind === 'ok') await noteRefusal(kit, started.job);
  expect(await pauses(kit)).toMatchObject([{ reason: 'upstream_refusal' }]);
});

test('when nobody is refused for an hour then nothing is left of it', async () => {
  const kit = await startStore();
  await refuse(kit, 'acme', 8);
  const ttl = await kit.redis.pttl('{gj}:brakes');
  expect(ttl).toBeGreaterThan(3_590_000);
  expect(ttl).toBeLessThanOrEqual(3_600_000);
});
