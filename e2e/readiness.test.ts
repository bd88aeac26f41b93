import { createServer } from 'node:http';
import { freePort, listen, ODD_REQUESTS, sendBytes, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, type Stack, startStack } from './stack.ts';

interface Ready {
  status: string;
  failing?: string[];
  warnings?: string[];
}

const ready = async (url: string): Promise<[number, Ready]> => {
  const answer = await fetch(`${url}/readyz?verbose`);
  return [answer.status, (await answer.json()) as Ready];
};

const checkLines = (process: Stack['worker'], check: string) =>
  process.lines.filter((line) => line['check'] === check).map(({ msg }) => String(msg));

const submits = (stack: Stack, kind: string) => stack.emulator.ledger.submits.filter((each) => each.kind === kind);

test('when S3 never answered a worker then it runs chats and begins no image, a stop of it is clean, and when S3 keeps an object all images run with no attempt used up', async () => {
  const stack = await startStack({ workers: 0, env: { S3_BUCKET: 'not-there-yet' } });
  stack.s3.outage('denied');
  const healthPort = await freePort();
  const worker = await stack.startWorker({ HEALTH_PORT: String(healthPort) });
  const health = `http://127.0.0.1:${healthPort}`;
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const images = [
    await send(image(stack.receiver, 'a submit', { max_attempts: 1 })),
    await send(image(stack.receiver, 'a synchronous call', { max_attempts: 1, via: 'generations' })),
  ];
  const chats = [await send(chat(stack.receiver, 'one', { max_attempts: 1 })), await send(chat(stack.receiver, 'two'))];
  // Loopback is open here, and the API does not know of this port.
  const poison = await send(chat({ url: `${health}//` }, 'three'));
  await worker.waitForLine((line) => line['job_id'] === poison && /this service itself/.test(String(line['reason'])));
  for (const id of chats) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });

  await worker.waitForLine((line) => line['check'] === 'object_store' && /refuses these credentials/.test(String(line.msg)));
  // Nobody is asked for a key here, so it tells names, and the log tells why.
  expect(await ready(health)).toEqual([503, { status: 'failing', failing: ['object_store'] }]);
  expect(checkLines(worker, 'object_store')[0]).toContain('AWS_ACCESS_KEY_ID');
  for (const [what, bytes] of ODD_REQUESTS) {
    await sendBytes(healthPort, bytes);
    const { status = 0, text } = await sendBytes(Number(new URL(stack.emulator.url).port), bytes);
    expect([what, status >= 500 ? text : 'no failure']).toEqual([what, 'no failure']);
  }
  expect((await fetch(`${health}/livez`)).status).toBe(200);
  // A stop is clean at any time, also while a worker starts.
  for (const event of ['redis.facts', 'worker.ready']) {
    const other = await stack.startWorker({}, event);
    other.kill('SIGTERM');
    expect(await other.exited).toEqual({ code: 0, signal: null });
  }

  stack.s3.outage(false);
  await worker.waitForLine((line) => line['check'] === 'object_store' && /no such bucket/.test(String(line.msg)), {
    timeoutMs: 20_000,
  });
  // A worker that begins images all the same has had a second and more for it.
  expect(submits(stack, 'chat').length).toBe(3);
  expect([submits(stack, 'image'), submits(stack, 'generations')]).toEqual([[], []]);
  for (const id of images) expect(await stack.tenant.job(id)).toMatchObject({ status: 'queued', error: null, attempts: [] });

  expect((await fetch(`${stack.s3.endpoint}/not-there-yet`, { method: 'PUT' })).ok).toBe(true);
  for (const id of images) {
    const job = await stack.tenant.finished(id);
    expect(job).toMatchObject({ status: 'succeeded', run: 1 });
    expect(job.attempts.filter(({ outcome }) => outcome === 'retry' || outcome === 'failed')).toEqual([]);
  }
  expect([submits(stack, 'image').length, submits(stack, 'generations').length]).toEqual([1, 1]);
  await waitFor(async () => (await ready(health))[0] === 200, { timeoutMs: 20_000, what: 'the worker to be ready' });
  // Each change is said once, however often it was looked at.
  expect(checkLines(worker, 'object_store')).toEqual([
    expect.stringContaining('refuses these credentials'),
    expect.stringContaining('no such bucket'),
    'object_store is well',
  ]);
});

test('when Redis keeps no append-only file and the base URL is another server then both are reported at start, and only the latter makes a worker unready', async () => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(request.method ?? '');
    response.writeHead(404, { 'content-type': 'text/html' }).end('<html><body>404 Not Found</body></html>');
  });
  const base = await listen(elsewhere, onTestFinished);
  const stack = await startStack({ workers: 0, redis: { appendonly: 'no' }, env: { GRSAI_BASE_URLS: base } });
  const healthPort = await freePort();
  const worker = await stack.startWorker({ HEALTH_PORT: String(healthPort) });
  await worker.waitForLine((line) => line['check'] === 'upstream');
  await Promise.all(
    [worker, stack.api].map((each) =>
      each.waitForLine((line) => line['check'] === 'redis_persistence' && line['level'] === 'warn'),
    ),
  );
  expect(checkLines(worker, 'upstream')).toEqual([
    expect.stringContaining('GRSAI_BASE_URLS: the address is not that of a Grsai API'),
  ]);
  expect(checkLines(stack.api, 'redis_persistence')).toEqual([expect.stringContaining('appendonly yes')]);

  expect(await ready(`http://127.0.0.1:${healthPort}`)).toEqual([
    503,
    { status: 'failing', failing: ['upstream'], warnings: ['redis_persistence'] },
  ]);
  expect(await (await fetch(`${stack.url}/readyz`)).json()).toEqual({ status: 'ok', warnings: ['redis_persistence'] });
});

test('when the data becomes newer than the processes then each ends and says why, and none starts again', async () => {
  const stack = await startStack();
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  expect(await redis.get('{gj}:schema')).toMatch(/^\d+$/);
  await redis.set('{gj}:schema', '999');
  for (const each of [stack.api, stack.worker]) {
    expect(await each.exited).toEqual({ code: 1, signal: null });
    const said = each.lines.find((line) => line['event'] === 'process.must_stop');
    expect(said?.msg).toContain('has schema version 999');
  }
  await expect(stack.startWorker()).rejects.toThrow(
    /The worker did not start: .*schema version 999.*start the release that wrote it/,
  );
  await expect(stack.startApi()).rejects.toThrow(/The api did not start: .*schema version 999/);
});
