import { randomUUID } from 'node:crypto';
import { JobRequest } from '@grsai-jobs/jobs';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { AnswerRequest } from '../src/index.ts';
import { NO_LIMITS, newJobId, startStore } from './harness.ts';

const doc = {
  ...JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } }),
  on_unknown_submit: 'resubmit' as const,
};

/** A process of the API that listens on its channel. */
async function startAnswers() {
  const harness = await startStore();
  const { store, clock, redis } = harness;
  const listener = new Redis(`redis://${redis.options.host ?? '127.0.0.1'}:${redis.options.port}`);
  onTestFinished(() => listener.disconnect());
  await listener.subscribe('{gj}:api:one');
  await store.answers.beat('one');
  const request = (more: Partial<AnswerRequest> = {}): AnswerRequest => ({
    id: randomUUID(),
    print: 'p',
    jobs: [newJobId()],
    process: 'one',
    again: false,
    share: false,
    lifeMs: 86_400_000,
    leaves: true,
    ...more,
  });
  /** Claims, and makes the jobs when there is nothing to claim. */
  const send = async (more: Partial<AnswerRequest> = {}) => {
    const own = request(more);
    const claim = await store.answers.claim(own);
    if (claim.kind === 'new') for (const id of own.jobs) await store.transitions.create({ id, tenant: 'acme', doc });
    return { id: own.id, ...claim, jobs: claim.kind === 'claimed' ? claim.jobs : own.jobs };
  };
  const beat = async (ms: number, process = 'one') => {
    clock.advance(ms);
    await store.answers.beat(process);
  };
  /** The jobs for which nobody came back, and are canceled. */
  const left = async () => {
    const all = await store.answers.left();
    for (const each of all) await store.answers.canceled(each);
    return all.flatMap(({ jobs }) => jobs);
  };
  return { ...harness, listener, request, send, beat, left };
}

test('when a caller has left then the same request gets its jobs, once, and another request does not', async () => {
  const { store, send } = await startAnswers();
  const first = await send();
  expect(first.kind).toBe('new');
  expect((await send()).kind).toBe('new');
  await store.answers.settle(first.id, 'left');
  expect((await send({ print: 'another' })).kind).toBe('new');
  const second = await send();
  expect([second.kind, second.jobs]).toEqual(['claimed', first.jobs]);
  expect((await send()).kind).toBe('new');
  await store.answers.settle(second.id, 'left');
  expect(await send()).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when twenty callers of one request have left then twenty requests get twenty different answers', async () => {
  const { store, send } = await startAnswers();
  const first = await Promise.all(Array.from({ length: 20 }, () => send()));
  await Promise.all(first.map(({ id }) => store.answers.settle(id, 'left')));
  const second = await Promise.all(Array.from({ length: 20 }, () => send()));
  expect(new Set(second.map(({ kind }) => kind))).toEqual(new Set(['claimed']));
  expect(second.flatMap(({ jobs }) => jobs).sort()).toEqual(first.flatMap(({ jobs }) => jobs).sort());
});

test('when the process that holds an answer is gone then the same request gets it', async () => {
  const { listener, send, store } = await startAnswers();
  const held = [await send(), await send()];
  expect(held.map(({ kind }) => kind)).toEqual(['new', 'new']);
  await listener.unsubscribe('{gj}:api:one');
  await listener.subscribe('{gj}:api:two');
  await store.answers.beat('two');
  const claimed = [await send({ process: 'two' }), await send({ process: 'two' })];
  expect(claimed.map(({ kind }) => kind)).toEqual(['claimed', 'claimed']);
  expect(claimed.flatMap(({ jobs }) => jobs).sort()).toEqual(held.flatMap(({ jobs }) => jobs).sort());
});

test('when the heart of the process has stopped on a host that still has its connection then it counts as gone', async () => {
  const { clock, send, store } = await startAnswers();
  const first = await send();
  clock.advance(10_001);
  await store.answers.beat('two');
  expect(await send({ process: 'two' })).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when an answer was delivered then only a request that says that it is sent again gets it, for a minute', async () => {
  const { store, send, beat } = await startAnswers();
  const first = await send();
  await store.answers.settle(first.id, 'delivered');
  expect((await send()).kind).toBe('new');
  const again = await send({ again: true });
  expect(again).toMatchObject({ kind: 'claimed', jobs: first.jobs });
  await store.answers.settle(again.id, 'delivered');
  await beat(60_001);
  const jobs = (await send({ again: true, share: true })).jobs;
  expect(jobs).not.toEqual(first.jobs);
});

test('when an answer is still held then a request that is sent again waits for it, and then shares it', async () => {
  const { send } = await startAnswers();
  const first = await send();
  expect((await send({ again: true })).kind).toBe('wait');
  expect(await send({ again: true, share: true })).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when some of a stream was written then only a request that says that it is sent again gets it', async () => {
  const { store, send } = await startAnswers();
  const first = await send();
  await store.answers.settle(first.id, 'left', true);
  const other = await send();
  expect(other.kind).toBe('new');
  await store.answers.settle(other.id, 'dropped');
  expect(await send({ again: true })).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when no job was made, or it is gone or long over, then the request makes its own', async () => {
  const { store, request, send, beat } = await startAnswers();
  const dropped = await send();
  await store.answers.settle(dropped.id, 'dropped');
  const never = request();
  await store.answers.claim(never);
  await store.answers.settle(never.id, 'left');
  expect((await send()).kind).toBe('new');
  const over = await send({ print: 'over' });
  const job = await store.jobs.read(over.jobs[0] ?? '');
  if (job === null) throw new Error('no job');
  await store.transitions.commit(job, { kind: 'cancel' });
  await store.answers.settle(over.id, 'left');
  await beat(15 * 60_000 + 1);
  expect((await send({ print: 'over' })).kind).toBe('new');
});

test('when only some jobs of a request were made before its process died then they are claimed with those that are still to be made', async () => {
  const { store, request, send } = await startAnswers();
  const [one, two] = [newJobId(), newJobId()];
  const first = request({ jobs: [one, two], leaves: false });
  await store.answers.claim(first);
  await store.transitions.create({ id: one, tenant: 'acme', doc });
  await store.answers.settle(first.id, 'left');
  const again = await send({ leaves: false });
  expect(again).toMatchObject({ kind: 'claimed', jobs: [one, two] });
  await store.answers.settle(again.id, 'left');
  // One that its caller had erased is not made anew.
  await store.transitions.create({ id: two, tenant: 'acme', doc });
  const job = await store.jobs.read(two);
  const ended = job && (await store.transitions.commit(job, { kind: 'cancel' }));
  if (ended?.kind !== 'ok') throw new Error('not canceled');
  expect(await store.erase.asked(ended.job)).toBe(true);
  expect((await send({ leaves: false })).kind).toBe('new');
});

test('when nobody comes back within a minute then the jobs are told, once, and their answer is claimed no more', async () => {
  const { store, send, beat, left } = await startAnswers();
  const [chat, shown, kept] = [await send(), await send({ print: 's' }), await send({ print: 'k', leaves: false })];
  const back = await send({ print: 'b' });
  for (const { id } of [chat, kept, back]) await store.answers.settle(id, 'left');
  await store.answers.settle(shown.id, 'left', true);
  expect((await send({ print: 'b' })).kind).toBe('claimed');
  await beat(15_001);
  expect(await left()).toEqual(shown.jobs);
  await beat(45_000);
  expect(await left()).toEqual(chat.jobs);
  expect(await left()).toEqual([]);
  expect((await send()).kind).toBe('new');
  expect((await send({ print: 'k' })).kind).toBe('claimed');
});

test('when whoever cancels the jobs of those that nobody came back for dies before that then they are told again, until they are canceled', async () => {
  const harness = await startAnswers();
  const { store, send, beat } = harness;
  const chats = [await send(), await send()];
  for (const { id } of chats) await store.answers.settle(id, 'left');
  await beat(60_001);
  const [one, other] = chats.map(({ id, jobs }) => ({ id, jobs: [...jobs] }));
  if (one === undefined || other === undefined) throw new Error('no chats');
  expect(await store.answers.left()).toEqual(expect.arrayContaining([one, other]));
  await store.answers.canceled(one);
  expect(await store.answers.left()).toEqual([]);
  await beat(60_001);
  expect(await begin(harness, other.jobs[0] ?? '')).toEqual(['unwaited', 5000]);
  expect(await store.answers.left()).toEqual([other]);
  expect((await send()).kind).toBe('new');
  await store.answers.canceled(other);
  await beat(60_001);
  expect(await store.answers.left()).toEqual([]);
});

test('when no process of the API lives then nobody can come back, and a caller who left is waited for', async () => {
  const { store, clock, send, left } = await startAnswers();
  const first = await send();
  await store.answers.settle(first.id, 'left');
  clock.advance(3_600_000);
  expect(await left()).toEqual([]);
  await store.answers.beat('two');
  expect(await send({ process: 'two' })).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when a process dies with the answers that it holds then those are waited for and then left', async () => {
  const { send, beat, left } = await startAnswers();
  const first = await send();
  await beat(10_001, 'two');
  expect(await left()).toEqual([]);
  await beat(60_001, 'two');
  expect(await left()).toEqual(first.jobs);
});

test('when answers were delivered then what is kept of them goes after a quarter of an hour', async () => {
  const { store, redis, send } = await startAnswers();
  const first = await send();
  await store.answers.settle(first.id, 'delivered');
  const ttls = await Promise.all([redis.pttl(`{gj}:answer:${first.id}`), redis.pexpiretime('{gj}:answers:p')]);
  expect(ttls[0]).toBeLessThanOrEqual(15 * 60_000);
  expect(ttls[1]).toBe(1_800_000_000_000 + 15 * 60_000);
  expect(await redis.scard('{gj}:answers-held:one')).toBe(0);
});

test('when some of a stream was written then only who says that it comes again gets its jobs, also when its process is gone', async () => {
  const { store, send, listener } = await startAnswers();
  const first = await send();
  await store.answers.shown(first.id);
  await listener.unsubscribe();
  const other = await send();
  expect(other.kind).toBe('new');
  await store.answers.settle(other.id, 'dropped');
  expect(await send({ again: true })).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('when an answer is not there any more then nothing of it is written', async () => {
  const { store, redis } = await startAnswers();
  await store.answers.shown('gone');
  expect(await redis.exists('{gj}:answer:gone')).toBe(0);
});

test('when an answer was claimed then its jobs are not let go for its first caller, who leaves later, or whose process died', async () => {
  const { store, send, beat, left } = await startAnswers();
  const held = await send();
  expect(await send({ process: 'two', again: true, share: true })).toMatchObject({ kind: 'claimed', jobs: held.jobs });
  await store.answers.settle(held.id, 'left');
  await beat(60_001, 'two');
  expect(await left()).toEqual([]);

  await store.answers.beat('one');
  const orphan = await send({ print: 'o' });
  await beat(10_001, 'two');
  expect(await send({ print: 'o', process: 'two' })).toMatchObject({ kind: 'claimed', jobs: orphan.jobs });
  await left();
  await beat(60_001, 'two');
  expect(await left()).toEqual([]);
});

/** What becomes of a call of a job that wants to begin. */
async function begin({ store }: Awaited<ReturnType<typeof startAnswers>>, id: string) {
  const started = await store.transitions.startCall({ id, step: 1 }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS);
  return 'ms' in started ? [started.kind, started.ms] : [started.kind];
}

test('when the caller of a queued chat has left then it does not begin until somebody waits for it again', async () => {
  const harness = await startAnswers();
  const { store, send, beat } = harness;
  const first = await send();
  const [id = ''] = first.jobs;
  await store.answers.settle(first.id, 'left');
  await beat(1000);
  expect(await begin(harness, id)).toEqual(['unwaited', 59_000]);
  expect((await store.rooms.why({ jobs: [id] })).get(id)).toMatchObject({ reason: 'no_caller', position: null });
  const again = await send();
  expect(again).toMatchObject({ kind: 'claimed', jobs: [id] });
  expect(await begin(harness, id)).toEqual(['ok']);
});

test('when nobody comes back then a chat does not begin before it is canceled, and what is told of it goes', async () => {
  const harness = await startAnswers();
  const { store, send, beat, redis, left } = harness;
  const first = await send();
  await store.answers.settle(first.id, 'left');
  await beat(60_000);
  const [gone] = await store.answers.left();
  expect(gone?.jobs).toEqual(first.jobs);
  expect(await begin(harness, first.jobs[0] ?? '')).toEqual(['unwaited', 60_000]);
  await beat(60_001);
  await left();
  expect(await redis.exists('{gj}:answers-unwaited')).toBe(0);
});

test.each([
  ['has a webhook, or is an image', { leaves: false }, 'left'],
  ['was answered', {}, 'delivered'],
] as const)('when a job %s then it begins whether its caller is there or not', async (_, more, how) => {
  const harness = await startAnswers();
  const first = await harness.send(more);
  await harness.store.answers.settle(first.id, how);
  expect(await begin(harness, first.jobs[0] ?? '')).toEqual(['ok']);
});

test('when a process dies then the chats that it waited for do not begin until somebody comes back', async () => {
  const harness = await startAnswers();
  const { store, clock, send, left } = harness;
  const first = await send();
  clock.advance(10_001);
  await store.answers.beat('two');
  await left();
  expect(await begin(harness, first.jobs[0] ?? '')).toEqual(['unwaited', 60_000]);
});

test('when a process that counted as gone lives then the chats of its callers are not let go', async () => {
  const harness = await startAnswers();
  const { store, clock, send, beat, left } = harness;
  const [held, written, claimed] = [await send(), await send({ print: 'w' }), await send({ print: 'c' })];
  clock.advance(10_001);
  await store.answers.beat('two');
  expect(await left()).toEqual([]);
  const [job = ''] = held.jobs;
  expect(await begin(harness, job)).toEqual(['unwaited', 60_000]);
  expect((await send({ print: 'c', process: 'two' })).kind).toBe('claimed');
  await store.answers.settle(written.id, 'delivered');
  expect((await send({ print: 'w' })).kind).toBe('new');

  await beat(0);
  expect(await store.answers.holdAgain('one', [held.id, claimed.id, 'unknown'])).toEqual(held.jobs);
  expect(await begin(harness, job)).toEqual(['ok']);
  await beat(60_001);
  expect(await left()).toEqual([]);
  await store.answers.settle(held.id, 'left');
  expect(await send()).toMatchObject({ kind: 'claimed', jobs: held.jobs });
});

/** Twice the same: ioredis sends a script again whose answer was lost. */
async function withLostAnswer<T>({ proxy }: Awaited<ReturnType<typeof startAnswers>>, call: () => Promise<T>): Promise<T> {
  const cut = proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const answer = call();
  await cut;
  return await answer;
}

test('when what Redis says of a claim is lost then the same is said again, and the answer can be claimed after that', async () => {
  const harness = await startAnswers();
  const { store, send } = harness;
  const first = await withLostAnswer(harness, () => send());
  expect(first.kind).toBe('new');
  await store.answers.settle(first.id, 'left');
  const second = await withLostAnswer(harness, () => send());
  expect(second).toMatchObject({ kind: 'claimed', jobs: first.jobs });
  await store.answers.settle(second.id, 'left');
  const third = await withLostAnswer(harness, () => send({ again: true }));
  expect(third).toMatchObject({ kind: 'claimed', jobs: first.jobs });
  await store.answers.settle(third.id, 'left');
  expect(await send()).toMatchObject({ kind: 'claimed', jobs: first.jobs });
});

test('however often a request was sent again, its caller gets the same job', async () => {
  const { store, send } = await startAnswers();
  const first = await send();
  await store.answers.settle(first.id, 'left');
  for (let n = 0; n < 150; n += 1) {
    const again = await send();
    expect([n, again.kind, again.jobs]).toEqual([n, 'claimed', first.jobs]);
    await store.answers.settle(again.id, 'left');
  }
});

test('however many have had their answers of the same request, or left for good, who loses one gets it', async () => {
  const { store, send, beat, redis, left } = await startAnswers();
  for (let n = 0; n < 110; n += 1) await store.answers.settle((await send()).id, 'delivered');
  for (let n = 0; n < 110; n += 1) await store.answers.settle((await send()).id, 'left', true);
  await beat(16 * 60_000);
  await left();
  await left();
  await left();
  const last = await send();
  await store.answers.settle(last.id, 'left');
  expect(await send()).toMatchObject({ kind: 'claimed', jobs: last.jobs });
  expect(await redis.zcard('{gj}:answers:p')).toBe(1);
});

test.each(['holds another answer', 'holds one again'])(
  'when a process counts as gone, %s and dies then it is left and nothing is kept',
  async (how) => {
    const { store, redis, clock, send, beat, left } = await startAnswers();
    const before = how === 'holds one again' ? [await send()] : [];
    clock.advance(10_001);
    await left();
    expect(await redis.zcard('{gj}:api-processes')).toBe(0);
    for (const { id } of before) await store.answers.holdAgain('one', [id]);
    const first = before[0] ?? (await send());
    await beat(10_001, 'two');
    expect(await left()).toEqual([]);
    await beat(60_001, 'two');
    expect(await left()).toEqual(first.jobs);
    expect(await redis.exists('{gj}:answers-held:one')).toBe(0);
  },
);
