import { randomUUID } from 'node:crypto';
import { batchId, type JobDoc } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import type { AccountLimits } from '../src/index.ts';
import { heldBy, imageDoc, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

const chatDoc = (): JobDoc =>
  ({ ...imageDoc(), type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } }) as never;

const queued = async (harness: Started, tenant = 'acme', doc = imageDoc()) => {
  const id = newJobId();
  const created = await harness.store.transitions.create({ id, tenant, doc });
  if (created.kind !== 'ok') throw new Error(created.kind);
  return id;
};
const start = async (harness: Started, id: string, limits: Partial<AccountLimits> = {}, token = randomUUID()) => {
  const job = await harness.store.jobs.read(id);
  if (job === null) throw new Error('no record');
  const account = { ...NO_LIMITS, ...limits };
  return await harness.store.transitions.startCall({ id, step: job.step }, { token, limitMs: 60_000 }, account);
};
const why = async (harness: Started, id: string) => (await harness.store.rooms.why({ jobs: [id] })).get(id);

test('when nothing holds a job then it waits for its turn, behind those of its tenant alone', async () => {
  const harness = await startStore();
  const first = await queued(harness);
  const since = harness.clock.now();
  await queued(harness, 'globex');
  harness.clock.advance(10);
  const second = await queued(harness);
  expect(await why(harness, first)).toEqual({ reason: 'turn', since, position: 1 });
  expect(await why(harness, second)).toEqual({ reason: 'turn', since: since + 10, position: 2 });
  await start(harness, first);
  expect(await why(harness, first)).toBeUndefined();
  expect(await why(harness, second)).toMatchObject({ position: 1 });
});

test('when a tenant has a hundred jobs with an entry then the position of one in the room counts them, and a high one goes before', async () => {
  const harness = await startStore();
  for (let n = 0; n < 102; n += 1) {
    harness.clock.advance(1);
    await queued(harness);
  }
  harness.clock.advance(1);
  expect(await why(harness, await queued(harness))).toMatchObject({ position: 103 });
  expect(await why(harness, await queued(harness, 'acme', imageDoc({ priority: 'high' })))).toMatchObject({ position: 1 });
});

const CASES: readonly [string, (harness: Started, id: string, since: number) => Promise<unknown>, object][] = [
  [
    'its tenant has all the calls that it may',
    async (harness, id) => {
      await start(harness, await queued(harness), { maxOfTenant: 1 });
      await start(harness, id, { maxOfTenant: 1 });
    },
    { reason: 'tenant_limit', position: 1 },
  ],
  [
    'the account has no room for another task',
    async (harness, id) => {
      await start(harness, await queued(harness, 'globex'), { maxInFlight: 1 });
      await start(harness, id, { maxInFlight: 1 });
    },
    { reason: 'account_limit', position: 1 },
  ],
  [
    'the calls of the minute are used up',
    async (harness, id) => {
      await start(harness, await queued(harness, 'globex'), { rpm: 1 });
      await start(harness, id, { rpm: 1 });
    },
    { reason: 'rate_limit', position: 1 },
  ],
  [
    'its last attempt failed',
    async (harness, id) => {
      const token = randomUUID();
      await start(harness, id, {}, token);
      const job = await harness.store.jobs.read(id);
      if (job) await harness.store.transitions.commit(heldBy(job, token), { kind: 'release', waitMs: 5000 });
    },
    { reason: 'backoff', position: null },
  ],
  [
    'it may have been paid for',
    async (harness, id) => {
      await harness.store.suspects.hold([id], 1);
      await start(harness, id);
    },
    { reason: 'paused:suspect', position: null },
  ],
  [
    'its queue is paused',
    async (harness, _, since) =>
      await harness.store.pauses.add('submit', { reason: 'balance', since: since + 5, detail: '', state: 'paused' }),
    { reason: 'paused:balance', position: 1 },
  ],
];

test.each(CASES)('when %s then a job says so', async (_, act, said) => {
  const harness = await startStore();
  const id = await queued(harness);
  const since = harness.clock.now();
  await act(harness, id, since);
  expect(await why(harness, id)).toEqual({ since: since + (said === CASES.at(-1)?.[2] ? 5 : 0), ...said });
});

test('when the pause of a queue is over by the time of Redis, or is of another queue, then it is no reason', async () => {
  const harness = await startStore();
  const id = await queued(harness);
  const pause = { since: 1, detail: '', state: 'paused' } as const;
  await harness.store.pauses.add('call', { reason: 'operator', ...pause });
  await harness.store.pauses.addUntil('submit', { reason: 'upstream_rate_limit', ...pause, until: harness.clock.now() + 1000 });
  expect(await why(harness, id)).toMatchObject({ reason: 'paused:upstream_rate_limit' });
  harness.clock.advance(1001);
  expect(await why(harness, id)).toMatchObject({ reason: 'turn' });
});

async function madeBatch(harness: Started, doc: JobDoc, n: number) {
  const { batches } = harness.store;
  const batch = { id: batchId(newJobId().slice(4)), tenant: 'acme', created_at: harness.clock.now() };
  const lines = Array.from({ length: n }, (_, i) => ({ jobId: newJobId(), line: i + 1, customId: `l${i}`, doc }));
  await batches.open({
    id: batch.id,
    tenant: 'acme',
    doc: { expires_in_s: 3600, metadata: {} } as never,
    createdAt: batch.created_at,
  });
  await batches.add(batch, 0, lines);
  await batches.commit(batch, { total: n, invalid: 0, expiresInS: 3600 });
  return { batch, lines };
}

test('when lines of a batch wait behind other jobs then the batch says where the first of them stands', async () => {
  const harness = await startStore();
  const { rooms } = harness.store;
  const made = (doc: JobDoc, n: number) => madeBatch(harness, doc, n);
  const first = await made(imageDoc(), 60);
  harness.clock.advance(1);
  const second = await made(imageDoc(), 3);
  harness.clock.advance(1);
  const chats = await made(chatDoc(), 1);
  const said = await rooms.why({ batches: [first.batch, second.batch, chats.batch] });
  expect([first, second, chats].map(({ batch }) => said.get(batch.id)?.position)).toEqual([1, 61, 1]);
  for (const { jobId } of first.lines) await start(harness, jobId);
  expect((await rooms.why({ batches: [first.batch, second.batch] })).get(second.batch.id)).toMatchObject({
    reason: 'turn',
    position: 1,
  });
});

test('when a line waits in its batch then its position counts those before it, and no longer one that was canceled', async () => {
  const harness = await startStore();
  const { rooms, jobs, transitions } = harness.store;
  const { lines } = await madeBatch(harness, imageDoc(), 200);
  const ids = lines.map(({ jobId }) => jobId);
  const position = async (n: number) => {
    const id = ids[n - 1] ?? '';
    return (await rooms.why({ jobs: [id] })).get(id)?.position;
  };
  for (const n of [51, 52, 77, 199, 200]) expect([n, await position(n)]).toEqual([n, n]);
  for (const n of [60, 190]) {
    const job = await jobs.read(ids[n - 1] ?? '');
    if (job !== null) await transitions.commit(job, { kind: 'cancel' });
  }
  for (const [n, at] of [
    [59, 59],
    [61, 60],
    [189, 188],
    [200, 198],
  ] as const)
    expect([n, await position(n)]).toEqual([n, at]);
  expect(await rooms.queued('acme')).toBe(198);
});

test('when more than a thousand batches of a tenant wait then a line says why, and not where it stands', async () => {
  const harness = await startStore();
  const { lines } = await madeBatch(harness, imageDoc(), 60);
  const id = lines.at(-1)?.jobId ?? '';
  const others = Array.from({ length: 1000 }, (_, n) => [n, `batch_${n} 1`]).flat();
  await harness.redis.zadd('{gj}:waiting:submit:acme:batches', ...others);
  expect((await harness.store.rooms.why({ jobs: [id] })).get(id)).toMatchObject({ reason: 'turn', position: null });
  await harness.redis.zrem('{gj}:waiting:submit:acme:batches', 'batch_0 1');
  expect((await harness.store.rooms.why({ jobs: [id] })).get(id)).toMatchObject({ position: 60 });
});

test('when many jobs of other batches are set aside then a batch of which all are says why as well', async () => {
  const harness = await startStore();
  const [many, one] = [await madeBatch(harness, imageDoc(), 60), await madeBatch(harness, imageDoc(), 1)];
  for (const { jobId } of [...many.lines, ...one.lines]) {
    const token = randomUUID();
    await start(harness, jobId, {}, token);
    const job = await harness.store.jobs.read(jobId);
    if (job) await harness.store.transitions.commit(heldBy(job, token), { kind: 'release', waitMs: 5000 });
  }
  const said = async () => (await harness.store.rooms.why({ batches: [many.batch, one.batch] })).get(one.batch.id);
  // Which of them are looked at is left to chance.
  let [answer, tries] = [await said(), 0];
  for (; answer === undefined && tries < 100; tries += 1) answer = await said();
  expect(answer).toMatchObject({ reason: 'backoff' });
});
