import { type JobDoc, type JobRecord, jobError, LIMITS, MAX_CRASHES, queueOf, type UnstoredResult } from '@grsai-jobs/jobs';
import type { QueueName } from '@grsai-jobs/queue';
import { expect, test, vi } from 'vitest';
import { createLateResults } from '../src/maintenance/late-results.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { countingStalls, waitingForRedis } from '../src/runner/crashes.ts';
import { settle } from '../src/runner/settle.ts';
import { acceptedJob, generatingJob, type Harness, startedCall, startHarness } from './harness.ts';

type Job = Awaited<ReturnType<typeof acceptedJob>>;
type Make = (harness: Harness) => Promise<Job>;

const CHAT = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } };
const onUnknown =
  (on_unknown_submit: JobDoc['on_unknown_submit']) =>
  (doc: JobDoc): JobDoc => ({ ...doc, on_unknown_submit });

const open = async (harness: Harness, job: Job): Promise<Job> => {
  await startedCall(harness, job.id);
  return job;
};

const storing: Make = async (harness) => {
  const job = await generatingJob(harness);
  const unstored = { links: [{ url: 'https://a.example/1.png' }], dies_at: harness.clock.now() + 1e6 };
  await harness.store.transitions.commit(await job.read(), { kind: 'start_storing', unstored, polls: 1 });
  return job;
};

const canceling =
  (make: Make): Make =>
  async (harness) => {
    const job = await make(harness);
    await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
    return job;
  };

const callAccepted: Make = (harness) => acceptedJob(harness, CHAT, onUnknown('resubmit'));
const chatOpen =
  (policy: JobDoc['on_unknown_submit']): Make =>
  async (harness) =>
    open(harness, await acceptedJob(harness, CHAT, onUnknown(policy)));
const imageOpen =
  (policy: JobDoc['on_unknown_submit']): Make =>
  async (harness) =>
    open(harness, await acceptedJob(harness, {}, onUnknown(policy)));

/** Stage, what the job is doing, how it comes to be there, and how the fifth death ends it. */
const ROWS: readonly (readonly [QueueName, string, Make, Partial<JobRecord['error'] & object> | null])[] = [
  ['call', 'a chat that waits', callAccepted, { code: 'crashed' }],
  ['call', 'an open chat call that may be repeated', chatOpen('resubmit'), { code: 'crashed' }],
  ['call', 'an open chat call that may not', chatOpen('fail'), { code: 'submit_unknown' }],
  ['call', 'an open chat call of a canceled job', canceling(chatOpen('fail')), null],
  ['submit', 'an image that waits', (harness) => acceptedJob(harness), { code: 'crashed' }],
  ['submit', 'an open submit', imageOpen('fail'), { code: 'submit_unknown' }],
  ['submit', 'an open submit that may be repeated when its time is over', imageOpen('resubmit'), { code: 'submit_unknown' }],
  ['submit', 'an open submit of a canceled job', canceling(imageOpen('fail')), null],
  ['poll', 'a living task', generatingJob, { code: 'crashed' }],
  ['store', 'a paid result', storing, { code: 'crashed' }],
  ['store', 'a paid result of a canceled job', canceling(storing), null],
];

async function entryOf(harness: Harness, id: string): Promise<string> {
  const [head] = await harness.store.jobs.heads([id]);
  return head ? await harness.producer.stateOf(queueOf(head.stage, head.paidQueue), head) : 'no record';
}

test.each(ROWS)(
  'when workers die five times in %s with %s then it is set aside, and before that it has an entry',
  async (stage, _what, make, error) => {
    const harness = await startHarness();
    const job = await make(harness);
    const before = await job.read();
    const stages = vi.fn();
    const handler = countingStalls(harness, stage, stages);
    const die = async () => await handler({ entry: { id: job.id, step: (await job.read()).step }, stalled: true });

    for (let n = 1; n < MAX_CRASHES; n += 1) {
      expect(await die()).toEqual({ kind: 'done' });
      const record = await job.read();
      expect(record).toMatchObject({ crashes: n, status: before.status, stage: before.stage, lease: before.lease });
      expect(await entryOf(harness, job.id)).toBe('there');
    }
    await die();
    const ended = await job.read();
    expect(ended).toMatchObject(error === null ? { status: 'canceled' } : { status: 'failed', error });
    expect([ended.task, ended.unstored, ended.lease]).toEqual([before.task, before.unstored, before.lease]);
    // A task that lives on is polled, a paid result can be stored by a retry.
    expect(await harness.redis.zscore('{gj}:late', job.id)).toEqual(stage === 'poll' ? expect.any(String) : null);
    expect(stages).not.toHaveBeenCalled();
    expect(await harness.count(`crashes_total{kind="stalled",stage="${stage}"}`)).toBe(MAX_CRASHES);
  },
);

/** A chat whose first call has brought an answer, perhaps not all of it. */
async function answeredChat(harness: Harness, content: string): Promise<Job> {
  const job = await callAccepted(harness);
  const completion = { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: null }] };
  const unstored = { completion, dies_at: harness.clock.now() + 1e6 } as UnstoredResult;
  await harness.store.transitions.commit(await startedCall(harness, job.id), { kind: 'release', waitMs: 0, unstored });
  return job;
}

const LARGE = 'x'.repeat(LIMITS.inlineCompletionBytes);
const RESULT = { status: 'succeeded', output: { kind: 'chat' }, unstored: null, lease: null };

test.each([
  ['in the call after it', 'hello', true, RESULT],
  ['before the call after it', 'hello', false, RESULT],
  ['in the call after it, and it is large', LARGE, true, { status: 'running', stage: 'storing', lease: null }],
])('when workers die five times with a chat that has an answer, %s, then that is the result', async (_, content, inCall, end) => {
  const harness = await startHarness();
  const job = await answeredChat(harness, content);
  if (inCall) await startedCall(harness, job.id);
  const handler = countingStalls(harness, 'call', vi.fn());
  for (let n = 0; n < MAX_CRASHES; n += 1) await handler({ entry: { id: job.id, step: (await job.read()).step }, stalled: true });
  const ended = await job.read();
  expect(ended).toMatchObject(end);
  expect(ended.error).toBeNull();
});

test('when workers die five times as they store the answer of a chat then it is set aside, and a retry can store it', async () => {
  const harness = await startHarness();
  const job = await answeredChat(harness, LARGE);
  const { unstored } = await job.read();
  if (unstored === null) throw new Error('no answer');
  await harness.store.transitions.commit(await job.read(), { kind: 'start_storing', unstored });
  const handler = countingStalls(harness, 'store', vi.fn());
  for (let n = 0; n < MAX_CRASHES; n += 1) await handler({ entry: { id: job.id, step: (await job.read()).step }, stalled: true });
  expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'crashed' }, unstored });
});

test('when an entry comes back without a death, as after a stop or a wait, then nothing is counted', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const handler = countingStalls(harness, 'submit', async () => ({ kind: 'wait', ms: 0 }));
  for (let n = 0; n < 10; n += 1) await handler({ entry: { id: job.id, step: 1 }, stalled: false });
  expect(await job.read()).toMatchObject({ status: 'queued', step: 1, crashes: 0 });
});

test('when entries come back after trouble of Redis then each gets a new one, and nothing is counted', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const handler = countingStalls({ ...harness, disturbance: { within: () => true } }, 'submit', vi.fn());
  for (let n = 0; n < MAX_CRASHES; n += 1)
    expect(await handler({ entry: { id: job.id, step: n + 1 }, stalled: true })).toEqual({ kind: 'done' });
  expect(await job.read()).toMatchObject({ status: 'queued', step: MAX_CRASHES + 1, crashes: 0 });
  expect(await entryOf(harness, job.id)).toBe('there');
  expect(await harness.count('crashes_total')).toBe(0);
});

test.each([
  ['NOREPLICAS Not enough good replicas to write.', 'waits'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'waits'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'is thrown'],
])('when a stage meets %s then its entry %s', async (message, left) => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const handler = waitingForRedis(harness, 'submit', () => Promise.reject(new Error(message)));
  const outcome = await handler({ entry: { id: job.id, step: 1 }, stalled: false }).catch(String);
  expect(outcome).toEqual(left === 'waits' ? { kind: 'wait', ms: 2000 } : `Error: ${message}`);
  expect(await job.read()).toMatchObject({ status: 'queued', step: 1, crashes: 0, attempts_used: 0 });
});

test('when a worker dies again with the same jobs then each comes back at a time of its own', async () => {
  const harness = await startHarness();
  const backoff = vi.fn(() => 5000);
  const job = await acceptedJob(harness);
  const handler = countingStalls({ ...harness, backoff }, 'submit', vi.fn());
  for (let n = 0; n < 3; n += 1) await handler({ entry: { id: job.id, step: (await job.read()).step }, stalled: true });
  expect(backoff.mock.calls).toEqual([[1], [2]]);
});

test('when a slice of an operation ends its worker five times then it is set aside for an hour with a line in the log, and others go on', async () => {
  const harness = await startHarness();
  const error = vi.spyOn(harness.log, 'error');
  const done: string[] = [];
  const good = async ({ id }: { id: string }) => {
    done.push(id);
    return { done: true } as const;
  };
  const runTask = createOperationsTask(harness, { good, bad: good });
  const bad = () => harness.store.operations.take(harness.clock.now());
  await harness.store.operations.add({ kind: 'bad', subject: 'a', order: {}, at: harness.clock.now() });
  // Its worker takes it, and never comes back.
  for (let n = 0; n < MAX_CRASHES; n += 1) {
    expect(await bad()).toMatchObject({ id: 'bad:a', lost: n });
    await harness.clock.advance(30_000);
  }
  await harness.store.operations.add({ kind: 'good', subject: 'b', order: {}, at: harness.clock.now() });
  await runTask();
  expect(done).toEqual(['good:b']);
  expect(error.mock.calls).toEqual([
    [expect.objectContaining({ event: 'operation.crashed', operation: 'bad:a', lost: 5 }), expect.any(String)],
  ]);

  await harness.clock.advance(3_600_000);
  expect(await bad()).toMatchObject({ lost: MAX_CRASHES - 1 });
  await harness.clock.advance(30_000);
  await runTask();
  expect(done).toEqual(['good:b']);
  await harness.clock.advance(3_600_000);
  await runTask();
  expect(done).toEqual(['good:b', 'bad:a']);
});

test('when a slice comes to an end, is held for long, or is taken away by a renewal then no worker was lost', async () => {
  const harness = await startHarness();
  const { operations } = harness.store;
  const order = { kind: 'w', subject: 'a', order: {}, at: harness.clock.now() };
  await operations.add(order);
  const take = async () => {
    const operation = await operations.take(harness.clock.now());
    if (operation === null) throw new Error('no operation');
    return operation;
  };
  const first = await take();
  expect(await operations.renewLease(first)).toBe(true);
  await operations.checkpoint(first, null, 0);
  const second = await take();
  await operations.addAgain(order);
  expect([first.lost, second.lost, (await take()).lost]).toEqual([0, 0, 0]);
  await harness.clock.advance(30_000);
  const fourth = await take();
  await operations.checkpoint(fourth, null, 0);
  expect([fourth.lost, (await take()).lost]).toEqual([1, 0]);
});

test('when workers die five times as they look for a late result then it is looked for no more, and logged', async () => {
  const harness = await startHarness();
  const error = vi.spyOn(harness.log, 'error');
  const job = await generatingJob(harness);
  const lost = jobError('crashed', 'generating');
  await settle(harness, await job.read(), { kind: 'finish', status: 'failed', error: lost, latePollMs: 0 });
  const asked = vi.fn(() => new Promise<never>(() => undefined));
  const dying = createLateResults({ ...harness, grsai: { images: { result: asked } } as unknown as Harness['grsai'] });
  for (let n = 1; n <= MAX_CRASHES; n += 1) {
    void dying();
    await expect.poll(() => asked.mock.calls.length).toBe(n);
    // Its next poll is not at once, so that a worker which comes back is not ended at once either.
    await harness.clock.advance(1000);
    await createLateResults(harness)();
    await harness.clock.advance(120_000);
  }
  await createLateResults(harness)();
  expect(error.mock.calls).toEqual([
    [expect.objectContaining({ event: 'job.late_poll_crashed', job_id: job.id }), expect.any(String)],
  ]);
  expect([await harness.redis.zcard('{gj}:late'), await harness.redis.exists('{gj}:late-open')]).toEqual([0, 0]);
  expect(await job.read()).toMatchObject({ status: 'failed' });
});

test('when a worker dies as it looks for a late result of a job that is erased then nothing is left of that', async () => {
  const harness = await startHarness();
  const asked = vi.fn(() => new Promise<never>(() => undefined));
  const dying = createLateResults({ ...harness, grsai: { images: { result: asked } } as unknown as Harness['grsai'] });
  const job = await generatingJob(harness);
  const lost = jobError('crashed', 'generating');
  await settle(harness, await job.read(), { kind: 'finish', status: 'failed', error: lost, latePollMs: 0 });
  void dying();
  await expect.poll(() => asked.mock.calls.length).toBe(1);
  expect(await harness.redis.hkeys('{gj}:late-open')).toEqual([job.id]);
  await harness.store.erase.asked(await job.read());
  await createLateResults(harness)();
  expect(await harness.redis.hkeys('{gj}:late-open')).toEqual([]);
});
