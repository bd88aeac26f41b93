import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, image, type Job, type Stack, shareStack, startStack } from './stack.ts';

const quickStack = shareStack({ emulator: { taskMs: 200 }, quickTasks: true });
const stackOfTwo = shareStack({ workers: 2 });

const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

const cancel = async (stack: Stack, id: string) => {
  const response = await stack.tenant.send('POST', `/v1/jobs/${id}/cancel`);
  return { status: response.status, body: (await response.json()) as Job & { code: string; detail: string } };
};

const retry = async (stack: Stack, id: string, body?: object) => {
  const response = await stack.tenant.send('POST', `/v1/jobs/${id}/retry`, body);
  return { status: response.status, body: (await response.json()) as Job & { code: string; detail: string } };
};

const inFlightCalls = (stack: Stack, n: number) =>
  stack.emulator.waitFor(() => stack.emulator.ledger.submitsOf({ kind: 'chat' }).length === n);

test('when a queued job is canceled then it is canceled at once, its webhook is unsent, and nothing goes upstream', async () => {
  const stack = await startStack({ workers: 0 });
  const id = await send(stack, chat(stack.receiver));
  expect(await cancel(stack, id)).toMatchObject({ status: 200, body: { status: 'canceled', webhook: { state: 'pending' } } });
  expect(await cancel(stack, id)).toMatchObject({ status: 200, body: { status: 'canceled', run: 1 } });
  await stack.startWorker();
  await stack.receiver.waitFor(1);
  expect(stack.receiver.received).toMatchObject([{ json: { type: 'job.canceled', data: { id, status: 'canceled' } } }]);
  expect(stack.emulator.ledger.submits).toEqual([]);
});

test('when an open chat call is canceled then it is aborted in whichever worker it runs', async () => {
  const stack = await stackOfTwo();
  const ids = await Promise.all(
    Array.from({ length: 6 }, (_, i) => send(stack, chat(stack.receiver, `slow ${i} [[chat-ms=60000]]`))),
  );
  await inFlightCalls(stack, 6);
  for (const id of ids) expect(await cancel(stack, id)).toMatchObject({ status: 202, body: { status: 'canceling' } });
  for (const id of ids)
    expect(await stack.tenant.finished(id, 10_000)).toMatchObject({
      status: 'canceled',
      error: null,
      attempts: [{ stage: 'call', outcome: 'cut', error_code: 'canceled' }],
    });
  await stack.receiver.waitFor(6);
  expect(stack.receiver.received.every((hook) => (hook.json as { type: string }).type === 'job.canceled')).toBe(true);
});

test('when the message of a cancel is lost then the call ends in the state it reaches, and one that comes to nothing is canceled', async () => {
  const stack = await startStack({ kills: true });
  const whole = await send(stack, chat(stack.receiver, 'whole [[chat-ms=3000]]'));
  const empty = await send(
    stack,
    chat(stack.receiver, 'broken [[fault=F4:status=503]] [[delay-ms=3000]]', { on_unknown_submit: 'fail' }),
  );
  await stack.emulator.waitFor(() => stack.emulator.requests.filter(({ kind }) => kind === 'chat').length === 2);
  const lost = [stack.proxy.cutBefore((command) => command.name === 'publish')];
  const answers = [await cancel(stack, whole)];
  lost.push(stack.proxy.cutBefore((command) => command.name === 'publish'));
  await waitFor(async () => (await stack.tenant.send('GET', '/v1/jobs?limit=1')).ok);
  answers.push(await cancel(stack, empty));
  await Promise.all(lost);
  expect(answers).toMatchObject([{ status: 202 }, { status: 202 }]);
  expect(await stack.tenant.finished(whole)).toMatchObject({ status: 'succeeded' });
  expect(await stack.tenant.finished(empty)).toMatchObject({ status: 'canceled' });
});

test('when the worker of a canceling chat dies then the next one ends it without waiting for the call', async () => {
  const stack = await startStack({ kills: true });
  const id = await send(stack, chat(stack.receiver, 'slow [[chat-ms=60000]]'));
  await inFlightCalls(stack, 1);
  stack.worker.kill('SIGSTOP');
  expect(await cancel(stack, id)).toMatchObject({ status: 202 });
  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  await stack.startWorker();
  expect(await stack.tenant.finished(id, 40_000)).toMatchObject({ status: 'canceled' });
});

test('when a submit is open then the cancel is ended by it and keeps the task, and a retry goes on with that task', async () => {
  const stack = await quickStack();
  const id = await send(stack, image(stack.receiver, 'held [[hold-ack=one]] [[task-ms=1000]]'));
  await stack.emulator.waitFor(() => stack.emulator.ledger.submits.length === 1);
  expect(await cancel(stack, id)).toMatchObject({ status: 202, body: { status: 'canceling', stage: 'submitting' } });
  expect(await retry(stack, id)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  stack.emulator.release('one');
  const canceled = await stack.tenant.finished(id);
  expect(canceled).toMatchObject({ status: 'canceled', upstream: { task_id: expect.any(String) } });
  expect(await retry(stack, id)).toMatchObject({ status: 202, body: { run: 2, status: 'running', stage: 'generating' } });
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2 });
  expect(stack.emulator.ledger.submits).toHaveLength(1);
});

test('when cancels race the end of their jobs then each job ends once and its one webhook agrees', async () => {
  const stack = await stackOfTwo();
  const ids = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const id = await send(stack, chat(stack.receiver, `question ${i} [[chat-ms=${i * 3}]]`));
      await new Promise((resolve) => setTimeout(resolve, i * 4));
      const { status } = await cancel(stack, id);
      expect([200, 202, 409]).toContain(status);
      return id;
    }),
  );
  const ends = await Promise.all(ids.map(async (id) => [id, (await stack.tenant.finished(id)).status]));
  await stack.receiver.waitFor(40, { timeoutMs: 30_000 });
  const told = stack.receiver.received.map(({ json }) => (json as { data: Job }).data).map(({ id, status }) => [id, status]);
  expect(told.sort()).toEqual(ends.sort());
});

test('when a lost submit is retried then only an explicit resubmit submits again', async () => {
  const stack = await quickStack();
  const id = await send(stack, image(stack.receiver, 'lost once [[fault=F6]]'));
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' } });
  for (const body of [undefined, {}, { mode: 'resume' }])
    expect(await retry(stack, id, body)).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('"mode": "resubmit"') },
    });
  expect(await retry(stack, id, { mode: 'again' })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/mode' }] } });
  // Ten at once make one new run.
  const answers = await Promise.all(Array.from({ length: 10 }, () => retry(stack, id, { mode: 'resubmit' })));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array.from({ length: 9 }, () => 409)]);
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2, error: null });
  expect(stack.emulator.ledger.submits).toHaveLength(2);
});

test('when a result cannot be stored then a cancel ends the job, and a retry stores what was paid for without a new submit', async () => {
  const stack = await quickStack();
  stack.s3.outage('error');
  const id = await send(stack, image(stack.receiver));
  await waitFor(async () => (await stack.tenant.job(id)).attempts.some(({ stage }) => stage === 'store'), {
    timeoutMs: 40_000,
    what: 'a store that failed',
  });
  expect(await cancel(stack, id)).toMatchObject({ status: 202, body: { status: 'canceling', stage: 'storing' } });
  expect(await cancel(stack, id)).toMatchObject({ status: 202 });
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'canceled' });
  stack.s3.outage(false);
  expect(await retry(stack, id)).toMatchObject({ status: 202, body: { run: 2, status: 'running', stage: 'storing' } });
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2 });
  expect(stack.emulator.ledger.submits).toHaveLength(1);
});
