import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { chat, image, type Job, shareStack } from './stack.ts';

const freshStack = shareStack({ emulator: { taskMs: 300 } });

test('when a chat job is sent then its completion is in the record and a webhook that the official library verifies', async () => {
  const stack = await freshStack();
  const sent = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver));
  expect(sent).toMatchObject({ status: 'queued', run: 1, progress: 0, error: null });
  const job = await stack.tenant.finished(sent.id);
  expect(job).toMatchObject({ status: 'succeeded', progress: 100, attempts: [{ stage: 'call', outcome: 'succeeded' }] });
  expect(job.result).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
  await stack.receiver.waitFor(1);
  const [hook] = stack.receiver.received;
  const { secret } = await stack.tenant.get<{ secret: string }>('/v1/webhook-secret');
  const verified = new Webhook(secret).verify(hook?.body ?? '', hook?.headers as Record<string, string>);
  expect(verified).toMatchObject({ type: 'job.succeeded', data: { id: sent.id, status: 'succeeded' } });
  expect(stack.emulator.ledger.submitsOf({ kind: 'chat' })).toHaveLength(1);
});

test('when an image job is sent then its file is stored, its signed link serves the bytes of its hash, and one task was paid', async () => {
  const stack = await freshStack();
  const sent = await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver));
  const job = await stack.tenant.finished(sent.id);
  expect(job).toMatchObject({ status: 'succeeded', progress: 100, error: null });
  const [stored] = job.result.images ?? [];
  const bytes = new Uint8Array(await (await fetch(stored?.url ?? '')).arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(stored?.sha256);
  expect(bytes.byteLength).toBe(stored?.bytes);
  expect(stored?.content_type).toMatch(/^image\/(png|jpeg)$/);
  expect(stored?.width).toBeGreaterThan(0);
  await stack.receiver.waitFor(1);
  expect(stack.receiver.received).toMatchObject([{ signature: 'valid', json: { type: 'job.succeeded', data: { id: sent.id } } }]);
  expect(stack.emulator.ledger.tasksOf({})).toHaveLength(1);
  expect(stack.emulator.ledger.doublyPaid()).toEqual([]);
});
