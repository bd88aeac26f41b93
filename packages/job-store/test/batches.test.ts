import { randomUUID } from 'node:crypto';
import { type BatchDoc, COUNTED, type Job, type Transition } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewLine } from '../src/index.ts';
import { ACCEPTED, EXAMPLES, heldBy, imageDoc, NO_LIMITS, newJobId, type Started, startStore, UNSTORED } from './harness.ts';

const DOC: BatchDoc = {
  webhook: { url: 'https://caller.example/batch', events: ['batch.completed', 'batch.canceled', 'batch.expired'] },
  metadata: { month: '11' },
  priority: 'normal',
  expires_in_s: 3600,
  output: { url_ttl_s: 3600 },
};

const newBatch = () => ({ id: newJobId().replace('job_', 'batch_'), tenant: 'acme' });

const linesOf = (n: number, from = 0): NewLine[] =>
  Array.from({ length: n }, (_, i) => ({
    jobId: newJobId(),
    line: from + i + 1,
    customId: `item-${from + i + 1}`,
    doc: imageDoc(),
  }));

async function opened(harness: Started, n: number) {
  const batch = newBatch();
  const lines = linesOf(n);
  await harness.store.batches.open({ ...batch, doc: DOC, createdAt: harness.clock.now() });
  if (n > 0) expect(await harness.store.batches.add(batch, 0, lines)).toBe('ok');
  return { ...batch, lines, ids: lines.map(({ jobId }) => jobId) };
}

const badLines = (n: number) => Array.from({ length: n }, (_, i) => ({ line: 100 + i, custom_id: null, errors: [] }));

async function committed(harness: Started, n: number) {
  const batch = await opened(harness, n);
  expect(await harness.store.batches.commit(batch, { total: n, invalid: 0, expiresInS: 3600 })).toMatchObject({ kind: 'ok' });
  const read = async () => {
    const found = await harness.store.batches.read(batch.id);
    if (found === null) throw new Error('no batch');
    return found;
  };
  return { ...batch, read };
}

const jobsOf = async (harness: Started) =>
  (await harness.store.list.page({ tenant: 'acme', filter: {}, after: null, limit: 100 })).jobs;
const deliveriesOfBatches = async (harness: Started) =>
  (await harness.redis.zrange('{gj}:due:deliveries', '0', '-1')).filter((id) => id.includes('_batch_')).length;
const finishWork = (harness: Started, id: string) => harness.redis.exists(`{gj}:operation:batch-finish:${id}`);

describe('before the commit', () => {
  test('when lines were added then neither the batch nor its jobs can be seen, and none is let in', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 3);
    expect(await harness.store.batches.read(batch.id)).toBeNull();
    expect((await harness.store.batches.page({ tenant: 'acme', after: null, limit: 10 })).batches).toEqual([]);
    expect(await harness.store.jobs.read(batch.ids[0] ?? '')).toBeNull();
    expect(await jobsOf(harness)).toEqual([]);
    expect(await harness.store.overview.standing()).toMatchObject({ live: 0, queued: 0 });
    expect(await harness.store.rooms.queued('acme')).toBe(0);
    expect([await harness.store.rooms.letIn('call'), await harness.store.rooms.letIn('submit')]).toEqual([[], []]);
  });

  test('when a chunk is added again after a lost answer then its lines stand once', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 0);
    const cut = harness.proxy.cutAfterNextReply((command) => command.name.startsWith('eval'));
    expect(await harness.store.batches.add(batch, 0, linesOf(3))).toBe('ok');
    await cut;
    expect(await harness.store.batches.jobIds(batch.id, 0, 10)).toHaveLength(3);
  });

  const PRICE = { reserve: 7, refunds: { error: true, violation: false }, isOld: false };
  const unlike = (line: NewLine, i: number): NewLine =>
    [
      line,
      { ...line, price: PRICE },
      { ...line, doc: { ...line.doc, priority: 'high' as const } },
      { ...line, doc: { ...line.doc, expires_in_s: 600 }, price: { ...PRICE, tokens: { input: 1, output: 2 } } },
      { ...line, doc: { ...line.doc, metadata: { order: 'A-17' } } },
    ][i % 5] ?? line;

  test.each([
    ['one line', 1, (line: NewLine) => line],
    ['lines that are alike', 4, (line: NewLine) => ({ ...line, price: PRICE })],
    ['lines of which each has something else', 10, unlike],
  ])('when a chunk has %s then each record has what it would have alone', async (_what, count, change) => {
    const harness = await startStore();
    const lines = linesOf(count).map(change);
    const [together, alone] = [
      { ...(await opened(harness, 0)), keyId: 'key_1' },
      { ...(await opened(harness, 0)), keyId: 'key_1' },
    ];
    expect(await harness.store.batches.add(together, 0, lines)).toBe('ok');
    const records = async () =>
      await Promise.all(
        lines.map(async ({ jobId }) => [
          await harness.redis.hgetall(`{gj}:job:${jobId}`),
          await harness.redis.get(`{gj}:job:${jobId}:doc`),
        ]),
      );
    const found = await records();
    await harness.redis.del(...lines.flatMap(({ jobId }) => [`{gj}:job:${jobId}`, `{gj}:job:${jobId}:doc`]));
    for (const [i, line] of lines.entries()) expect(await harness.store.batches.add(alone, i, [line])).toBe('ok');
    const expected = (await records()).map(([fields, doc]) => [{ ...(fields as object), batch: together.id }, doc]);
    expect(found).toEqual(expected);
    expect(found[0]).toEqual([
      expect.objectContaining({ st: 'queued', cid: 'item-1', ln: '1', q: expect.any(String), exp: expect.any(String) }),
      expect.any(String),
    ]);
  });

  test('when a line got lost between chunks then the commit does not happen', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 3);
    expect(await harness.store.batches.add(batch, 4, linesOf(1, 4))).toBe('gone');
    expect(await harness.store.batches.commit(batch, { total: 4, invalid: 0, expiresInS: 3600 })).toEqual({ kind: 'gone' });
  });

  test('when ten minutes pass without a line then its erasing is due, and each line puts that off', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 1);
    harness.clock.advance(9 * 60_000);
    expect(await harness.store.operations.take(harness.clock.now())).toBeNull();
    await harness.store.batches.add(batch, 1, linesOf(1, 1));
    harness.clock.advance(9 * 60_000);
    expect(await harness.store.operations.take(harness.clock.now())).toBeNull();
    harness.clock.advance(60_000);
    expect((await harness.store.operations.take(harness.clock.now()))?.id).toBe(`batch-discard:${batch.id}`);
  });

  test('when a request was discarded then its erasing is due at once, and a line or a commit that comes later is refused', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 2);
    await harness.store.batches.discardSoon(batch);
    expect((await harness.store.operations.take(harness.clock.now()))?.kind).toBe('batch-discard');
    expect(await harness.store.batches.discard(batch.id, batch.ids)).toBe(true);
    await harness.store.batches.forget(batch);
    expect(await harness.store.batches.add(batch, 2, linesOf(1, 2))).toBe('gone');
    expect(await harness.store.batches.commit(batch, { total: 2, invalid: 0, expiresInS: 3600 })).toEqual({ kind: 'gone' });
    expect((await harness.redis.keys('*job*')).filter((key) => !key.includes('kind'))).toEqual([]);
  });
});

describe('the commit', () => {
  test('when it is sent again after a lost answer then it is answered as if the answer had come, and the erasing is off', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 2);
    await harness.store.batches.noteInvalid(batch, badLines(1));
    const cut = harness.proxy.cutAfterNextReply((command) => command.name.startsWith('eval'));
    expect(await harness.store.batches.commit(batch, { total: 2, invalid: 1, expiresInS: 3600 })).toMatchObject({ kind: 'ok' });
    await cut;
    expect(await harness.store.batches.read(batch.id)).toMatchObject({
      status: 'running',
      round: 1,
      invalid: 1,
      counts: { total: 2, queued: 2 },
    });
    expect(await harness.store.batches.discard(batch.id, batch.ids)).toBe(false);
    const operations = await harness.redis.zrange('{gj}:operations', '0', '-1');
    expect(operations.sort()).toEqual([`batch-expire:${batch.id}`, `batch-list:${batch.id}`]);
  });

  test('when lines are missing before a job then all jobs behind a line are found from its place', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 0);
    const lines = [11, 12, 30, 31].flatMap((n) => linesOf(1, n - 1));
    await harness.store.batches.add(batch, 0, lines.slice(0, 2));
    await harness.store.batches.add(batch, 2, lines.slice(2));
    await harness.store.batches.noteInvalid(batch, badLines(3));
    await harness.store.batches.commit(batch, { total: 4, invalid: 3, expiresInS: 3600 });
    const record = await harness.store.batches.read(batch.id);
    for (const behind of [0, 10, 11, 29, 30, 31]) {
      const place = harness.store.batches.positionBehind(record as NonNullable<typeof record>, behind);
      const found = lines.slice(place).filter(({ line }) => line > behind);
      expect(found).toEqual(lines.filter(({ line }) => line > behind));
    }
  });

  test('when it comes then the first lines are let in at once, each with a turn, and all are in the list', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 3);
    const answer = await harness.store.batches.commit(batch, { total: 3, invalid: 0, expiresInS: 3600 });
    const letIn = answer.kind === 'ok' ? answer.letIn : [];
    expect(letIn.map(({ id, turn, queue }) => [id, turn, queue])).toEqual(batch.ids.map((id, i) => [id, i + 1, 'submit']));
    expect(await harness.redis.hget('{gj}:turns', '#queued')).toBe('3');
  });

  test('when its lines are listed, twice, then all are in the list and due, but what has run meanwhile is not due again', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 60);
    const [ended = '', erased = ''] = batch.ids;
    await actOn(harness, batch, ended, 'fail');
    await actOn(harness, batch, erased, 'fail');
    await harness.store.erase.asked((await harness.store.jobs.read(erased)) as Job);
    for (let n = 0; n < 2; n += 1) await harness.store.batches.list(batch, batch.ids);
    const listed = (await jobsOf(harness)).map(({ id }) => id);
    expect(listed.sort()).toEqual(batch.ids.filter((id) => id !== erased).sort());
    const due = await harness.redis.zrange('{gj}:due', '0', '-1');
    expect(due.sort()).toEqual(batch.ids.filter((id) => id !== erased && id !== ended).sort());
  });

  test('when a failover has forgotten the commit and a call of a line is told before it is sent again then the batch ends all the same', async () => {
    const harness = await startStore();
    const { store, redis } = harness;
    const batch = await opened(harness, 2);
    const [id = '', other = ''] = batch.ids;
    // A worker that had begun it tells the new primary.
    const [line] = await store.batches.records([id]);
    if (line === undefined) throw new Error('no line');
    const told = { ...EXAMPLES.reassert_call, token: 'A' } as const;
    expect(await store.transitions.commit(line, told)).toMatchObject({ kind: 'ok' });
    expect(await store.transitions.startCall({ id: other, step: 1 }, { token: 'B', limitMs: 1000 }, NO_LIMITS)).toEqual({
      kind: 'stale',
    });
    expect(await store.batches.commit(batch, { total: 2, invalid: 0, expiresInS: 3600 })).toMatchObject({ kind: 'ok' });
    expect((await store.batches.read(batch.id))?.counts).toMatchObject({ total: 2, queued: 1, running: 1 });
    expect(await store.rooms.queued('acme')).toBe(1);
    for (const each of [id, other]) {
      const job = await store.jobs.read(each);
      if (job !== null)
        await store.transitions.commit(job.stage === 'submitting' ? heldBy(job, 'A') : job, { kind: 'finish', status: 'failed' });
    }
    expect((await store.batches.read(batch.id))?.counts).toMatchObject({ failed: 2, queued: 0, running: 0 });
    expect(await finishWork(harness, batch.id)).toBe(1);
    expect(await redis.hgetall('{gj}:waiting:#lines:acme')).toEqual({});
  });

  test('when a failed line of a batch that is being canceled was run again then it begins, and one that has never begun does not', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 2);
    const [again = '', fresh = ''] = batch.ids;
    await actOn(harness, batch, again, 'fail');
    await harness.store.batches.cancel(batch.id);
    const job = await harness.store.jobs.read(again);
    if (job !== null) await harness.store.transitions.commit(job, { kind: 'reopen', to: 'queued' });
    const start = async (id: string) => {
      const { step = 0 } = (await harness.store.jobs.read(id)) ?? {};
      return (await harness.store.transitions.startCall({ id, step }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS)).kind;
    };
    expect([await start(again), await start(fresh)]).toEqual(['ok', 'canceling']);
  });

  test('when lines are let in behind the last turn that there is then all have that one', async () => {
    const harness = await startStore();
    const batch = await opened(harness, 3);
    await harness.redis.hset('{gj}:turns', 'acme', 2_097_149);
    const answer = await harness.store.batches.commit(batch, { total: 3, invalid: 0, expiresInS: 3600 });
    expect((answer.kind === 'ok' ? answer.letIn : []).map(({ turn }) => turn)).toEqual([2_097_150, 2_097_151, 2_097_151]);
    expect(await harness.redis.hget('{gj}:turns', 'acme')).toBe('2097151');
  });
});

describe('claims', () => {
  const key = { tenant: 'acme', route: 'POST /v1/batches', key: 'k-1' };

  test('when a key is claimed then another request is refused, until the claim is freed or its process has died', async () => {
    const harness = await startStore();
    const first = await harness.store.claims.claim(key);
    expect(await harness.store.claims.claim(key)).toEqual({ kind: 'open' });
    if (first.kind !== 'claimed') throw new Error(first.kind);
    await harness.store.claims.free({ ...key, by: first.by });
    expect((await harness.store.claims.claim(key)).kind).toBe('claimed');
    const left = await harness.redis.pttl('{gj}:idem:acme:POST /v1/batches:k-1');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  test('when the batch is committed then the key leads to it; when the claim was lost meanwhile then nothing is committed', async () => {
    const harness = await startStore();
    const claim = await harness.store.claims.claim(key);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    const { route, key: text } = key;
    const lost = await opened(harness, 1);
    const other = { route, key: text, by: 'another', fingerprint: 'f' };
    expect(await harness.store.batches.commit(lost, { total: 1, invalid: 0, expiresInS: 1, claim: other })).toEqual({
      kind: 'gone',
    });
    const batch = await opened(harness, 1);
    const own = { route, key: text, by: claim.by, fingerprint: 'f' };
    expect(await harness.store.batches.commit(batch, { total: 1, invalid: 0, expiresInS: 1, claim: own })).toMatchObject({
      kind: 'ok',
    });
    expect(await harness.store.claims.claim(key)).toEqual({ kind: 'replay', id: batch.id, fingerprint: 'f' });
  });
});

describe('counts', () => {
  const sum = (counts: Record<string, number>) => COUNTED.reduce((all, status) => all + (counts[status] ?? 0), 0);

  test('when jobs go on in any order then the counts are what the records say, and the batch is to be finished just when none lives', async () => {
    const harness = await startStore();
    const acts = ['start_call' as const, ...(Object.keys(ACTS) as (keyof typeof ACTS)[])];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...acts), fc.nat(3)), { maxLength: 40 }), async (steps) => {
        const batch = await committed(harness, 4);
        for (const [act, n] of steps) await actOn(harness, batch, batch.ids[n] ?? '', act);
        const records = await harness.store.batches.records(batch.ids);
        const { counts, unknown } = await batch.read();
        const expected = Object.fromEntries(COUNTED.map((status) => [status, 0]));
        for (const { status } of records) {
          const as = status === 'canceling' ? 'running' : status;
          expected[as] = (expected[as] ?? 0) + 1;
        }
        expect(counts).toEqual({ total: 4, ...expected });
        expect(sum(counts)).toBe(4);
        expect(unknown).toBe(
          records.filter(({ error, status }) => status === 'failed' && error?.code === 'submit_unknown').length,
        );
        if (counts.queued + counts.running === 0) expect(await finishWork(harness, batch.id)).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  test('when an entry does not name its batch then the start of its call counts all the same', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 1);
    const started = await harness.store.transitions.startCall(
      { id: batch.ids[0] ?? '', step: 1 },
      { token: 't', limitMs: 1000 },
      NO_LIMITS,
    );
    expect(started.kind).toBe('ok');
    expect((await batch.read()).counts).toMatchObject({ queued: 0, running: 1 });
  });
});

describe('the end', () => {
  const RESULTS = { key: 'r', bytes: 1, sha256: 's' };

  async function ended(harness: Started, n = 2) {
    const batch = await committed(harness, n);
    for (const id of batch.ids) await actOn(harness, batch, id, 'fail');
    return batch;
  }

  test('when the last job has ended then the batch can be finished once, and has one pending delivery', async () => {
    const harness = await startStore();
    const batch = await ended(harness);
    const record = await batch.read();
    const cut = harness.proxy.cutAfterNextReply((command) => command.name.startsWith('eval'));
    expect(await harness.store.batches.finish(record, 'completed', RESULTS)).toBe(true);
    await cut;
    expect(await harness.store.batches.finish(record, 'completed', RESULTS)).toBe(false);
    expect(await batch.read()).toMatchObject({
      status: 'completed',
      results: RESULTS,
      past: { 1: { status: 'completed', counts: { failed: 2 } } },
      webhook: { state: 'pending', last_delivery_id: `evt_${batch.id.slice(6)}_1_batch_completed` },
    });
    expect(await deliveriesOfBatches(harness)).toBe(1);
  });

  test('when a job is reopened while the results are stored then the round goes on, and its end is due again', async () => {
    const harness = await startStore();
    const batch = await ended(harness);
    const record = await batch.read();
    const operation = await takeFinish(harness);
    await actOn(harness, batch, batch.ids[0] ?? '', 'reopen');
    expect(await harness.store.batches.finish(record, 'completed', RESULTS)).toBe(false);
    await actOn(harness, batch, batch.ids[0] ?? '', 'cancel');
    // Whoever held the operation while the batch went on must not take the new end of it away.
    expect(await harness.store.operations.done(operation)).toBe(false);
    expect((await takeFinish(harness)).order).toEqual({ batch_id: batch.id });
  });

  test('when the answer to a replaced results file is lost and it is sent again then it was replaced, and only the one that was meant', async () => {
    const harness = await startStore();
    const batch = await ended(harness);
    await harness.store.batches.finish(await batch.read(), 'completed', RESULTS);
    const { past } = await batch.read();
    const kept = past[1];
    if (kept === undefined) throw new Error('no round');
    const other = { key: 'r2', bytes: 2, sha256: 's2' };
    const cut = harness.proxy.cutAfterNextReply((command) => command.name.startsWith('eval'));
    expect(await harness.store.batches.replaceResults(batch, 1, kept, other)).toBe(true);
    await cut;
    expect(await harness.store.batches.replaceResults(batch, 1, kept, { ...other, key: 'r3' })).toBe(false);
    expect(await batch.read()).toMatchObject({ results: other, past: { 1: { ...kept, results: other } } });
  });

  test('when a job of a completed batch is reopened then the batch runs in a new round, and ends once more', async () => {
    const harness = await startStore();
    const batch = await ended(harness);
    await harness.store.batches.finish(await batch.read(), 'completed', RESULTS);
    await actOn(harness, batch, batch.ids[1] ?? '', 'reopen');
    expect(await batch.read()).toMatchObject({
      status: 'running',
      round: 2,
      finished_at: null,
      results: null,
      counts: { queued: 1, failed: 1 },
    });
    await actOn(harness, batch, batch.ids[1] ?? '', 'cancel');
    expect(await harness.store.batches.finish(await batch.read(), 'completed', { ...RESULTS, key: 'r2' })).toBe(true);
    expect(await batch.read()).toMatchObject({
      round: 2,
      past: { 1: { counts: { failed: 2 } }, 2: { counts: { failed: 1, canceled: 1 } } },
    });
    expect(await deliveriesOfBatches(harness)).toBe(2);
  });

  test('when a job ends anew while somebody writes the results then another does, and no worker is taken for dead', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 1);
    const [id = ''] = batch.ids;
    await actOn(harness, batch, id, 'cancel');
    const first = await takeFinish(harness);
    await actOn(harness, batch, id, 'reopen');
    await actOn(harness, batch, id, 'cancel');
    const second = await takeFinish(harness);
    expect([first.lost, second.lost, second.id]).toEqual([0, 0, first.id]);
    expect(await harness.store.operations.done(first)).toBe(false);
    expect(await harness.store.operations.done(second)).toBe(true);
  });

  test('when a batch is canceled then that is said once, and an ended one stays as it is', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 1);
    expect(await harness.store.batches.cancel(batch.id)).toBe('canceling');
    expect(await harness.store.batches.cancel(batch.id)).toBe('canceling');
    await actOn(harness, batch, batch.ids[0] ?? '', 'cancel');
    const record = await batch.read();
    // A worker that read it before the cancel must not end it as completed.
    expect(await harness.store.batches.finish({ ...record, status: 'running' }, 'completed', RESULTS)).toBe(false);
    expect(await harness.store.batches.finish(record, 'canceled', RESULTS)).toBe(true);
    // Somebody whose answer was lost sends it again.
    expect(await harness.store.batches.cancel(batch.id)).toBe('called_off');
    expect(await harness.store.batches.cancel('batch_none')).toBeNull();
  });

  test('when a batch has ended by itself then a cancel finds that, however often', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 1);
    await actOn(harness, batch, batch.ids[0] ?? '', 'start_call');
    await actOn(harness, batch, batch.ids[0] ?? '', 'fail');
    expect(await harness.store.batches.finish(await batch.read(), 'completed', RESULTS)).toBe(true);
    for (let n = 0; n < 2; n += 1) expect(await harness.store.batches.cancel(batch.id)).toBe('completed');
  });

  test('when a retry of failed jobs is ordered again under its key then it is answered as the first, and no other is made', async () => {
    const harness = await startStore();
    const { batches, operations } = harness.store;
    const now = harness.clock.now();
    const { id } = await committed(harness, 1);
    const told = { left_out: 0, in_round: 2, include_unknown: false };
    const ask = (key: string, retrying: number) =>
      batches.retryFailed(id, { includeUnknown: false, once: { key, told: { ...told, retrying } } });
    const first = { ...told, retrying: 3 };
    const takeAll = async () => {
      const kinds: string[] = [];
      for (let taken = await operations.take(now); taken !== null; taken = await operations.take(now)) {
        kinds.push(taken.kind);
        await operations.done(taken);
      }
      return kinds;
    };
    expect(await ask('one', 3)).toEqual({ kind: 'ordered' });
    expect(await ask('two', 1)).toEqual({ kind: 'under_way' });
    expect(await ask('one', 1)).toEqual({ kind: 'before', told: first });
    expect(await takeAll()).toContain('batch-retry-failed');
    expect(await ask('one', 1)).toEqual({ kind: 'before', told: first });
    expect([await batches.retryBefore(id, 'one'), await batches.retryBefore(id, 'two')]).toEqual([first, null]);
    expect(await takeAll()).toEqual([]);
    expect(await ask('two', 1)).toEqual({ kind: 'ordered' });
    expect(await batches.retryBefore(id, 'one')).toBeNull();
  });

  test('when a batch has changed since it was read then no retry of it is ordered, and its cancel stays asked for', async () => {
    const harness = await startStore();
    const { batches, operations } = harness.store;
    const { id } = await committed(harness, 2);
    const read = await batches.read(id);
    if (read === null) throw new Error('no batch');
    const retry = () => batches.retryFailed(id, { includeUnknown: false, asRead: read });
    await batches.cancel(id);
    expect(await retry()).toEqual({ kind: 'changed' });
    expect(await batches.isCalledOff(id)).toBe(true);
    await batches.forget({ id });
    expect(await retry()).toEqual({ kind: 'changed' });
    expect(await operations.subjects('batch-retry-failed')).toEqual([]);
    expect(await harness.redis.exists(`{gj}:batch:${id}`)).toBe(0);
  });

  test('when a batch is forgotten then its jobs go on and count nowhere', async () => {
    const harness = await startStore();
    const batch = await committed(harness, 1);
    await harness.store.batches.forget(batch);
    await actOn(harness, batch, batch.ids[0] ?? '', 'cancel');
    expect((await harness.store.jobs.read(batch.ids[0] ?? ''))?.status).toBe('canceled');
    expect(await harness.redis.exists(`{gj}:batch:${batch.id}`)).toBe(0);
  });
});

async function takeFinish(harness: Started) {
  for (
    let operation = await harness.store.operations.take(harness.clock.now());
    operation !== null;
    operation = await harness.store.operations.take(harness.clock.now())
  ) {
    if (operation.kind === 'batch-finish') return operation;
  }
  throw new Error('no batch is to be finished');
}

const failure = (code: 'internal' | 'submit_unknown') => ({ code, message: '', retryable: false, stage: 'queued' as const });

const ACTS = {
  release: { kind: 'release', waitMs: 0 },
  task: ACCEPTED,
  store: { kind: 'start_storing', unstored: UNSTORED },
  succeed: { kind: 'finish', status: 'succeeded' },
  fail: { kind: 'finish', status: 'failed', error: failure('internal') },
  unknown: { kind: 'finish', status: 'failed', error: failure('submit_unknown') },
  expire: { kind: 'finish', status: 'expired' },
  cancel: { kind: 'cancel' },
  request_cancel: { kind: 'request_cancel' },
  reopen: { kind: 'reopen', to: 'queued' },
} as const satisfies Record<string, Transition>;

/** Tries one transition of a job; what the table does not allow changes nothing. */
async function actOn(harness: Started, batch: { id: string }, id: string, act: keyof typeof ACTS | 'start_call'): Promise<void> {
  const { transitions, jobs } = harness.store;
  const record = await jobs.read(id);
  if (record === null) throw new Error('no record');
  if (act === 'start_call')
    await transitions.startCall({ id, step: record.step, batch_id: batch.id }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS);
  else await transitions.commit(record.lease === null ? heldBy(record, 'nobody') : record, ACTS[act]);
}
