import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, image, type Job, type Stack, startStack, tenantOf } from './stack.ts';

/** Longer than a test, so that no permit is returned meanwhile. */
const FOR_EVER_MS = 120_000;

const inFlight = async (stack: Stack) =>
  (await stack.admin.get<{ jobs: { in_flight: number } }>('/admin/v1/overview')).jobs.in_flight;

test('when one tenant has taken all images and chats that it may then the first image and chats of others begin at once, on two workers', async () => {
  const stack = await startStack({ env: { GRSAI_MAX_IN_FLIGHT: '60', CALL_CONCURRENCY: '10' } });
  await stack.startWorker();
  stack.emulator.configure({ taskMs: FOR_EVER_MS, chatMs: FOR_EVER_MS });
  const send = async (n: number, body: object) => {
    for (let sent = 0; sent < n; sent += 20)
      await Promise.all(Array.from({ length: 20 }, () => stack.tenant.post<Job>('/v1/jobs', body)));
  };
  await send(120, image(stack.receiver));
  // Of 60 permits 6 are for calls, and 6 of the others for those who have less than their share.
  await waitFor(async () => (await inFlight(stack)) === 48, { timeoutMs: 20_000, what: '48 images in flight' });
  await send(20, chat(stack.receiver, 'for ever'));
  // Calls have the 12 that images leave, and 2 of them are for others.
  await waitFor(async () => (await inFlight(stack)) === 58, { timeoutMs: 20_000, what: '10 chats in flight' });

  stack.emulator.configure({ taskMs: FOR_EVER_MS, chatMs: 20 });
  const quiet = await tenantOf(stack, 'quiet');
  const { id } = await quiet.post<Job>('/v1/jobs', image(stack.receiver));
  const generates = async () => (await quiet.get<Job>(`/v1/jobs/${id}`)).stage === 'generating';
  await waitFor(generates, { what: 'the image of another tenant to be made' });
  for (let n = 0; n < 10; n += 1) {
    const job = await quiet.post<Job>('/v1/jobs', chat(stack.receiver, `chat ${n}`));
    expect(await quiet.finished(job.id)).toMatchObject({ status: 'succeeded' });
  }
  expect(await inFlight(stack)).toBe(59);
  const { data } = await stack.admin.get<{ data: { name: string; waiting: number; in_rooms: number }[] }>('/admin/v1/queues');
  expect(data.find(({ name }) => name === 'submit')).toMatchObject({ waiting: 72, in_rooms: 72 });
});
