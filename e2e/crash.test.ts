import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFailed, test } from 'vitest';
import { chat, image, type Job, repairsIn, startStack } from './stack.ts';

test('when the worker is killed in the middle of its jobs then nothing is lost, no image is paid for twice and only open submits end unknown', async () => {
  const stack = await startStack({ kills: true, emulator: { taskMs: 1000, chatMs: 3000 } });
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const images = await Promise.all(Array.from({ length: 8 }, (_, i) => send(image(stack.receiver, `picture ${i}.`))));
  await waitFor(async () => (await Promise.all(images.map(stack.tenant.job))).every((job) => job.stage === 'generating'), {
    what: 'all tasks to be made',
  });
  // Two submits are paid for and never answered, and eight chat calls are in flight, when the worker dies.
  const open = await Promise.all(
    ['held one', 'held two'].map((prompt) => send(image(stack.receiver, `${prompt} [[hold-ack=never]]`))),
  );
  const chats = await Promise.all(Array.from({ length: 8 }, (_, i) => send(chat(stack.receiver, `question ${i}.`))));
  await stack.emulator.waitFor(() => stack.emulator.ledger.submits.length === 18);

  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  const next = await stack.startWorker();
  onTestFailed(() => console.log(next.lines.map((line) => line.raw).join('\n')));

  for (const id of [...images, ...chats])
    expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', error: null });
  for (const id of open)
    expect(await stack.tenant.finished(id)).toMatchObject({
      status: 'failed',
      error: { code: 'submit_unknown', retryable: false },
    });
  expect(stack.emulator.ledger.tasksOf({})).toHaveLength(10);
  expect(stack.emulator.ledger.doublyPaid()).toEqual([]);

  await stack.receiver.waitFor(18, { timeoutMs: 30_000 });
  expect(new Set(stack.receiver.received.map((hook) => (hook.json as { id: string }).id)).size).toBe(18);
  expect(stack.receiver.received.every((hook) => hook.signature === 'valid')).toBe(true);
});

test('when the API is killed between the record and its entry then the job runs all the same', async () => {
  const stack = await startStack({ kills: true, workers: 0 });
  // The record is written; the connection to Redis is cut before the entry is added.
  const cut = stack.proxy.cutBefore(
    (command) => command.name.startsWith('eval') && command.args.some((arg) => arg.includes('-q}')),
  );
  const response = await stack.tenant.send('POST', '/v1/jobs', chat(stack.receiver));
  await cut;
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as Job;
  const worker = await stack.startWorker();
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  expect(worker.lines.filter((line) => line['event'] === 'job.repaired')).toMatchObject([{ job_id: id }]);
  expect(await repairsIn(stack.redis)).toBe(1);
});

test('when a stop comes while a chat call is in flight then it is awaited, and one that takes too long is cut without an attempt used up', async () => {
  const stack = await startStack({ env: { SHUTDOWN_TIMEOUT_S: '6' } });
  const quick = (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'quick [[chat-ms=1000]]'))).id;
  const slow = (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'slow [[chat-ms=60000]]', { max_attempts: 1 }))).id;
  await stack.emulator.waitFor(() => stack.emulator.ledger.submitsOf({ kind: 'chat' }).length === 2);
  stack.worker.kill('SIGTERM');
  expect(await stack.worker.exited).toMatchObject({ code: 0 });
  expect(await stack.tenant.job(quick)).toMatchObject({ status: 'succeeded' });
  expect(await stack.tenant.job(slow)).toMatchObject({ status: 'queued', attempts: [{ stage: 'call', outcome: 'cut' }] });
});
