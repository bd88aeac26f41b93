import { randomUUID } from 'node:crypto';
import { GrsaiError } from '@grsai-jobs/grsai';
import type { Commit } from '@grsai-jobs/job-store';
import { dayOf, type JobDoc, type JobPrice, jobError, NO_COST, type Transition } from '@grsai-jobs/jobs';
import { expect, test, vi } from 'vitest';
import { acceptedJob, generatingJob, type Harness, handlersOf, NO_LIMITS, startedCall, startHarness } from './harness.ts';

/** What a submit brings meets a job that somebody else has changed meanwhile. */

const TASK = { id: '1-t', base: 'https://b.example' };

/** A submit whose upstream answers when the test says so. */
async function openSubmit(
  harness: Harness,
  on_unknown_submit: JobDoc['on_unknown_submit'] = 'fail',
  /** Told of each commit of the worker before its answer is. */
  committed: (kind: Transition['kind']) => Promise<void> = async () => undefined,
  price: JobPrice | null = null,
) {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<typeof TASK>();
  const submit = () => {
    asked.resolve();
    return answer.promise;
  };
  const commit: Commit = async (job, transition, o) => {
    const result = await harness.store.transitions.commit(job, transition, o);
    await committed(transition.kind);
    return result;
  };
  const watched = { ...harness, store: { ...harness.store, transitions: { ...harness.store.transitions, commit } } };
  const handlers = handlersOf(watched, {
    grsai: { ...harness.grsai, images: { ...harness.grsai.images, submit } } as unknown as Harness['grsai'],
  });
  const job = await acceptedJob(harness, {}, (doc) => ({ ...doc, on_unknown_submit }), undefined, price);
  const left = handlers.submit({ entry: { id: job.id, step: 1 }, stalled: false });
  await asked.promise;
  return {
    ...job,
    cancel: () => handlers.runner.inFlight.cancel(job.id),
    accepted: () => {
      answer.resolve(TASK);
      return left;
    },
    failed: (error: GrsaiError) => {
      answer.reject(error);
      return left;
    },
  };
}

const givenUp: Transition = {
  kind: 'finish',
  status: 'failed',
  error: jobError('submit_unknown', 'submitting'),
  keepLease: true,
};

const ROWS: readonly [string, readonly Transition[], object, { polled: boolean; late: boolean }][] = [
  [
    'was given up as unknown',
    [givenUp],
    { status: 'running', stage: 'generating', run: 2, late_result: true, lease: null, task: TASK },
    { polled: true, late: false },
  ],
  [
    'is to be canceled',
    [{ kind: 'request_cancel' }],
    { status: 'canceled', run: 1, task: TASK, lease: null },
    { polled: false, late: false },
  ],
  [
    'was canceled by whoever thought its worker dead',
    [{ kind: 'request_cancel' }, { kind: 'finish', status: 'canceled', keepLease: true }],
    { status: 'canceled', run: 1, task: TASK },
    // Its end says what it cost.
    { polled: false, late: true },
  ],
  [
    'has expired',
    [{ kind: 'finish', status: 'expired', keepLease: true }],
    { status: 'expired', run: 1, task: TASK },
    { polled: false, late: true },
  ],
];

test.each(ROWS)('when a task is accepted of a job that %s then its id is kept', async (_, before, expected, { polled, late }) => {
  const harness = await startHarness();
  const job = await openSubmit(harness);
  for (const transition of before) expect((await harness.store.transitions.commit(await job.read(), transition)).kind).toBe('ok');
  expect(await job.accepted()).toEqual({ kind: 'done' });
  const now = await job.read();
  expect(now).toMatchObject(expected);
  expect(await harness.producer.stateOf('poll', now)).toBe(polled ? 'there' : 'gone');
  expect(await harness.redis.zscore('{gj}:late', job.id)).toBe(late ? String(harness.clock.now() + 60_000) : null);
});

test('when a task is accepted of a job that is to be canceled, and somebody ends that just before, then its id is kept', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness, 'fail', async (kind) => {
    if (kind !== 'task_accepted') return;
    const end: Transition = { kind: 'finish', status: 'canceled', keepLease: true };
    expect((await harness.store.transitions.commit(await job.read(), end)).kind).toBe('ok');
  });
  await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
  expect(await job.accepted()).toEqual({ kind: 'done' });
  expect(await job.read()).toMatchObject({ status: 'canceled', run: 1, task: TASK });
});

test('when a task is accepted whose call was taken over then the other call goes on as if nothing had come', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness, 'resubmit');
  const first = await job.read();
  const over = { token: first.lease?.token ?? '', attempts: [], attemptsUsed: 1 };
  await harness.store.transitions.startCall(first, { token: 'another', limitMs: 1000, over }, NO_LIMITS);
  const before = await job.read();
  expect(await job.accepted()).toEqual({ kind: 'done' });
  expect(before.lease?.token).toBe('another');
  expect(await job.read()).toEqual(before);
});

test('when a job was given up, run again and given up again as its task is accepted then who makes the new call keeps its lease', async () => {
  const harness = await startHarness();
  const another = randomUUID();
  let again = true;
  const job = await openSubmit(harness, 'fail', async (kind) => {
    if (kind !== 'task_accepted' || !again) return;
    again = false;
    await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
    const { step } = await job.read();
    await startedCall(harness, job.id, { step, token: another });
    await harness.store.transitions.commit(await job.read(), givenUp);
  });
  await harness.store.transitions.commit(await job.read(), givenUp);
  const error = vi.spyOn(harness.log, 'error');
  expect(await job.accepted()).toEqual({ kind: 'done' });
  expect([again, error.mock.calls]).toEqual([
    false,
    [[expect.objectContaining({ event: 'job.task_without_run', recorded: false }), expect.any(String)]],
  ]);
  expect(await job.read()).toMatchObject({ status: 'failed', run: 2, task: null, lease: { token: another } });
});

test('when Redis refuses to write the id of a task then it is written as soon as it does not', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness);
  await harness.redis.config('SET', 'min-replicas-to-write', '1');
  const refused = Promise.withResolvers<void>();
  harness.redis.once('refused', () => refused.resolve());
  const left = job.accepted();
  await Promise.race([refused.promise, left.catch(() => undefined)]);
  await harness.redis.config('SET', 'min-replicas-to-write', '0');
  expect(await left).toEqual({ kind: 'done' });
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'generating', task: TASK, attempts_used: 1 });
});

test('when Redis refuses to write the id of a task of a job that is to be canceled then it is written as soon as it does not', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness, 'fail', async (kind) => {
    if (kind === 'task_accepted') await harness.redis.config('SET', 'min-replicas-to-write', '1');
  });
  await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
  const refused = Promise.withResolvers<void>();
  harness.redis.once('refused', () => refused.resolve());
  const left = job.accepted();
  await Promise.race([refused.promise, left.catch(() => undefined)]);
  await harness.redis.config('SET', 'min-replicas-to-write', '0');
  expect(await left).toEqual({ kind: 'done' });
  expect(await job.read()).toMatchObject({ status: 'canceled', task: TASK });
});

const PRICE: JobPrice = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
const refused = (more: object) =>
  new GrsaiError({ code: 'refused', outcome: 'refused', message: 'no', retryable: false, status: 400, ...more });

test.each<[string, Transition[], GrsaiError, object]>([
  ['was given up as unknown', [givenUp], refused({ category: 'rate_limited', status: 429 }), {}],
  ['was given up as unknown', [givenUp], refused({ category: 'moderation', taskId: '1-t' }), { charged: 1200 }],
  ['was given up as unknown', [givenUp], refused({ category: 'failed', taskId: '1-t' }), { refunded: 1200 }],
  [
    'was canceled by whoever thought its worker dead',
    [{ kind: 'request_cancel' }, { kind: 'finish', status: 'canceled', keepLease: true }],
    refused({ category: 'input' }),
    {},
  ],
])('when a submit of a job that %s is refused then it is known what it cost: %#', async (_, before, error, cost) => {
  const harness = await startHarness();
  const job = await openSubmit(harness, 'fail', undefined, PRICE);
  for (const transition of before) expect((await harness.store.transitions.commit(await job.read(), transition)).kind).toBe('ok');
  const { status, run } = await job.read();
  expect((await job.failed(error)).kind).not.toBe('wait');
  expect(await job.read()).toMatchObject({ status, run, cost: { ...NO_COST, ...cost } });
  const today = dayOf(harness.clock.now());
  const { reserved } = (await harness.store.spending.rows('acme', today, today))[0] ?? {};
  expect(reserved).toBe(0);
});

test('when the outcome of a call is unknown whose run was given up then so are its credits', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness, 'fail', undefined, PRICE);
  await harness.store.transitions.commit(await job.read(), givenUp);
  const before = await job.read();
  await job.failed(new GrsaiError({ code: 'timeout', outcome: 'unknown', message: 'lost', retryable: false }));
  expect(await job.read()).toEqual(before);
});

test('when a submit is cut whose caller has canceled the job then its outcome is as unknown as that of any other', async () => {
  const harness = await startHarness();
  const job = await openSubmit(harness);
  await harness.store.transitions.commit(await job.read(), { kind: 'request_cancel' });
  job.cancel();
  const { lease } = await job.read();
  const cut = new GrsaiError({ code: 'aborted', outcome: 'unknown', message: 'cut', retryable: false });
  expect(await job.failed(cut)).toEqual({ kind: 'done' });
  expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' }, lease });
});

test('when a worker takes a run for over whose time has not come by the clock of Redis then its entry comes again, and the run goes on', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness);
  const { step } = await job.read();
  const dayAhead = Object.assign(Object.create(harness.clock), { now: () => harness.clock.now() + 24 * 3600_000 });
  const { poll } = handlersOf({ ...harness, clock: dayAhead });
  expect(await poll({ entry: { id: job.id, step }, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'generating', step });
});
