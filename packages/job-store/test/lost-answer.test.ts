import { randomUUID } from 'node:crypto';
import { messageOf, type State, TRANSITIONS, type Transition } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { EXAMPLES, everything, imageDoc, jobAt, jobIn, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

/** The connection is cut after Redis has executed the script of `call`; ioredis sends it again. */
async function withLostAnswer<T>(harness: Started, call: () => Promise<T>): Promise<T> {
  const cut = harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const answer = call();
  await cut;
  return await answer;
}

const scripts = (harness: Started) => (harness.proxy.counts['eval'] ?? 0) + (harness.proxy.counts['evalsha'] ?? 0);

/** What a transition adds to: counters, queued jobs, reported events, pending deliveries. */
const counted = async (harness: Started): Promise<number[]> => [
  Object.values(await harness.store.jobs.counters()).reduce((sum, n) => sum + n, 0),
  Number(await harness.redis.hget('{gj}:turns', '#queued')),
  await harness.redis.xlen('{gj}:events'),
  await harness.redis.zcard('{gj}:due:deliveries'),
];

/** Every transition from every state that it may start from. */
const ROWS = (Object.keys(EXAMPLES) as Transition['kind'][]).flatMap((kind) =>
  TRANSITIONS[kind].from.map((state): [Transition['kind'], State] => [kind, state]),
);

test.each(ROWS)(
  'when the answer of %s of a job that is %s is lost then it is answered as if it had come, and nothing is done twice',
  async (kind, state) => {
    const harness = await startStore();
    const [told, untold] = [await jobAt(harness, state), await jobAt(harness, state)];
    const start = await counted(harness);
    await harness.store.transitions.commit(told, EXAMPLES[kind]);
    const once = await counted(harness);
    const token = randomUUID();
    const commit = () => harness.store.transitions.commit(untold, EXAMPLES[kind], { token });
    const sent = scripts(harness);
    const answer = await withLostAnswer(harness, commit);
    expect(scripts(harness)).toBeGreaterThan(sent + 1);

    const twice = await counted(harness);
    expect(twice.map((n, i) => n - (once[i] ?? 0))).toEqual(once.map((n, i) => n - (start[i] ?? 0)));

    // What it left is what the same transition leaves whose answer came at once.
    const [as, now] = [await harness.store.jobs.read(told.id), await harness.store.jobs.read(untold.id)];
    if (as === null || now === null) throw new Error('no record');
    const { id, turn, webhook, attempts, lease, ...rest } = now;
    expect(as).toMatchObject({ ...rest, attempts: attempts.map(({ stage, outcome }) => ({ stage, outcome })) });
    expect(now.ver).toBe(untold.ver + 1);
    const message = TRANSITIONS[kind].step === 'next' && now.finished_at === null ? messageOf(now) : null;
    expect(answer).toMatchObject({
      kind: 'ok',
      job: { ...now, due: untold.due },
      message: message && { queue: message.queue, id: now.id, step: now.step, turn: now.turn },
    });

    // A caller that got no answer in time asks again itself, somewhat later.
    const before = await everything(harness.redis);
    harness.clock.advance(5000);
    expect(await commit()).toEqual(answer);
    expect(await everything(harness.redis)).toEqual(before);
  },
);

test('when the answer of create is lost then the same job is answered, once in the lists', async () => {
  const harness = await startStore();
  const id = newJobId();
  const created = await withLostAnswer(harness, () => harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc() }));
  expect(created).toMatchObject({ kind: 'ok', job: { id, turn: 1, step: 1 }, message: { id, turn: 1, step: 1 } });
  expect(await harness.redis.hget('{gj}:turns', '#queued')).toBe('1');
});

test('when the answer of a started call is lost then the call may go out, once', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  const call = { token: randomUUID(), limitMs: 1000 };
  const started = await withLostAnswer(harness, () =>
    harness.store.transitions.startCall({ id: job.id, step: 1 }, call, NO_LIMITS),
  );
  expect(started).toMatchObject({ kind: 'ok', job: { ver: 2, lease: { token: call.token } } });
  expect(await job.read()).toMatchObject({ ver: 2, stage: 'submitting' });
  expect(await harness.redis.hget('{gj}:turns', '#queued')).toBe('0');
});

test('when the answer of settle is lost then the try counts once', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'storing');
  await job.commit({ kind: 'finish', status: 'succeeded' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const found = await harness.store.deliveries.read(id);
  if (found === null) throw new Error('no delivery');
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response', status: 200 };
  const cut = harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const settled = harness.store.deliveries.settle(found.delivery, { state: 'delivered', attempt });
  await cut;
  expect(await settled).toMatchObject({ settled: true });
  const after = await harness.store.deliveries.read(id);
  expect(after?.delivery).toMatchObject({ state: 'delivered', attempts_made: 1, attempts: [{ status: 200 }] });
  expect(after?.job?.webhook.state).toBe('delivered');
});

test('when the answer is lost to the request that frees a key then the key is free, and one that was taken since is not', async () => {
  const harness = await startStore();
  const { transitions } = harness.store;
  const idempotency = { route: 'POST /v1/jobs', key: 'order-A-17', fingerprint: 'f' };
  const create = (id: string) => transitions.create({ id, tenant: 'acme', doc: imageDoc(), idempotency });
  const [first, second] = [newJobId(), newJobId()];
  await create(first);
  await withLostAnswer(harness, () => transitions.forgetKey(first, 'acme', idempotency));
  expect(await create(second)).toMatchObject({ kind: 'ok', job: { id: second } });
  expect(await transitions.forgetKey(first, 'acme', idempotency)).toBe(false);
  expect(await create(newJobId())).toEqual({ kind: 'replay', id: second });
});
