import { gzipSync } from 'node:zlib';
import { type Batch, line, ndjson, rowsOf, sendLines, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type Job, type Stack, shareStack, startStack } from './stack.ts';

interface Row {
  line: number;
  custom_id: string;
  job_id: string;
  status: string;
  run: number;
  error: { code: string } | null;
}

const freshStack = shareStack();

const accepted = async (response: Response): Promise<Batch> => {
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Batch;
};

const ended = async (stack: Stack, id: string): Promise<Batch> =>
  await waitFor(
    async () => {
      const batch = await stack.tenant.get<Batch>(`/v1/batches/${id}`);
      return ['completed', 'canceled', 'expired'].includes(batch.status) ? batch : undefined;
    },
    { timeoutMs: 60_000, everyMs: 100, what: `batch ${id} to end` },
  );

const results = async (stack: Stack, id: string, query = ''): Promise<Row[]> => {
  const response = await stack.tenant.send('GET', `/v1/batches/${id}/results${query}`);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  return await rowsOf<Row>(response);
};

/** Fails for good: upstream does not know the model. */
const failing = (id: string) => line(id, { input: { model: 'no-such-model', messages: [{ role: 'user', content: 'x' }] } });

test('when lines are sent then each becomes a job, the batch says how it goes, and results come by line with filters', async () => {
  const stack = await freshStack();
  const body = ndjson(line('a'), line('b'), '', failing('c'), line('d'));
  const response = await sendLines(stack, gzipSync(body), {
    query: `?priority=low&expires_in_s=600&metadata.order=A-17&webhook_url=${stack.receiver.url}`,
    headers: { 'content-encoding': 'gzip' },
  });
  expect(response.headers.get('retry-after')).toBe('2');
  const batch = await accepted(response);
  expect(response.headers.get('location')).toBe(`/v1/batches/${batch.id}`);
  expect(batch).toMatchObject({
    status: 'running',
    counts: { total: 4, queued: 4 },
    round: 1,
    metadata: { order: 'A-17' },
    webhook: { url: stack.receiver.url, events: ['batch.completed', 'batch.canceled', 'batch.expired'] },
    invalid: { count: 0, errors: [] },
  });
  const done = await ended(stack, batch.id);
  expect(done).toMatchObject({ status: 'completed', counts: { total: 4, queued: 0, running: 0, succeeded: 3, failed: 1 } });

  const rows = await results(stack, batch.id);
  expect(rows.map((row) => [row.line, row.custom_id, row.status, row.error?.code])).toEqual([
    [1, 'a', 'succeeded', undefined],
    [2, 'b', 'succeeded', undefined],
    [4, 'c', 'failed', 'model_unavailable'],
    [5, 'd', 'succeeded', undefined],
  ]);
  expect((await results(stack, batch.id, '?status=failed,expired')).map((row) => row.line)).toEqual([4]);
  expect((await results(stack, batch.id, '?after_line=3&status=succeeded')).map((row) => row.line)).toEqual([5]);
  expect(await results(stack, batch.id, '?after_line=5')).toEqual([]);

  const job = await stack.tenant.job(rows[0]?.job_id ?? '');
  expect(job).toMatchObject({ batch_id: batch.id, custom_id: 'a', priority: 'low', webhook: { url: null } });
  const listed = await stack.tenant.get<{ data: Job[] }>(`/v1/jobs?batch_id=${batch.id}`);
  expect(listed.data).toHaveLength(4);
});

test('when items are sent as JSON then they stand over the defaults, and jobs report their ends when the batch names these types', async () => {
  const stack = await freshStack();
  const items = ['a', 'b'].map((custom_id) => ({ custom_id, input: { messages: [{ role: 'user', content: custom_id }] } }));
  const batch = await accepted(
    await stack.tenant.send('POST', '/v1/batches', {
      defaults: { type: 'chat', input: { model: 'gemini-3.1-pro' }, metadata: { of: 'all' }, priority: 'high' },
      webhook: { url: stack.receiver.url, events: ['job.succeeded'] },
      metadata: { order: 'B' },
      items: [...items, { custom_id: 'c', ...items[0], metadata: { own: 'c' }, priority: 'low' }].map((each, i) => ({
        ...each,
        custom_id: `n${i}`,
      })),
    }),
  );
  expect((await ended(stack, batch.id)).counts).toMatchObject({ total: 3, succeeded: 3 });
  const rows = await results(stack, batch.id);
  expect(rows.map(({ line: n, custom_id }) => [n, custom_id])).toEqual([
    [1, 'n0'],
    [2, 'n1'],
    [3, 'n2'],
  ]);
  expect(await stack.tenant.job(rows[2]?.job_id ?? '')).toMatchObject({
    metadata: { of: 'all', own: 'c' },
    priority: 'low',
    webhook: { url: stack.receiver.url, events: ['job.succeeded'] },
  });
  await stack.receiver.waitFor(3);
  expect(stack.receiver.received.map(({ json }) => (json as { type: string }).type)).toEqual(Array(3).fill('job.succeeded'));
});

test('when a batch is canceled then it is canceling until its jobs are canceled, and a cancel that is sent again says so', async () => {
  const stack = await startStack({ workers: 0 });
  const batch = await accepted(await sendLines(stack, ndjson(line('a'), line('b'), line('c'))));
  const cancel = async () => await stack.tenant.send('POST', `/v1/batches/${batch.id}/cancel`);
  const first = await cancel();
  expect([first.status, first.headers.get('retry-after')]).toEqual([202, '2']);
  expect(await first.json()).toMatchObject({ id: batch.id, status: 'canceling' });
  expect((await cancel()).status).toBe(202);
  await stack.startWorker();
  expect(await ended(stack, batch.id)).toMatchObject({ status: 'canceled', counts: { total: 3, canceled: 3 } });
  const again = await cancel();
  expect([again.status, await again.json()]).toMatchObject([202, { status: 'canceled' }]);
  expect((await results(stack, batch.id, '?status=canceled')).length).toBe(3);
});

test('when the failed jobs of a batch are run again then it is running in its next round', async () => {
  const stack = await freshStack();
  const batch = await accepted(await sendLines(stack, ndjson(line('a'), failing('b'), failing('c'))));
  await ended(stack, batch.id);
  const retry = async (body?: object) => await stack.tenant.send('POST', `/v1/batches/${batch.id}/retry-failed`, body);
  const response = await retry({ include_unknown: false });
  expect(response.status).toBe(202);
  expect(await response.json()).toMatchObject({ id: batch.id, retrying: 2, left_out: 0 });
  await waitFor(async () => (await stack.tenant.get<Batch>(`/v1/batches/${batch.id}`)).round === 2 || undefined, {
    timeoutMs: 20_000,
    everyMs: 50,
    what: 'round 2',
  });
  expect(await ended(stack, batch.id)).toMatchObject({ status: 'completed', round: 2, counts: { succeeded: 1, failed: 2 } });
  expect((await results(stack, batch.id)).map((row) => row.run)).toEqual([1, 2, 2]);
  const good = await accepted(await sendLines(stack, ndjson(line('a'))));
  await ended(stack, good.id);
  const nothing = await stack.tenant.send('POST', `/v1/batches/${good.id}/retry-failed`);
  expect([nothing.status, await nothing.json()]).toMatchObject([409, { code: 'conflict' }]);
});

test('when the reader of large results is slow then it gets all of them, and others are served meanwhile', async () => {
  const stack = await startStack({ emulator: { chatMs: 0 } });
  const count = 3000;
  const batch = await accepted(await sendLines(stack, ndjson(...Array.from({ length: count }, (_, i) => line(i)))));
  await ended(stack, batch.id);
  const response = await stack.tenant.send('GET', `/v1/batches/${batch.id}/results`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const first = await reader.read();
  // Others are served while this one waits for its reader.
  expect((await stack.tenant.get<Batch>(`/v1/batches/${batch.id}`)).counts.succeeded).toBe(count);
  let lines = 0;
  for (let part = first; !part.done; part = await reader.read())
    lines += part.value.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
  expect(lines).toBe(count);
});

test('when a job of an ended batch is deleted then what it answered is gone from the results file too', async () => {
  const stack = await freshStack();
  const { id } = await accepted(await sendLines(stack, ndjson(line('a'), line('b'))));
  await ended(stack, id);
  const [first] = await results(stack, id);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${first?.job_id}`)).status).toBe(204);

  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  // In half a minute, with whatever else is deleted by then; the test does not wait for it.
  expect(await redis.zadd('{gj}:operations', 'XX', 'CH', Date.now(), `batch-redact:${id}`)).toBe(1);
  await waitFor(
    async () => {
      const { results_file } = await stack.tenant.get<Batch & { results_file: { url: string } }>(`/v1/batches/${id}`);
      const file = await fetch(results_file.url);
      const rows = file.ok ? await rowsOf<Row>(file) : [];
      return rows.length === 1 && rows[0]?.custom_id === 'b' ? true : undefined;
    },
    { timeoutMs: 20_000, what: 'the row to go' },
  );
});
