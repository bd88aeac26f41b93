import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { listen } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type BatchItem, GrsaiJobs } from '../src/index.ts';
import { cut, json, lost, NDJSON, problem, serve, serveBy, text } from './service.ts';

const item = (n: number): BatchItem => ({
  custom_id: `item-${n}`,
  type: 'image',
  // Packs badly, so that a batch is many chunks.
  input: {
    model: 'nano-banana-2',
    prompt: Array.from({ length: 500 }, (_, i) => ((n * 31 + i * i * 17) % 9973).toString(36)).join(''),
  },
});
const count = 400;
const lines = Array.from({ length: count }, (_, n) => `${JSON.stringify(item(n))}\n`).join('');
const counts = { total: count, queued: 0, running: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0 };
const batch = (status: string, more: object = {}) => ({ id: 'batch_1', object: 'batch', status, counts: { ...counts, ...more } });

/** Can be read once. */
async function* oneShot(): AsyncGenerator<BatchItem> {
  for (let n = 0; n < count; n += 1) yield item(n);
}

test('when items are sent then they arrive packed as lines, with the parameters in the query', async () => {
  const service = await serve(json(batch('running'), 202));
  const told: number[] = [];
  const taken = await service.client().batches.create(oneShot(), {
    idempotencyKey: 'boats-1',
    on_invalid: 'skip',
    webhook_events: ['batch.completed', 'job.failed'],
    expires_in_s: 7200,
    metadata: { order: 'A-17' },
    onProgress: ({ items }) => told.push(items),
  });
  expect(taken).toMatchObject({ id: 'batch_1' });
  const [came] = service.came;
  expect(came?.body === lines).toBe(true);
  expect(service.lines()).toEqual([
    'POST /v1/batches?on_invalid=skip&webhook_events=batch.completed%2Cjob.failed&expires_in_s=7200&metadata.order=A-17',
  ]);
  expect(came?.headers).toMatchObject({
    'content-type': 'application/x-ndjson',
    'content-encoding': 'gzip',
    'transfer-encoding': 'chunked',
    'idempotency-key': 'boats-1',
  });
  expect(told.at(-1)).toBe(count);
});

test('when the answer is lost, or the first upload still counts as open, then the same bytes are sent with the same key, and the items are read once', async () => {
  const service = await serve(lost, problem(409, 'idempotency_key_in_use', { 'retry-after': '0' }), json(batch('running'), 202));
  await service.client().batches.create(oneShot());
  expect(service.came.map(({ body }) => body === lines)).toEqual([true, true, true]);
  expect(new Set(service.came.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  // Now that all is known it has a length.
  expect(service.came.map(({ headers }) => headers['content-length'] === undefined)).toEqual([true, false, false]);
});

test('when the connection is cut in the middle of the upload then the second one is whole', async () => {
  const service = await serve(json(batch('running'), 202));
  let cuts = 0;
  // The first connection is broken after 64 KiB, all others lead to the service.
  const gate = createServer((socket) => {
    if (cuts > 0) return forward(socket, Number(new URL(service.url).port));
    let bytes = 0;
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes < 64 * 1024) return;
        cuts += 1;
        socket.destroy();
      });
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void gate.close());
  const baseUrl = `http://127.0.0.1:${(gate.address() as { port: number }).port}`;
  await new GrsaiJobs({ baseUrl, apiKey: 'gj_test' }).batches.create(oneShot());
  expect(cuts).toBe(1);
  expect(service.came.map(({ body }) => body === lines)).toEqual([true]);
});

test('when the source fails then the batch rejects with its error, is not sent again, and the source is let go', async () => {
  const service = await serve(json(batch('running'), 202));
  let closed = false;
  async function* failing(): AsyncGenerator<BatchItem> {
    try {
      yield* oneShot();
      throw new Error('the database is gone');
    } finally {
      closed = true;
    }
  }
  await expect(service.client().batches.create(failing())).rejects.toThrow('the database is gone');
  expect([service.came.length, closed]).toEqual([0, true]);
});

test('when the service refuses a batch then the error has its bad lines, and it is not sent again', async () => {
  const errors = [{ line: 2, custom_id: 'item-1', pointer: '/input/prompt', message: 'is missing' }];
  const service = await serve(json({ code: 'invalid_request', detail: 'One line is wrong.', invalid_count: 1, errors }, 422));
  const sending = service.client().batches.create(oneShot());
  await expect(sending).rejects.toMatchObject({ name: 'InvalidRequestError', errors, problem: { invalid_count: 1 } });
  await expect(sending).rejects.toThrow('line 2 /input/prompt: is missing');
  expect(service.came).toHaveLength(1);
});

test('when the caller aborts while an item is waited for then the batch rejects at once', async () => {
  const service = await serve(json(batch('running'), 202));
  async function* stuck(): AsyncGenerator<BatchItem> {
    await new Promise(() => undefined);
  }
  const { batches } = service.client();
  await expect(batches.create(stuck(), { timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  async function* stuckLater(): AsyncGenerator<BatchItem> {
    yield* oneShot();
    await new Promise(() => undefined);
  }
  await expect(batches.create(stuckLater(), { timeoutMs: 500 })).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(service.came).toHaveLength(0);
});

test('when a batch is refused before it has been read then the refusal is what the caller gets, and the source is let go', async () => {
  const closed = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<BatchItem> {
    try {
      for (let n = 0; ; n += 1) yield item(n);
    } finally {
      closed.resolve();
    }
  }
  const url = await listen(
    createHttpServer((request, response) => {
      // As the service does: it reads on for a while, so that its answer arrives.
      request.resume();
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: 'unauthorized', detail: 'No key.' }));
    }),
    onTestFinished,
  );
  const sending = new GrsaiJobs({ baseUrl: url, apiKey: 'gj_test' }).batches.create(endless());
  await expect(sending).rejects.toMatchObject({ name: 'AuthenticationError', code: 'unauthorized' });
  await closed.promise;
});

test('when a source without end has to be sent once more then it ends at what one batch may have, and a deadline is kept meanwhile', async () => {
  const url = await listen(
    createHttpServer((request) => void request.socket.destroy()),
    onTestFinished,
  );
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1024 * 1024).fill(10);
  }
  const { batches } = new GrsaiJobs({ baseUrl: url, apiKey: 'gj_test' });
  await expect(batches.create(endless(), { timeoutMs: 300 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await expect(batches.create(endless())).rejects.toThrow('A batch is limited to 200000000 bytes');
});

test('when a batch is waited for then its progress is told once each, over a service that is away', async () => {
  const running = batch('running', { running: count });
  const service = await serve(
    json(running),
    problem(503, 'unavailable'),
    lost,
    json(running),
    json(batch('completed', { succeeded: count })),
  );
  const told: string[] = [];
  const done = await service.client({ maxRetries: 0 }).batches.wait('batch_1', { onProgress: ({ status }) => told.push(status) });
  expect(done).toMatchObject({ status: 'completed' });
  expect(told).toEqual(['running', 'completed']);
});

test('when the caller wants no packing then lines are sent as they are', async () => {
  const service = await serve(json(batch('running'), 202));
  await service.client().batches.create(oneShot(), { gzip: false });
  expect(service.came.map(({ headers, body }) => [headers['content-encoding'], body === lines])).toEqual([[undefined, true]]);
});

test('when the service is away in the middle of the results then they wait for it, and when it was never there they are told soon', async () => {
  const service = await serve(
    cut(row(1), NDJSON),
    problem(503, 'unavailable'),
    problem(503, 'unavailable'),
    text(row(2), NDJSON),
  );
  const { batches } = service.client({ maxRetries: 0 });
  expect((await Array.fromAsync(batches.results('batch_1'))).map(({ line }) => line)).toEqual([1, 2]);
  const never = await serve(problem(503, 'unavailable'));
  const reading = Array.fromAsync(never.client({ maxRetries: 0 }).batches.results('batch_1'));
  await expect(reading).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
});

const row = (line: number, more: object = {}) =>
  `${JSON.stringify({ line, custom_id: `item-${line}`, status: 'succeeded', ...more })}\n`;

test('when results are cut, in the middle of a row or between two, then they go on after the last row, each once', async () => {
  const service = await serve(
    cut(row(1) + row(2) + row(3).slice(0, 9), NDJSON),
    cut(row(3), NDJSON),
    problem(503, 'unavailable'),
    text(row(3) + row(4), NDJSON),
  );
  const rows = await Array.fromAsync(service.client().batches.results('batch_1', { status: ['succeeded', 'failed'] }));
  expect(rows.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
  const query = '/v1/batches/batch_1/results?status=succeeded%2Cfailed';
  expect(service.lines()).toEqual([
    `GET ${query}`,
    `GET ${query}&after_line=2`,
    `GET ${query}&after_line=3`,
    `GET ${query}&after_line=3`,
  ]);
});

test('when results never get further then they are given up', async () => {
  const service = await serve(cut(row(1), NDJSON));
  const rows: unknown[] = [];
  const reading = async () => {
    for await (const each of service.client().batches.results('batch_1')) rows.push(each);
  };
  await expect(reading()).rejects.toMatchObject({ name: 'ConnectionError' });
  expect([rows.length, service.came.length]).toEqual([1, 6]);
});

test('when failed jobs are run again, or a batch is canceled, then the service is told once', async () => {
  const service = await serveBy(({ url }) =>
    json(url.endsWith('/cancel') ? batch('canceling') : { ...batch('running'), retrying: 3 }, 202),
  );
  const { batches } = service.client();
  expect(await batches.retryFailed('batch_1', { include_unknown: true })).toMatchObject({ retrying: 3 });
  expect(await batches.cancel('batch_1')).toMatchObject({ status: 'canceling' });
  expect(service.came.map(({ url, body }) => [url, body])).toEqual([
    ['/v1/batches/batch_1/retry-failed', '{"include_unknown":true}'],
    ['/v1/batches/batch_1/cancel', ''],
  ]);
});

test('when failed jobs of an ended batch are run again then a wait straight after it waits for the next round', async () => {
  const ended = (round: number) => ({ ...batch('completed'), round });
  const service = await serve(
    json({ ...ended(1), retrying: 3, left_out: 0, in_round: 2 }, 202),
    json(ended(1), 200, { 'retry-after': '2' }),
    json({ ...batch('running'), round: 2 }),
    json(ended(2)),
  );
  const { batches } = service.client();
  expect(await batches.retryFailed('batch_1')).toMatchObject({ retrying: 3, round: 2, status: 'running' });
  expect(await batches.wait('batch_1')).toMatchObject({ status: 'completed', round: 2 });
  const other = await serve(json({ ...ended(1), retrying: 3, left_out: 0, in_round: 2 }, 202));
  expect(await other.client().batches.retryFailed('batch_1', { begun: false })).toMatchObject({ round: 1 });
  expect(other.came).toHaveLength(1);
});

test('when a retry is canceled before it has begun then nobody waits for its round', async () => {
  const ended = { ...batch('completed'), round: 1 };
  const service = await serve(
    json({ ...ended, retrying: 3, left_out: 0, in_round: 2 }, 202),
    json(ended, 200, { 'retry-after': '2' }),
    json(ended),
  );
  const retrying = service.client().batches.retryFailed('batch_1');
  await expect(retrying).rejects.toMatchObject({ name: 'ConflictError', code: 'retry_called_off', retryable: false });
  expect(service.came).toHaveLength(3);
});

function forward(socket: Socket, port: number): void {
  const on = connect(port, '127.0.0.1');
  socket.pipe(on).pipe(socket);
  for (const end of [socket, on]) end.on('error', () => undefined);
}
