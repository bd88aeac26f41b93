import { randomUUID } from 'node:crypto';
import { batchId, type JobDoc } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Allowance } from '../src/tenant/usage.ts';
import { heldBy, imageDoc, jobIn, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

const TENANTS = ['acme', 'globex'] as const;

const storedDoc = (bytes: number): JobDoc => ({
  ...imageDoc(),
  ...(bytes === 0
    ? {}
    : { stored_input: { $object: 'k', bytes, pictures: [{ $object: 'p', content_type: 'image/png', bytes: 7 }] } }),
});

/** What the records themselves say, by tenant. */
async function recounted(harness: Started) {
  const sums = Object.fromEntries(TENANTS.map((tenant) => [tenant, { redis: 0, stored: 0, live: 0 }]));
  for (const key of await harness.redis.keys('{gj}:job:*:doc')) {
    const { tenant = '', st = '', use, obj } = await harness.redis.hgetall(key.replace(/:doc$/, ''));
    const sum = sums[tenant];
    if (sum === undefined || use === undefined) continue;
    sum.redis += Number(use);
    sum.stored += Number(obj ?? 0);
    sum.live += ['succeeded', 'failed', 'canceled', 'expired'].includes(st) ? 0 : 1;
  }
  return sums;
}

/** Jobs that are queued, but lines of batches that are not committed. */
async function queuedOf(harness: Started, tenant: string): Promise<number> {
  const keys = await harness.redis.keys('{gj}:job:*:doc');
  const records = await Promise.all(keys.map((key) => harness.redis.hgetall(key.replace(/:doc$/, ''))));
  const committed = async (batch: string) => (await harness.redis.hget(`{gj}:batch:${batch}`, 'round')) !== null;
  const queued = records.map(
    async ({ tenant: of, st, batch }) => of === tenant && st === 'queued' && (batch === undefined || (await committed(batch))),
  );
  return (await Promise.all(queued)).filter(Boolean).length;
}

async function agrees(harness: Started) {
  for (const tenant of TENANTS) expect(await harness.store.rooms.queued(tenant)).toBe(await queuedOf(harness, tenant));
  const sums = await recounted(harness);
  const counted = Object.fromEntries(
    await Promise.all(TENANTS.map(async (tenant) => [tenant, await harness.store.usage.of(tenant)])),
  );
  expect(counted).toEqual(sums);
  expect(await harness.store.usage.total()).toBe(TENANTS.reduce((sum, tenant) => sum + (sums[tenant]?.redis ?? 0), 0));
}

const lineOf = (line: number, bytes: number) => ({ jobId: newJobId(), line, customId: `l${line}`, doc: storedDoc(bytes) });

interface World {
  harness: Started;
  ids: string[];
  batches: { id: string; tenant: string; lines: ReturnType<typeof lineOf>[] }[];
}

type Act = (world: World, tenant: (typeof TENANTS)[number], n: number) => Promise<unknown>;

const read = async ({ harness, ids }: World, n: number) => {
  const id = ids[n % Math.max(1, ids.length)];
  return id === undefined ? null : await harness.store.jobs.read(id);
};

const ACTS: Readonly<Record<string, Act>> = {
  accept: async ({ harness, ids }, tenant, n) => {
    const id = newJobId();
    ids.push(id);
    await harness.store.transitions.create({ id, tenant, doc: storedDoc((n % 3) * 1000) });
  },
  acceptAgain: async (w, tenant, n) => {
    const record = await read(w, n);
    if (record) await w.harness.store.transitions.create({ id: record.id, tenant, doc: record.doc });
  },
  run: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record === null) return;
    const token = randomUUID();
    await w.harness.store.transitions.startCall({ id: record.id, step: record.step }, { token, limitMs: 1000 }, NO_LIMITS);
    const started = await w.harness.store.jobs.read(record.id);
    if (started?.lease)
      await w.harness.store.transitions.commit(heldBy(started, token), {
        kind: 'start_storing',
        unstored: { completion: 'x'.repeat(n), dies_at: 1 },
      });
  },
  acceptWithin: async ({ harness, ids }, tenant, n) => {
    const most = 1 + (n % 4);
    const id = newJobId();
    const fits = (await queuedOf(harness, tenant)) < most;
    const created = await harness.store.transitions.create({ id, tenant, doc: storedDoc(0), allowance: { queued: most } });
    expect(created.kind).toBe(fits ? 'ok' : 'queue');
    if (fits) ids.push(id);
  },
  fail: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record === null) return;
    // One permit for all: whoever comes second is parked.
    const limits = { ...NO_LIMITS, maxInFlight: 1 };
    const token = randomUUID();
    await w.harness.store.transitions.startCall({ id: record.id, step: record.step }, { token, limitMs: 1000 }, limits);
    const started = await w.harness.store.jobs.read(record.id);
    if (started?.lease?.token === token && n % 3 > 0)
      await w.harness.store.transitions.commit(heldBy(started, token), { kind: 'release', waitMs: 1000 });
  },
  requeue: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record) await w.harness.store.transitions.commit(record, { kind: 'requeue' });
  },
  suspect: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record === null) return;
    await w.harness.store.suspects.hold([record.id], 1);
    await w.harness.store.transitions.startCall(
      { id: record.id, step: record.step },
      { token: randomUUID(), limitMs: 1000 },
      NO_LIMITS,
    );
    await w.harness.store.suspects.release([record.id]);
  },
  end: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record === null) return;
    const output = { kind: 'chat_file', key: 'k', bytes: 100 + n, sha256: '' } as const;
    const end = { kind: 'finish', status: n % 2 ? 'succeeded' : 'failed', output } as const;
    const token = randomUUID();
    await w.harness.store.transitions.commit(record, end, { token });
    await w.harness.store.transitions.commit(record, end, { token });
  },
  cancel: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record) await w.harness.store.transitions.commit(record, { kind: 'cancel' });
  },
  reopen: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record) await w.harness.store.transitions.commit(record, { kind: 'reopen', to: 'queued' });
  },
  erase: async (w, _tenant, n) => {
    const record = await read(w, n);
    if (record === null) return;
    await w.harness.store.erase.asked(record);
    await w.harness.store.erase.asked(record);
  },
  batch: async ({ harness, batches }, tenant, n) => {
    const batch = { id: batchId(newJobId().slice(4)), tenant, lines: [lineOf(1, n), lineOf(2, 0)] };
    batches.push(batch);
    const doc = { expires_in_s: 3600, metadata: {} } as never;
    await harness.store.batches.open({ id: batch.id, tenant, doc, createdAt: harness.clock.now() });
    await harness.store.batches.add(batch, 0, batch.lines);
    await harness.store.batches.add(batch, 0, batch.lines);
  },
  commit: async ({ harness, batches, ids }, _tenant, n) => {
    const batch = batches[n % Math.max(1, batches.length)];
    if (batch === undefined) return;
    const most = n % 5;
    const isNew = (await harness.redis.hget(`{gj}:batch:${batch.id}`, 'st')) === 'validating';
    const fits = most === 0 || !isNew || (await queuedOf(harness, batch.tenant)) + 2 <= most;
    const committed = await harness.store.batches.commit(batch, { total: 2, invalid: 0, expiresInS: 3600, queued: most });
    if (isNew) expect(committed.kind === 'ok').toBe(fits);
    if (committed.kind !== 'ok') return;
    const lines = batch.lines.map(({ jobId: id }) => id);
    await agrees(harness);
    ids.push(...lines);
  },
  discard: async ({ harness, batches }, _tenant, n) => {
    const batch = batches[n % Math.max(1, batches.length)];
    if (batch === undefined) return;
    const lines = batch.lines.map(({ jobId: id }) => id);
    await harness.store.batches.discard(batch.id, lines);
    await harness.store.batches.discard(batch.id, lines);
  },
};

test('whatever is done to jobs and batches in any order, and done again, then the counters of tenants are the sums over their records', async () => {
  const harness = await startStore();
  const command = fc.record({
    act: fc.constantFrom(...Object.keys(ACTS)),
    tenant: fc.constantFrom(...TENANTS),
    n: fc.integer({ min: 0, max: 50 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      await harness.redis.flushall();
      const world: World = { harness, ids: [], batches: [] };
      for (const { act, tenant, n } of commands) {
        await ACTS[act]?.(world, tenant, n);
        await agrees(harness);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('when the answer of a script that counts is lost then it has counted once', async () => {
  const harness = await startStore();
  const lost = async (call: () => Promise<unknown>) => {
    const cut = harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
    const answer = call();
    await cut;
    await answer;
    await agrees(harness);
  };
  const id = newJobId();
  await lost(() => harness.store.transitions.create({ id, tenant: 'acme', doc: storedDoc(500) }));
  const record = async () => (await harness.store.jobs.read(id)) ?? expect.fail('no record');
  const queued = await record();
  await lost(() => harness.store.transitions.commit(queued, { kind: 'cancel' }));
  const ended = await record();
  await lost(() => harness.store.erase.asked(ended));
  expect(await harness.store.usage.of('acme')).toEqual({ redis: 0, stored: 0, live: 0 });
});

test('when a record was made before there were counters then it is in none, whatever becomes of it', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  await harness.redis.hdel(`{gj}:job:${job.id}`, 'use', 'obj');
  await harness.redis.del('{gj}:usage');
  await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  await harness.store.erase.asked(await job.read());
  expect(await harness.redis.hgetall('{gj}:usage')).toEqual({});
});

const NONE = { redis: 0, stored: 0, live: 0 };
const LIMITS: readonly [string, Partial<typeof NONE>, object][] = [
  ['bytes in Redis', { redis: 4000 }, { kind: 'quota', quota: 'redis', limit: 4000 }],
  ['bytes in the object store', { stored: 1500 }, { kind: 'quota', quota: 'stored', limit: 1500, used: 1007 }],
  ['live jobs', { live: 1 }, { kind: 'quota', quota: 'live', limit: 1, used: 1 }],
];

test.each(LIMITS)(
  'when a tenant reaches its limit of %s then its next job and its next lines are refused with nothing written, and another tenant goes on',
  async (_what, limit, refused) => {
    const harness = await startStore();
    const allowance: Allowance = { limits: { ...NONE, ...limit } };
    const accept = (tenant: string, id = newJobId()) =>
      harness.store.transitions.create({ id, tenant, doc: storedDoc(1000), allowance });
    const first = newJobId();
    expect(await accept('acme', first)).toMatchObject({ kind: 'ok' });
    const before = await harness.redis.dbsize();
    expect(await accept('acme')).toMatchObject(refused);
    const batch = { id: batchId(newJobId().slice(4)), tenant: 'acme' };
    await harness.store.batches.open({ ...batch, doc: { expires_in_s: 3600, metadata: {} } as never, createdAt: 0 });
    expect(await harness.store.batches.add(batch, 0, [lineOf(1, 1000), lineOf(2, 1000)], allowance)).toMatchObject(refused);
    expect((await harness.redis.keys('{gj}:job:*')).length).toBe(2);
    expect(await accept('globex')).toMatchObject({ kind: 'ok' });
    expect(before).toBeGreaterThan(0);
    // What was accepted is told again, and what is erased makes room.
    expect(await accept('acme', first)).toMatchObject({ kind: 'ok' });
    const record = async () => (await harness.store.jobs.read(first)) ?? expect.fail('no record');
    await harness.store.transitions.commit(await record(), { kind: 'cancel' });
    await harness.store.erase.asked(await record());
    expect(await accept('acme')).toMatchObject({ kind: 'ok' });
  },
);

test('when all records together reach the room that is left then the next is refused, whoever sends it', async () => {
  const harness = await startStore();
  const accept = (tenant: string, room: number) =>
    harness.store.transitions.create({ id: newJobId(), tenant, doc: imageDoc(), allowance: { room } });
  const kinds: string[] = [];
  for (let i = 0; i < 6; i += 1) kinds.push((await accept(i % 2 ? 'acme' : 'globex', 10_000)).kind);
  expect(kinds).toEqual(['ok', 'ok', 'ok', 'ok', 'full', 'full']);
});

test('when a job is called, refused and run again ever so often then what is counted for its record does not fall', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  const counted = async () => (await harness.store.usage.of('acme')).redis;
  const atFirst = await counted();
  for (let n = 0; n < 5; n += 1) {
    const { step } = await job.read();
    await harness.store.transitions.startCall({ id: job.id, step }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS);
    await job.commit({ kind: 'release', waitMs: 0 });
  }
  expect(await counted()).toBe(atFirst);
  let before = atFirst;
  for (let n = 0; n < 3; n += 1) {
    await job.commit({ kind: 'finish', status: 'failed' });
    await job.commit({ kind: 'reopen', to: 'queued' });
    const now = await counted();
    // What is kept of each run.
    expect(now - before).toBe(JSON.stringify((await job.read()).past[n + 1]).length);
    before = now;
  }
});

test('when a release that knows nothing of jobs set aside has begun some then they do not count for ever', async () => {
  const harness = await startStore();
  const allowance: Allowance = { queued: 1 };
  await harness.redis.hset('{gj}:waiting:submit:acme:aside', newJobId(), 'backoff 1');
  const accept = () => harness.store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc(), allowance });
  expect(await accept()).toMatchObject({ kind: 'ok' });
  expect(await accept()).toEqual({ kind: 'queue', limit: 1, queued: 1, more: 1 });
});

test('when such jobs stand behind many that wait then they do not count for ever either', async () => {
  const harness = await startStore();
  const allowance: Allowance = { queued: 31 };
  const accept = () => harness.store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc(), allowance });
  for (let n = 0; n < 30; n += 1) {
    const job = await jobIn(harness, 'submitting');
    await job.commit({ kind: 'release', waitMs: 5000 });
  }
  await harness.redis.hset('{gj}:waiting:submit:acme:aside', newJobId(), 'backoff 1');
  const accepted = async () => (await accept()).kind === 'ok';
  // Which of them are looked at is left to chance.
  let tries = 0;
  while (tries < 200 && !(await accepted())) tries += 1;
  expect(tries).toBeLessThan(200);
});
