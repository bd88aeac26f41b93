import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, type Job, startStack } from './stack.ts';

interface Hook {
  id: string;
  type: string;
  sequence: number;
  data: { id: string; status: string; stage: string | null; progress: number; result: unknown };
}

test('when the worker is killed between the send of a webhook and its note then the same webhook comes again, with the same id', async () => {
  const stack = await startStack({ kills: true });
  // The receiver has it, and keeps its answer to itself.
  stack.receiver.respond('hang', 200);
  const { id } = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver));
  const [first] = await stack.receiver.waitFor(1, { timeoutMs: 20_000 });
  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  expect((await stack.tenant.job(id)).webhook.state).toBe('pending');

  await stack.startWorker();
  const [, second] = await stack.receiver.waitFor(2, { timeoutMs: 40_000 });
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second?.signature).toBe('valid');
  await waitFor(async () => (await stack.tenant.job(id)).webhook.state === 'delivered', { what: 'the try to be noted' });
  expect(stack.receiver.received).toHaveLength(2);
});

test('when a caller asks for them then started and progress come once each, beside the end, and sequence puts them in order', async () => {
  const stack = await startStack();
  const body = chat(stack.receiver, 'slow [[chat-ms=12000]]', {
    webhook: { url: stack.receiver.url, events: ['job.started', 'job.progress', 'job.succeeded'] },
  });
  const { id } = await stack.tenant.post<Job>('/v1/jobs', { ...body, input: { ...body.input, stream: true } });
  const quiet = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'quiet'));
  await stack.tenant.finished(id);
  const hooksOf = (job: string) =>
    stack.receiver.received.map((hook) => hook.json as Hook).filter((hook) => hook.data.id === job);
  await waitFor(() => hooksOf(id).some((hook) => hook.type === 'job.succeeded'), { what: 'the end to be told' });

  const hooks = hooksOf(id).toSorted((a, b) => a.sequence - b.sequence);
  const [started, ...rest] = hooks;
  expect(started).toMatchObject({ type: 'job.started', data: { status: 'running', stage: 'submitting', result: null } });
  expect(rest.at(-1)).toMatchObject({ type: 'job.succeeded', data: { status: 'succeeded', progress: 100 } });
  const progress = rest.slice(0, -1);
  expect(progress.length).toBeGreaterThan(0);
  expect(progress.length).toBeLessThanOrEqual(2);
  for (const hook of progress) {
    expect(hook).toMatchObject({ type: 'job.progress', data: { status: 'running', result: null } });
    expect(hook.id).toBe(`evt_${id.slice(4)}_1_job_progress_${hook.data.progress}`);
  }
  expect(new Set(hooks.map((hook) => hook.sequence)).size).toBe(hooks.length);
  expect(stack.receiver.received.every((hook) => hook.signature === 'valid')).toBe(true);
  await waitFor(async () => (await stack.tenant.job(id)).webhook.state === 'delivered', { what: 'the end to be noted' });
  expect(hooksOf(quiet.id).map((hook) => hook.type)).toEqual(['job.succeeded']);
});
