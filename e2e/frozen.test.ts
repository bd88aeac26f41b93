import { startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, startStack } from './stack.ts';

const QUICK_LOCKS = { QUEUE_LOCK_MS: '3000', QUEUE_STALLED_MS: '1000' };

test('when a worker is cut off from Redis as its task id arrives then the job is given up as unknown, and reopened with the late id, and paid once', async () => {
  const stack = await startStack({ kills: true, workers: 0, emulator: { taskMs: 500 } });
  const itsRedis = await startRedisProxy(stack.redis.url);
  onTestFinished(() => itsRedis.stop());
  await stack.startWorker({ ...QUICK_LOCKS, REDIS_URL: itsRedis.url });
  const { id } = await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver, 'late [[hold-ack=late]]'));
  await stack.emulator.waitFor(() => stack.emulator.held('late') > 0);
  itsRedis.stall();
  stack.emulator.release('late');
  await stack.startWorker(QUICK_LOCKS);
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'failed', run: 1, error: { code: 'submit_unknown' } });

  itsRedis.resume();
  const done = await waitFor(
    async () => {
      const job = await stack.tenant.job(id);
      return job.status === 'succeeded' ? job : undefined;
    },
    { timeoutMs: 60_000, what: 'the reopened run to succeed' },
  );
  expect(done).toMatchObject({ run: 2, late_result: true, error: null });
  expect(stack.emulator.ledger.tasksOf({})).toHaveLength(1);
  await stack.receiver.waitFor(2);
  expect(stack.receiver.received.map((hook) => (hook.json as { type: string }).type).sort()).toEqual([
    'job.failed',
    'job.succeeded',
  ]);
});

test('when a worker is frozen past its lock with calls open then the image is not submitted again and the chat is, and its waking changes nothing', async () => {
  const stack = await startStack({ kills: true, workers: 0, emulator: { taskMs: 500 } });
  const frozen = await stack.startWorker(QUICK_LOCKS);
  const picture = (await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver, 'frozen [[hold-ack=frozen]]'))).id;
  const question = (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'frozen too [[chat-ms=4000]]'))).id;
  await stack.emulator.waitFor(() => stack.emulator.ledger.submits.length === 2);
  frozen.kill('SIGSTOP');
  await stack.startWorker(QUICK_LOCKS);
  expect(await stack.tenant.finished(question)).toMatchObject({ status: 'succeeded' });
  expect(await stack.tenant.finished(picture)).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' } });
  const before = await stack.tenant.job(question);
  frozen.kill('SIGCONT');
  stack.emulator.release('frozen');
  // Once awake it finds that its calls are no longer its own.
  await waitFor(() => frozen.lines.some((line) => line['event'] === 'job.attempted'), {
    timeoutMs: 20_000,
    what: 'the frozen worker to go on',
  });
  expect((await stack.tenant.job(question)).result).toEqual(before.result);
  expect(stack.emulator.ledger.submitsOf({ kind: 'image' })).toHaveLength(1);
  expect(stack.emulator.ledger.doublyPaid()).toEqual([]);
  await stack.receiver.waitFor(2);
  expect(stack.receiver.received).toHaveLength(2);
});

test('when a second signal comes during a stop then the process ends at once', async () => {
  const stack = await startStack();
  await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'long [[chat-ms=60000]]'));
  await stack.emulator.waitFor(() => stack.emulator.ledger.submits.length === 1);
  stack.worker.kill('SIGTERM');
  await stack.worker.waitForLine((line) => line['msg'] === 'stopping');
  stack.worker.kill('SIGTERM');
  expect(await stack.worker.exited).toMatchObject({ code: 1 });
});
