import { randomUUID } from 'node:crypto';
import { type JobDoc, type QueueMessage, TRANSITIONS } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountLimits } from '../src/index.ts';
import { imageDoc, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

const chatDoc = (more: object = {}) => ({
  ...imageDoc(),
  ...{ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } },
  ...more,
});

interface Made {
  id: string;
  message: QueueMessage | null;
}

/** Tenants that bring jobs, and workers that take the entries. */
function service(harness: Started, limits: AccountLimits) {
  const { transitions, jobs, rooms } = harness.store;
  let made = 0;
  const own = {
    async create(tenant: string, more: object = {}, doc = imageDoc(more)): Promise<Made> {
      made += 1;
      // Ids go by the time at which they were made.
      const id = `job_${String(made).padStart(8, '0')}${newJobId().slice(12)}`;
      const created = await transitions.create({ id, tenant, doc });
      if (created.kind !== 'ok') throw new Error(created.kind);
      return { id, message: created.message };
    },
    many: async (n: number, tenant: string, more: object = {}): Promise<Made[]> => {
      const jobs: Made[] = [];
      for (let i = 0; i < n; i += 1) jobs.push(await own.create(tenant, more));
      return jobs;
    },
    /** A batch of lines with these priorities; it is committed at once or stays as it comes in. */
    async batch(tenant: string, priorities: readonly JobDoc['priority'][], commit = true) {
      const batch = { id: newJobId().replace('job_', 'batch_'), tenant };
      const doc = { metadata: {}, priority: 'normal', expires_in_s: 3600, output: { url_ttl_s: 3600 } } as const;
      await harness.store.batches.open({ ...batch, doc, createdAt: harness.clock.now() });
      const lines = priorities.map((priority, i) => {
        made += 1;
        const jobId = `job_${String(made).padStart(8, '0')}${newJobId().slice(12)}`;
        return { jobId, line: i + 1, customId: `l${i}`, doc: imageDoc({ priority }) };
      });
      await harness.store.batches.add(batch, 0, lines);
      const ids = lines.map(({ jobId }) => jobId);
      if (!commit) return { ...batch, ids, letIn: [] };
      const committed = await harness.store.batches.commit(batch, { total: lines.length, invalid: 0, expiresInS: 3600 });
      if (committed.kind !== 'ok') throw new Error(committed.kind);
      return { ...batch, ids, letIn: committed.letIn };
    },
    start: (id: string, step = 1) => transitions.startCall({ id, step }, { token: randomUUID(), limitMs: 60_000 }, limits),
    async end(id: string) {
      const job = await jobs.read(id);
      if (job === null) throw new Error('no record');
      const ended = await transitions.commit(job, { kind: 'finish', status: 'failed' });
      if (ended.kind !== 'ok') throw new Error(ended.kind);
      return ended.letIn;
    },
    waiting: (tenant: string) => rooms.waiting('submit', tenant),
    seats: (tenant: string) => harness.redis.zcard(`{gj}:waiting:submit:${tenant}:seats`),
    /** Starts jobs one after another until one is parked, and says how many began. */
    async fill(jobs: readonly Made[]): Promise<number> {
      for (const [n, { id }] of jobs.entries()) if ((await own.start(id)).kind !== 'ok') return n;
      return jobs.length;
    },
  };
  return own;
}

const accountOf = (maxInFlight: number, more: Partial<AccountLimits> = {}): AccountLimits => ({
  ...NO_LIMITS,
  maxInFlight,
  callReserve: Math.min(Math.ceil(maxInFlight / 10), Math.max(0, maxInFlight - 1)),
  ...more,
});

describe('room for everyone', () => {
  test('when one tenant has all that it may then a tenth is left for others, whose first jobs begin at once', async () => {
    const harness = await startStore();
    const { create, fill, start, many } = service(harness, accountOf(200));
    expect(await fill(await many(100, 'big'))).toBe(100);
    expect(await fill(await many(100, 'big'))).toBe(62);
    for (const tenant of ['b', 'c', 'd', 'e']) expect((await start((await create(tenant)).id)).kind).toBe('ok');
  });

  test('when several tenants want all then each has its share before one of them has more, and never all together', async () => {
    const harness = await startStore();
    const { fill, many } = service(harness, accountOf(100));
    expect(await fill(await many(81, 'a'))).toBe(81);
    // 90 for tasks, of which 9 are kept: a tenant has less than 90/3 of them.
    expect(await fill(await many(10, 'b'))).toBe(9);
    expect(await fill(await many(10, 'c'))).toBe(0);
    expect(await harness.store.jobs.inFlight()).toBe(90);
  });

  test('when image tasks have all that they may then calls have what is left, with the same rule among them', async () => {
    const harness = await startStore();
    const { create, fill, many, start } = service(harness, accountOf(100));
    await fill(await many(81, 'a'));
    const chats = async (tenant: string, n: number) => {
      for (let i = 0; i < n; i += 1) if ((await start((await create(tenant, {}, chatDoc() as never)).id)).kind !== 'ok') return i;
      return n;
    };
    // 19 are left, 2 of them for others.
    expect(await chats('a', 30)).toBe(17);
    expect(await chats('b', 30)).toBe(2);
    expect(await harness.store.jobs.inFlight()).toBe(100);
  });

  test('when workers have fewer places for calls than the account then those are shared by the same rule', async () => {
    const harness = await startStore();
    const { create, start } = service(harness, accountOf(1000, { callSlots: 20 }));
    const chats = async (tenant: string, n: number) => {
      for (let i = 0; i < n; i += 1) if ((await start((await create(tenant, {}, chatDoc() as never)).id)).kind !== 'ok') return i;
      return n;
    };
    expect(await chats('a', 30)).toBe(18);
    expect(await chats('b', 30)).toBe(2);
  });

  test('when an operator limits a tenant then it begins no more than that, calls and tasks together, and more once the limit is lifted', async () => {
    const harness = await startStore();
    const { create, end, fill, many, start } = service(harness, { ...accountOf(100), maxOfTenant: 5 });
    await harness.store.tenantLimits.replace('a', { max_in_flight: 3 });
    const mine = await many(6, 'a');
    expect(await fill(mine.slice(0, 4))).toBe(3);
    expect((await start((await create('a', {}, chatDoc() as never)).id)).kind).toBe('parked');
    expect(await fill(await many(6, 'b'))).toBe(5);
    expect(await harness.store.rooms.inFlight('a')).toBe(3);
    await harness.store.tenantLimits.replace('a', { max_in_flight: 1 });
    expect(await end(mine[0]?.id ?? '')).toEqual([]);
    await harness.store.tenantLimits.replace('a', {});
    expect(await start(mine[4]?.id ?? '')).toMatchObject({ kind: 'ok', letIn: [] });
    // The next comes in with the last seat, and is the fifth.
    expect(await start(mine[5]?.id ?? '')).toMatchObject({ kind: 'ok', letIn: [{ id: mine[3]?.id }] });
  });

  test('when the account has no limit then nobody is parked', async () => {
    const harness = await startStore();
    const { fill, many } = service(harness, NO_LIMITS);
    expect(await fill(await many(100, 'a'))).toBe(100);
  });
});

describe('a room', () => {
  test('when more jobs of a tenant wait than there are seats then the rest has no entry, no turn, and is due when it expires', async () => {
    const harness = await startStore();
    const { many, seats, waiting } = service(harness, NO_LIMITS);
    const jobs = await many(103, 'a');
    expect(jobs.filter(({ message }) => message === null)).toHaveLength(3);
    expect([await seats('a'), await waiting('a')]).toEqual([100, 3]);
    const last = await harness.store.jobs.read(jobs.at(-1)?.id ?? '');
    expect(last).toMatchObject({ status: 'queued', turn: 0, due: last?.expires_at });
    expect(await harness.store.jobs.read(jobs[0]?.id ?? '')).toMatchObject({
      turn: 1,
      due: harness.clock.now() + TRANSITIONS.create.due,
    });
  });

  test('when half of the seats are free then the next come in, in their order, with the turns that follow', async () => {
    const harness = await startStore();
    const { many, start, seats, waiting } = service(harness, NO_LIMITS);
    const jobs = await many(130, 'a');
    const letIn: QueueMessage[] = [];
    for (const { id } of jobs.slice(0, 60)) {
      const started = await start(id);
      if (started.kind === 'ok') letIn.push(...started.letIn);
    }
    expect(letIn.map(({ id, turn, step }) => [id, turn, step])).toEqual(jobs.slice(100).map(({ id }, i) => [id, 101 + i, 1]));
    expect([await seats('a'), await waiting('a')]).toEqual([70, 0]);
    expect(await harness.redis.exists('{gj}:waiting:submit')).toBe(0);
  });

  test('when a job of high priority comes then it passes those that wait, and low ones wait for all others', async () => {
    const harness = await startStore();
    const { create, many, start } = service(harness, NO_LIMITS);
    const jobs = await many(100, 'a');
    const low = await create('a', { priority: 'low' });
    const normal = await create('a');
    expect((await create('a', { priority: 'high' })).message).toMatchObject({ priority: 'high', turn: 101 });
    const letIn: string[] = [];
    for (const { id } of jobs.slice(0, 70)) {
      const started = await start(id);
      if (started.kind === 'ok') letIn.push(...started.letIn.map((each) => each.id));
    }
    expect(letIn).toEqual([normal.id, low.id]);
  });

  test('when a batch waits then it stands in the room once, and its lines come in by priority and in their order, between other jobs', async () => {
    const harness = await startStore();
    const own = service(harness, accountOf(1));
    const running = await own.create('a');
    await own.start(running.id);
    // One may be in flight, so that each of the others is let in alone.
    const before = await own.create('a');
    harness.clock.advance(1);
    const batch = await own.batch('a', ['normal', 'low', 'high', 'normal']);
    harness.clock.advance(1);
    const behind = await own.create('a');
    expect(await own.waiting('a')).toBe(6 - (before.message ? 1 : 0) - batch.letIn.length);
    expect(await harness.store.rooms.queued('a')).toBe(6);
    const order: string[] = [];
    const entries = [...(before.message ? [before.message] : []), ...batch.letIn];
    for (let ended = running.id; order.length < 6; ) {
      entries.push(...(await own.end(ended)), ...(await harness.store.rooms.letIn('submit')));
      const next = entries.shift();
      if (next === undefined) throw new Error('nobody comes in');
      const started = await own.start(next.id, next.step);
      if ('letIn' in started) entries.push(...started.letIn);
      if (started.kind !== 'ok') continue;
      order.push(next.id);
      ended = next.id;
    }
    const [first = '', low = '', high = '', last = ''] = batch.ids;
    // The one before it had its entry already.
    expect(order).toEqual([before.id, high, first, last, behind.id, low]);
    expect(await harness.redis.keys('{gj}:batch:*:lines:*')).toEqual([]);
  });

  test('when a line of a batch is canceled before it was let in then it is skipped, and counts no longer', async () => {
    const harness = await startStore();
    const own = service(harness, accountOf(1));
    await own.start((await own.create('a')).id);
    const batch = await own.batch('a', ['normal', 'normal', 'normal']);
    const left = batch.ids.filter((id) => !batch.letIn.some((each) => each.id === id));
    await own.end(left[0] ?? '');
    await own.end(left[0] ?? '').catch(() => undefined);
    expect(await own.waiting('a')).toBe(left.length - 1);
    expect(await harness.store.rooms.queued('a')).toBe(2);
    for (const id of left.slice(1)) await own.end(id);
    expect(await harness.redis.zrange('{gj}:waiting:submit', '0', '-1')).toEqual([]);
    expect(await harness.redis.keys('{gj}:waiting:submit:a:batches')).toEqual([]);
  });

  test('when a tenant is refused and another returns a permit then the first is let in, though it had no entry any more', async () => {
    const harness = await startStore();
    const { create, end, fill, many, start } = service(harness, accountOf(20));
    const mine = await many(17, 'a');
    expect(await fill(mine)).toBe(16);
    const theirs = await create('b');
    expect((await start(theirs.id)).kind).toBe('ok');
    expect(await end(theirs.id)).toEqual([]);
    const letIn = await end(mine[0]?.id ?? '');
    expect(letIn).toMatchObject([{ id: mine[16]?.id, step: 2, queue: 'submit' }]);
    expect((await start(letIn[0]?.id ?? '', 2)).kind).toBe('ok');
  });

  test('when a job leaves its room or seat by a cancel or its expiry then nothing of it is left, and the next comes in', async () => {
    const harness = await startStore();
    const { create, end, many, seats, waiting } = service(harness, NO_LIMITS);
    const jobs = await many(101, 'a');
    await end(jobs.at(-1)?.id ?? '');
    expect(await waiting('a')).toBe(0);
    expect(await harness.redis.exists('{gj}:waiting:submit')).toBe(0);
    for (const { id } of jobs.slice(0, 100)) await end(id);
    expect(await seats('a')).toBe(0);
    expect((await create('a')).message).not.toBeNull();
  });

  test('when the process died that held a permit then a tenant that waits for it is let in once the permit is over', async () => {
    const harness = await startStore();
    const { create, start } = service(harness, accountOf(1));
    const [a, b] = [await create('a'), await create('b')];
    await start(a.id);
    expect((await start(b.id)).kind).toBe('parked');
    expect(await harness.store.rooms.letIn('submit')).toEqual([]);
    harness.clock.advance(60_000 + 10_000 + 60_001);
    expect(await harness.store.rooms.letIn('submit')).toMatchObject([{ id: b.id, step: 2 }]);
  });

  test('when a parked job was let in then its entry of before does nothing', async () => {
    const harness = await startStore();
    const { create, end, start } = service(harness, accountOf(1));
    const [a, b] = [await create('a'), await create('b')];
    await start(a.id);
    await start(b.id);
    expect((await end(a.id)).map(({ id }) => id)).toEqual([b.id]);
    expect((await start(b.id, 1)).kind).toBe('stale');
    expect((await start(b.id, 2)).kind).toBe('ok');
  });

  test('when a job is retried while others of its tenant wait then it waits with them', async () => {
    const harness = await startStore();
    const { end, many } = service(harness, NO_LIMITS);
    const [first] = await many(1, 'a');
    await end(first?.id ?? '');
    await many(101, 'a');
    const job = await harness.store.jobs.read(first?.id ?? '');
    if (job === null) throw new Error('no record');
    const reopened = await harness.store.transitions.commit(job, { kind: 'reopen', to: 'queued' });
    expect(reopened).toMatchObject({ kind: 'ok', message: null, job: { turn: 0, status: 'queued' } });
  });
});

const COMMAND = fc.record({
  act: fc.constantFrom('create', 'create', 'batch', 'batch', 'start', 'start', 'start', 'end', 'back off', 'cancel', 'sweep'),
  tenant: fc.constantFrom('a', 'b', 'c'),
  priority: fc.constantFrom('normal', 'normal', 'high', 'low'),
  n: fc.nat(1000),
});

/** Entries by job and step, as a queue has them. */
type Entries = Map<string, { id: string; step: number }>;

test('when a job ends whose permit another tenant has found to be over then its tenant has it no longer', async () => {
  const harness = await startStore();
  const own = service(harness, accountOf(1));
  const job = await own.create('acme');
  await own.start(job.id);
  harness.clock.advance(3_600_000);
  const other = await own.create('globex');
  expect((await own.start(other.id)).kind).toBe('ok');
  await own.end(job.id);
  expect(await harness.store.rooms.inFlight('acme')).toBe(0);
});

test('whatever tenants and workers do, each queued job is in a room, has a seat or an entry, permits are never exceeded, and all run once in the end', async () => {
  const harness = await startStore();
  const { store, redis } = harness;
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 20, maxLength: 80 }), fc.constantFrom(0, 3, 10), async (commands, max) => {
      await redis.flushall();
      const own = service(harness, { ...accountOf(max), callSlots: max });
      const entries: Entries = new Map();
      const began = new Map<string, number>();
      const running: string[] = [];
      const queued = new Set<string>();
      const batches: string[] = [];
      const hidden = new Set<string>();
      const add = (messages: readonly QueueMessage[]) => {
        for (const { id, step } of messages) entries.set(`${id}.${step}`, { id, step });
      };
      const start = async (key: string) => {
        const entry = entries.get(key);
        if (entry === undefined) return;
        entries.delete(key);
        const started = await own.start(entry.id, entry.step);
        if ('letIn' in started) add(started.letIn);
        // A line that was in flight when its batch was canceled, and comes back: its worker ends it.
        if (started.kind === 'canceling') {
          queued.delete(entry.id);
          add(await own.end(entry.id));
        }
        if (started.kind !== 'ok') return;
        began.set(entry.id, (began.get(entry.id) ?? 0) + 1);
        queued.delete(entry.id);
        running.push(entry.id);
      };
      const end = async (id: string) => {
        running.splice(running.indexOf(id), 1);
        add(await own.end(id));
      };
      const check = async () => {
        const stands = new Map<string, number>();
        for (const key of await redis.keys('{gj}:waiting:submit:?*')) {
          if (key.includes('#') || key.endsWith(':batches')) continue;
          const ids = key.endsWith(':aside') ? await redis.hkeys(key) : await redis.zrange(key, '0', '-1');
          for (const id of ids) stands.set(id, (stands.get(id) ?? 0) + 1);
        }
        for (const list of await redis.keys('{gj}:batch:*:lines:*')) {
          const batch = list.split(':')[2] ?? '';
          if (hidden.has(batch)) continue;
          for (const id of await redis.lrange(list, 0, -1)) stands.set(id, (stands.get(id) ?? 0) + 1);
        }
        for (const [id, times] of stands) expect([id, times, queued.has(id)]).toEqual([id, 1, true]);
        const waiting = (await redis.zrange('{gj}:waiting:submit', '0', '-1')).sort();
        const rooms = (await Promise.all(['a', 'b', 'c'].map(async (t) => ((await own.waiting(t)) > 0 ? [t] : [])))).flat();
        expect(waiting).toEqual(rooms);
        if (max > 0) expect(running.length).toBeLessThanOrEqual(max - Math.ceil(max / 10));
        const jobs = await Promise.all([...queued].map((id) => store.jobs.read(id)));
        for (const job of jobs) {
          if (job === null) throw new Error('no record');
          expect(stands.get(job.id)).toBe(1);
          // Whoever has no entry waits in a room, and only those.
          expect([job.id, job.turn === 0]).toEqual([job.id, !entries.has(`${job.id}.${job.step}`)]);
        }
      };
      for (const { act, tenant, priority, n } of commands) {
        if (act === 'create') {
          const job = await own.create(tenant, { priority });
          queued.add(job.id);
          if (job.message) add([job.message]);
        }
        if (act === 'batch') {
          const priorities = (['normal', priority, 'normal', 'high', 'low'] as const).slice(0, 1 + (n % 5));
          const batch = await own.batch(tenant, n % 7 === 0 ? priorities : [...priorities, ...priorities], n % 4 !== 0);
          if (n % 4 === 0) hidden.add(batch.id);
          else {
            for (const id of batch.ids) queued.add(id);
            batches.push(batch.id);
            add(batch.letIn);
          }
        }
        const key = [...entries.keys()][n % Math.max(1, entries.size)];
        if (act === 'start' && key) await start(key);
        const id = running[n % Math.max(1, running.length)];
        if (act === 'end' && id) await end(id);
        if (act === 'back off' && id) {
          running.splice(running.indexOf(id), 1);
          const job = await store.jobs.read(id);
          if (job === null) throw new Error('no record');
          const released = await store.transitions.commit(job, { kind: 'release', waitMs: 0 });
          if (released.kind !== 'ok') throw new Error(released.kind);
          began.delete(id);
          queued.add(id);
          add(released.letIn);
          // The entry of the call waits for a time of its own.
          entries.set(`${id}.${job.step}`, { id, step: job.step });
        }
        const waits = [...queued][n % Math.max(1, queued.size)];
        if (act === 'cancel' && waits) {
          queued.delete(waits);
          add(await own.end(waits));
          for (const known of [...entries.keys()]) if (known.startsWith(`${waits}.`)) entries.delete(known);
        }
        if (act === 'cancel' && n % 5 === 0 && batches.length > 0) {
          const batch = batches[n % batches.length] ?? '';
          await store.batches.cancel(batch);
          for (const line of await store.batches.jobIds(batch, 0, 100)) {
            if (!queued.delete(line)) continue;
            add(await own.end(line));
            for (const known of [...entries.keys()]) if (known.startsWith(`${line}.`)) entries.delete(known);
          }
        }
        if (act === 'sweep') add(await store.rooms.letIn('submit'));
        await check();
      }
      // Nothing waits for ever: workers go on until nothing is left.
      for (let round = 0; queued.size + running.length > 0; round += 1) {
        expect(round).toBeLessThan(500);
        for (const key of [...entries.keys()]) await start(key);
        for (const id of [...running]) await end(id);
        add(await store.rooms.letIn('submit'));
        await check();
      }
      expect([...began.values()].every((times) => times === 1)).toBe(true);
      expect((await redis.keys('{gj}:waiting:*')).filter((key) => !/#(?!lines)/.test(key))).toEqual([]);
      expect((await redis.keys('{gj}:batch:*:lines:*')).filter((key) => !hidden.has(key.split(':')[2] ?? ''))).toEqual([]);
      expect((await redis.keys('{gj}:inflight*')).filter((key) => !key.endsWith('#account'))).toEqual([]);
    }),
    { numRuns: 6, interruptAfterTimeLimit: 40_000 },
  );
}, 60_000);

test('when many tenants can pay again at once then one look brings 500 jobs back, the next one the others, and no tenant is passed over', async () => {
  const harness = await startStore();
  const { redis, store } = harness;
  const room = (tenant: string) => `{gj}:waiting:submit:${tenant}`;
  const tenants = Array.from({ length: 12 }, (_, n) => `t${n}`);
  for (const tenant of tenants) {
    const pipeline = redis.pipeline().zadd('{gj}:waiting:submit:#broke', 1, tenant);
    for (let n = 0; n < 50; n += 1) {
      const id = newJobId();
      pipeline.hset(`{gj}:job:${id}`, { st: 'queued', step: 1, cr: 1000 + n, q: 'submit', tenant });
      pipeline.zadd(`${room(tenant)}:broke`, 7, id).hset(`${room(tenant)}:aside`, id, 'budget 1');
    }
    await pipeline.exec();
  }
  const left = async () =>
    (await Promise.all(tenants.map((tenant) => redis.zcard(`${room(tenant)}:broke`)))).reduce((a, b) => a + b);
  await store.rooms.letIn('submit');
  expect(await left()).toBe(100);
  await store.rooms.letIn('submit');
  expect(await left()).toBe(0);
  expect(await redis.exists('{gj}:waiting:submit:#broke')).toBe(0);
});

test('when the first job of a tenant could begin and does not then it is known since when, and no longer once it begins, or none could', async () => {
  const harness = await startStore();
  const { rooms, pauses } = harness.store;
  const { create, end, start } = service(harness, accountOf(1));
  const [running, waits] = [await create('a'), await create('b')];
  await start(running.id);
  await start(waits.id);
  await rooms.letIn('submit');
  // There is no permit.
  expect(await rooms.idleSince('submit')).toBeNull();
  harness.clock.advance(1000);
  expect((await end(running.id)).map(({ id }) => id)).toEqual([waits.id]);
  await rooms.letIn('submit');
  const since = harness.clock.now();
  harness.clock.advance(5000);
  await create('a');
  await rooms.letIn('submit');
  expect(await rooms.idleSince('submit')).toBe(since);
  await pauses.add('submit', { reason: 'operator', since, detail: '', state: 'paused' });
  await rooms.letIn('submit');
  expect(await rooms.idleSince('submit')).toBeNull();
  await pauses.remove('submit', 'operator');
  await start(waits.id, 2);
  await rooms.letIn('submit');
  expect(await rooms.idleSince('submit')).toBeNull();
});

test('when there are thousands of tenants then one look goes through some of them, and who waits is known when all have been looked at', async () => {
  const harness = await startStore();
  const { redis, store, clock } = harness;
  const { create, start, end } = service(harness, accountOf(1));
  const [running, waits] = [await create('a'), await create('z')];
  await start(running.id);
  await start(waits.id);
  await end(running.id);
  const others = Array.from({ length: 3000 }, (_, n) => [`t${n}`, 1]).flat();
  await redis.hset('{gj}:turns', ...others);
  await redis.config('RESETSTAT');
  await store.rooms.letIn('submit');
  const since = clock.now();
  const calls = /cmdstat_zrange:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
  expect(Number(calls)).toBeLessThan(3 * 1000);
  for (let looks = 1; (await store.rooms.idleSince('submit')) === null; looks += 1) {
    expect(looks).toBeLessThan(10);
    clock.advance(1000);
    await store.rooms.letIn('submit');
  }
  expect((await store.rooms.idleSince('submit')) ?? 0).toBeGreaterThanOrEqual(since);
  await start(waits.id, 2);
  for (let looks = 0; looks < 10; looks += 1) await store.rooms.letIn('submit');
  expect(await store.rooms.idleSince('submit')).toBeNull();
});

test('when fifty tenants with loads of all sizes share an account then no first job of any waits while it could begin, and all run', async () => {
  const harness = await startStore();
  const { rooms } = harness.store;
  const { start, end, many } = service(harness, accountOf(40));
  const entries: QueueMessage[] = [];
  const add = (messages: readonly QueueMessage[]) => {
    entries.push(...messages);
  };
  const loads = [150, 40, ...Array.from({ length: 48 }, (_, n) => 1 + (n % 4))];
  for (const [n, load] of loads.entries()) add((await many(load, `t${n}`)).flatMap(({ message }) => message ?? []));
  const running: { id: string; until: number }[] = [];
  const began = new Map<string, number>();
  const longest: number[] = [];
  const STEP_MS = 1000;
  while (entries.length + running.length > 0) {
    expect(harness.clock.now()).toBeLessThan(1_800_000_000_000 + 400_000);
    for (const each of running.splice(0)) {
      if (each.until > harness.clock.now()) running.push(each);
      else add(await end(each.id));
    }
    // As a queue hands them out: by turn, until nobody may begin.
    entries.sort((a, b) => a.turn - b.turn);
    for (const entry of entries.splice(0)) {
      const started = await start(entry.id, entry.step);
      if ('letIn' in started) add(started.letIn);
      if (started.kind !== 'ok') continue;
      running.push({ id: entry.id, until: harness.clock.now() + 5000 });
      began.set(entry.id, (began.get(entry.id) ?? 0) + 1);
    }
    add(await rooms.letIn('submit'));
    const since = await rooms.idleSince('submit');
    longest.push(since === null ? 0 : harness.clock.now() - since);
    harness.clock.advance(STEP_MS);
  }
  expect([...began.values()].filter((times) => times === 1)).toHaveLength(loads.reduce((sum, load) => sum + load, 0));
  expect(Math.max(...longest)).toBeLessThanOrEqual(STEP_MS);
});

test('when a hundred tenants wait for calls of their own then one behind them that could begin is let in', async () => {
  const { store } = await startStore();
  const limits = { ...NO_LIMITS, maxInFlight: 100, maxOfTenant: 1 };
  const create = async (tenant: string) => {
    const id = newJobId();
    await store.transitions.create({ id, tenant, doc: imageDoc() });
    return id;
  };
  const start = async (id: string) =>
    (await store.transitions.startCall({ id, step: 1 }, { token: randomUUID(), limitMs: 60_000 }, limits)).kind;
  const jobs = [];
  for (let n = 100; n < 200; n += 1) jobs.push([await create(`a${n}`), await create(`a${n}`)] as const);
  for (const [first] of jobs) expect(await start(first)).toBe('ok');
  for (const [, second] of jobs) expect(await start(second)).toBe('parked');
  const last = await create('z');
  expect(await start(last)).toBe('parked');
  for (let n = 0; n < 3; n += 1) expect(await store.rooms.letIn('submit', limits)).toEqual([]);
  const letIn = [];
  for (let n = 0; n < 3; n += 1) letIn.push(...(await store.rooms.letIn('submit', { ...limits, maxInFlight: 200 })));
  expect(letIn).toMatchObject([{ id: last }]);
});
