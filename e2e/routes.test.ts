import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { image, type Job, type Stack, startStack } from './stack.ts';

/** Each route, over the wire. Cancel, retry and events have files of their own beside this one. */

const create = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

interface Page {
  object: string;
  data: Job[];
  next_cursor: string | null;
}

test('when an image job has ended then its images have a lasting address, and a delete erases record, lists and objects', async () => {
  const stack = await startStack({ emulator: { taskMs: 200 } });
  const id = await create(stack, image(stack.receiver));
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(409);
  expect((await stack.tenant.send('GET', `/v1/jobs/${id}/images/0`)).status).toBe(404);
  const job = await stack.tenant.finished(id);
  await stack.receiver.waitFor(1);

  const sent = await fetch(`${stack.url}/v1/jobs/${id}/images/0`, {
    headers: { authorization: `Bearer ${stack.tenant.key}` },
    redirect: 'manual',
  });
  expect([sent.status, sent.headers.get('cache-control')]).toEqual([302, 'no-store']);
  const bytes = new Uint8Array(await (await fetch(sent.headers.get('location') ?? '')).arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.result.images?.[0]?.sha256);
  for (const n of ['1', '-1', '00', 'x']) expect((await stack.tenant.send('GET', `/v1/jobs/${id}/images/${n}`)).status).toBe(404);

  // What a run stored before it failed is in no result.
  const stray = job.result.images?.[0]?.key.replace(/[^/]+$/, '7-0.png');
  await fetch(`${stack.s3.endpoint}/${stack.s3.bucket}/${stray}`, { method: 'PUT', body: 'part' });
  expect(await stack.s3.keys()).toHaveLength(2);
  stack.s3.outage('error');
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(503);
  expect(await stack.tenant.job(id)).toMatchObject({ status: 'succeeded' });
  stack.s3.outage(false);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(204);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(204);
  expect((await stack.tenant.send('GET', `/v1/jobs/${id}`)).status).toBe(404);
  expect(await stack.s3.keys()).toEqual([]);
  expect((await stack.tenant.get<Page>('/v1/jobs')).data).toEqual([]);
});

test('when a job is deleted while it has a pending delivery then its inputs are gone, and the webhook goes out and says so', async () => {
  const stack = await startStack({ workers: 0 });
  const picture = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64 * 1024)]);
  const images = [`data:image/png;base64,${picture.toString('base64')}`];
  const { input, ...rest } = image(stack.receiver, 'a secret');
  const id = await create(stack, { ...rest, input: { ...input, images } });
  expect(await stack.s3.keys()).toHaveLength(1);
  await stack.tenant.post(`/v1/jobs/${id}/cancel`, {});
  // From the first byte of a delete on nobody can run the job again without its inputs.
  stack.s3.outage('error');
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(503);
  const retried = await stack.tenant.send('POST', `/v1/jobs/${id}/retry`, {});
  expect([retried.status, await retried.json()]).toMatchObject([
    409,
    { detail: expect.stringContaining('Send the DELETE again') },
  ]);
  stack.s3.outage(false);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${id}`)).status).toBe(204);
  expect(await stack.s3.keys()).toEqual([]);
  await stack.startWorker();
  await stack.receiver.waitFor(1);
  expect(stack.receiver.received).toMatchObject([
    { signature: 'valid', json: { type: 'job.canceled', data: { id, status: 'canceled', deleted: true } } },
  ]);
  expect(stack.receiver.received[0]?.body).not.toContain('a secret');
  expect(stack.emulator.ledger.submits).toEqual([]);
});
