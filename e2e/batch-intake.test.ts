import { gzipSync } from 'node:zlib';
import { answerTo, line, lines, ndjson, type Refusal, sendLines, upload, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';

async function start(o: Parameters<typeof startStack>[0] = {}) {
  const stack = await startStack({ workers: 0, ...o });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const kept = async () => [
    ...(await redis.keys('*:job:*')),
    ...(await redis.keys('*:batch:*')),
    ...(await redis.keys('*:operation:*')),
  ];
  /** Waits until nothing of any batch is left; a worker has to run. */
  const nothingLeft = async () =>
    await waitFor(async () => (await kept()).length === 0 || undefined, {
      timeoutMs: 30_000,
      everyMs: 100,
      what: 'nothing to be left',
    });
  return { ...stack, client: redis, kept, nothingLeft };
}

const written = async (redis: Redis, count: number): Promise<void> => {
  await waitFor(async () => (await redis.keys('*:job:*:doc')).length >= count || undefined, {
    timeoutMs: 20_000,
    what: `${count} records`,
  });
};

test.each(['plain', 'gzip', 'chunked'])(
  'when the sender of a %s body breaks off then nothing of it stays, and its key is free',
  async (how) => {
    const stack = await start();
    const body = how === 'gzip' ? gzipSync(lines(5000), { level: 1 }) : Buffer.from(lines(5000));
    const sent = upload(stack, {
      'idempotency-key': 'once',
      ...(how === 'chunked' ? {} : { 'content-length': body.length }),
      ...(how === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
    });
    sent.write(body.subarray(0, -100));
    await written(stack.client, 500);
    sent.destroy();
    await waitFor(async () => (await stack.client.keys('*:idem:*')).length === 0 || undefined, { what: 'the key to be free' });
    await stack.startWorker();
    await stack.nothingLeft();
    expect(stack.emulator.ledger.submits).toEqual([]);
    expect((await sendLines(stack, lines(2), { headers: { 'idempotency-key': 'once' } })).status).toBe(202);
  },
);

test('when Redis goes away in the middle then it is 503 with Retry-After, and nothing is left when it is back', async () => {
  const stack = await start();
  const sent = upload(stack, { 'idempotency-key': 'once' });
  sent.write(lines(600));
  await written(stack.client, 500);
  await stack.proxy.refuse(true);
  sent.end(lines(600, 600));
  const { status, headers, body } = await answerTo(sent);
  expect([status, headers['retry-after'], (body as Refusal).code]).toEqual([503, '2', 'unavailable']);
  await stack.proxy.refuse(false);
  expect(await stack.tenant.get('/v1/batches').catch(() => ({ data: [] }))).toMatchObject({ data: [] });
  // Redis was away for the discard too: what was written goes when its time is over.
  const due = await stack.client.zrange('{gj}:operations', '0', '-1', 'WITHSCORES');
  expect(due[0]).toMatch(/^batch-discard:/);
  const left = Number(due[1]) - Date.now();
  expect(left).toBeLessThanOrEqual(10 * 60_000);
  await stack.client.zadd('{gj}:operations', String(Date.now()), String(due[0]));
  await stack.startWorker();
  await stack.nothingLeft();
});

test('when Redis fills up in the middle then it is 503, later batches are shed, and what was written goes as soon as there is room', async () => {
  const stack = await start({ workers: 1 });
  const sent = upload(stack, { 'idempotency-key': 'once' });
  sent.write(lines(600));
  await written(stack.client, 500);
  await stack.client.config('SET', 'maxmemory', '1mb');
  sent.end(lines(600, 600));
  const { status, headers, body } = await answerTo(sent);
  expect([status, headers['retry-after'], (body as Refusal).code]).toEqual([503, '2', 'unavailable']);
  expect(await stack.client.keys('*:idem:*')).toEqual([]);
  await waitFor(
    async () => ((await (await sendLines(stack, lines(1))).json()) as Refusal).detail.includes('nearly full') || undefined,
    { what: 'batches to be shed' },
  );
  await stack.client.config('SET', 'maxmemory', '0');
  await stack.nothingLeft();
});

test('when a batch has large images then they go to S3, and leave it when the batch is refused or broken off', async () => {
  const stack = await start();
  const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40_000, 7)]);
  const images = [`data:image/png;base64,${bytes.toString('base64')}`];
  const item = (id: number) => line(id, { type: 'image', input: { model: 'nano-banana-2', prompt: 'p', images } });
  const many = ndjson(...Array.from({ length: 40 }, (_, i) => item(i)));
  const refused = await sendLines(stack, `${many}{}`);
  expect(refused.status).toBe(422);
  const sent = upload(stack);
  sent.write(many);
  await waitFor(async () => (await stack.s3.keys()).length > 20 || undefined, { what: 'images in S3' });
  sent.destroy();
  await stack.startWorker();
  await stack.nothingLeft();
  await waitFor(async () => (await stack.s3.keys()).length === 0 || undefined, { what: 'no image to be left' });
  const response = await sendLines(stack, many);
  expect(response.status).toBe(202);
  expect((await stack.s3.keys()).length).toBe(40);

  stack.s3.outage('refuse');
  const away = await sendLines(stack, many);
  expect([away.status, ((await away.json()) as Refusal).code]).toEqual([503, 'unavailable']);
});

test('when 12 000 lines of 8 KiB are sent then the API does not hold them, and serves others meanwhile', async () => {
  // The lines alone are 100 MiB: an API that keeps them ends for lack of memory. It takes in the same with 64 MiB.
  const stack = await start({ env: { NODE_OPTIONS: '--max-old-space-size=96' } });
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, 'x'.repeat(500)]));
  const body = gzipSync(ndjson(...Array.from({ length: 12_000 }, (_, i) => line(i, { metadata }))), { level: 1 });
  let over = false;
  const sending = sendLines(stack, body, { headers: { 'content-encoding': 'gzip' } }).finally(() => {
    over = true;
  });
  const served = async () => {
    expect((await stack.tenant.send('GET', '/v1/batches?limit=1')).status).toBe(200);
    return over;
  };
  await waitFor(served, { timeoutMs: 120_000, everyMs: 100, what: 'the batch to be taken' });
  expect((await sending).status).toBe(202);
});
