import { expect, test } from 'vitest';
import { GrsaiJobs, type JobRequest, TimeoutError } from '../src/index.ts';
import { createTransport } from '../src/transport.ts';
import { cut, job, json, lost, problem, serve, silent, text } from './service.ts';

const chat: JobRequest = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] } };

test('when the answer to a new job is lost then it is sent again as it was, with the same Idempotency-Key', async () => {
  const service = await serve(lost, cut('{"id": "job_'), json(job('queued'), 202));
  expect(await service.client().jobs.create(chat)).toMatchObject({ id: 'job_1', status: 'queued' });
  expect(service.lines()).toEqual(Array.from({ length: 3 }, () => 'POST /v1/jobs'));
  expect(new Set(service.came.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(service.came[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  expect(service.came.map(({ body }) => JSON.parse(body))).toEqual([chat, chat, chat]);
  expect(service.came[0]?.headers['authorization']).toBe('Bearer gj_test');
});

test('when two jobs are sent then each has a key of its own, or the one that the caller gives', async () => {
  const service = await serve(json(job('queued'), 202));
  const { jobs } = service.client();
  await jobs.create(chat);
  await jobs.create(chat);
  await jobs.create(chat, { idempotencyKey: 'order-A-17', waitS: 30 });
  const keys = service.came.map(({ headers }) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(3);
  expect([keys[2], service.came[2]?.headers['prefer']]).toEqual(['order-A-17', 'wait=30']);
  await expect(jobs.create(chat, { idempotencyKey: 'two words' })).rejects.toMatchObject({ code: 'bad_idempotency_key' });
});

test('when a request that may not be repeated gets no answer then it is sent once, and the error says so', async () => {
  const service = await serve(lost);
  const { webhooks } = service.client();
  const error = { name: 'ConnectionError', code: 'connection', retryable: true };
  await expect(webhooks.rotateSecret()).rejects.toMatchObject(error);
  await expect(webhooks.resend('evt_1')).rejects.toMatchObject(error);
  expect(service.lines()).toEqual(['POST /v1/webhook-secret/rotate', 'POST /v1/webhook-deliveries/evt_1/resend']);
});

test('when a job is retried then the run that it is in is meant, whatever becomes of the answers', async () => {
  const service = await serve(json(job('failed', { run: 2 })), lost, cut('{"id": "job_'), json(job('queued', { run: 3 }), 202));
  expect(await service.client().jobs.retry('job_1', { mode: 'resubmit' })).toMatchObject({ run: 3 });
  const retry = ['POST /v1/jobs/job_1/retry', '{"mode":"resubmit","run":2}'];
  expect(service.came.map(({ method, url, body }) => [`${method} ${url}`, body])).toEqual([
    ['GET /v1/jobs/job_1', ''],
    ...[retry, retry, retry],
  ]);
});

test('when a request that may not be repeated is refused for its rate then it is sent again: nothing was done', async () => {
  const service = await serve(problem(429, 'rate_limited', { 'retry-after': '0' }), json({ id: 'whk_1' }));
  expect(await service.client().webhooks.rotateSecret()).toMatchObject({ id: 'whk_1' });
  expect(service.came).toHaveLength(2);
});

test('when the service says 429 with Retry-After then the request waits so long and is sent again', async () => {
  const service = await serve(problem(429, 'rate_limited', { 'retry-after': '1' }), json(job('running')));
  const begun = performance.now();
  expect(await service.client().jobs.get('job_1')).toMatchObject({ status: 'running' });
  expect(performance.now() - begun).toBeGreaterThan(990);
});

test('when retries are used up then the last refusal is thrown with what it knows', async () => {
  const service = await serve(problem(503, 'unavailable'));
  const getting = service.client({ maxRetries: 1 }).jobs.get('job_1');
  await expect(getting).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    code: 'unavailable',
    status: 503,
    requestId: 'req_1',
  });
  expect(service.came).toHaveLength(2);
});

test('when a refusal is the fault of the request then it is thrown at once', async () => {
  const service = await serve(problem(404, 'not_found'));
  await expect(service.client().jobs.get('job/1?')).rejects.toMatchObject({
    name: 'NotFoundError',
    message: 'not_found! (404 not_found, request req_1)',
  });
  expect(service.lines()).toEqual(['GET /v1/jobs/job%2F1%3F']);
});

test('when one try gets no answer in time then the next one may', async () => {
  const service = await serve(silent, json(job('running')));
  expect(await service.client({ timeoutMs: 100 }).jobs.get('job_1')).toMatchObject({ status: 'running' });
});

test('when a call has used up its own time then it rejects with a TimeoutError, whatever retries are left', async () => {
  const service = await serve(silent);
  const late = service.client({ timeoutMs: 50 }).jobs.get('job_1', { timeoutMs: 200 });
  await expect(late).rejects.toBeInstanceOf(TimeoutError);
  await expect(late).rejects.toThrow('The call was not over in 0.2 s');
});

test('when the caller aborts then the call rejects with the reason, and the request is left', async () => {
  const abort = new AbortController();
  const left = Promise.withResolvers<void>();
  const service = await serve((response) => {
    response.once('close', () => left.resolve());
    abort.abort(new Error('not needed any more'));
  });
  await expect(service.client().jobs.get('job_1', { signal: abort.signal })).rejects.toThrow('not needed any more');
  await left.promise;
  await expect(service.client().jobs.get('job_1', { signal: abort.signal })).rejects.toThrow('not needed any more');
  expect(service.came).toHaveLength(1);
});

test('when a list has pages then they are read while one iterates, with the filter on each', async () => {
  const page = (ids: string[], next: string | null) =>
    json({ object: 'list', data: ids.map((id) => ({ id })), next_cursor: next });
  const service = await serve(page(['a', 'b'], 'c1'), page([], 'c2'), page(['c'], null));
  const filter = { status: ['succeeded', 'failed'], metadata: { order: 'A-17' }, created_after: undefined } as const;
  const ids = (await Array.fromAsync(service.client().jobs.list(filter))).map(({ id }) => id);
  expect(ids).toEqual(['a', 'b', 'c']);
  const query = 'limit=100&status=succeeded%2Cfailed&metadata.order=A-17';
  expect(service.lines()).toEqual([
    `GET /v1/jobs?${query}`,
    `GET /v1/jobs?${query}&cursor=c1`,
    `GET /v1/jobs?${query}&cursor=c2`,
  ]);
});

test('when a list is left early then no further page is read', async () => {
  const service = await serve(json({ object: 'list', data: [{ id: 'a' }, { id: 'b' }], next_cursor: 'c1' }));
  for await (const { id } of service.client().jobs.list()) if (id === 'b') break;
  expect(service.came).toHaveLength(1);
});

test('when what answers is not the service then the error asks whether the address is right', async () => {
  const service = await serve(text('<h1>Welcome</h1>', { 'content-type': 'text/html' }));
  await expect(service.client().jobs.get('job_1')).rejects.toThrow(`Is ${service.url} the address of the API?`);
  const moved = await serve((response) => void response.writeHead(302, { location: service.url }).end());
  await expect(moved.client().jobs.get('job_1')).rejects.toMatchObject({ code: 'redirected', status: 302 });
  expect(service.came).toHaveLength(1);
});

test('when nothing listens then the error names the address and the reason', async () => {
  const client = new GrsaiJobs({ baseUrl: 'http://127.0.0.1:1/', apiKey: 'gj_test', maxRetries: 0 });
  await expect(client.jobs.get('job_1')).rejects.toThrow(
    /http:\/\/127\.0\.0\.1:1\/v1\/jobs\/job_1 could not be reached.*ECONNREFUSED|bad port/,
  );
});

test.each([
  ['no address', { apiKey: 'gj_test' }, 'no_base_url', 'GRSAI_JOBS_API'],
  ['an address that is none', { baseUrl: 'localhost:8080', apiKey: 'gj_test' }, 'bad_base_url', 'localhost:8080'],
  ['no key', { baseUrl: 'http://127.0.0.1' }, 'no_api_key', 'GRSAI_JOBS_KEY'],
  ['a key with a line break', { baseUrl: 'http://127.0.0.1', apiKey: 'gj_test\n' }, 'bad_api_key', 'gj_'],
])('when a client has %s then its error says what to give', (_, options, code, told) => {
  expect(() => new GrsaiJobs(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(told) }));
});

test('when the body of a request is made slowly then that is not the time of its try', async () => {
  const service = await serve(json(job('running')));
  const host = { fetch, sleep: () => Promise.resolve(), random: Math.random, now: () => performance.now() };
  const transport = createTransport({ baseUrl: service.url, apiKey: 'gj_test', timeoutMs: 1_000, maxRetries: 0 }, host);
  const open = async () => await new Promise<string>((resolve) => setTimeout(resolve, 1_500, 'made'));
  const { signal } = new AbortController();
  await transport.request('PUT', '/', { signal, body: { open, failure: undefined } });
  expect(service.came[0]?.body).toBe('made');
});

test('when a route has no call of its own then it is asked by its path, sent again only where that is safe, and listed page by page', async () => {
  const retries: [string, number][] = [];
  const service = await serve(
    problem(503, 'unavailable'),
    json({ a: 1 }),
    problem(503, 'unavailable', { 'retry-after': '7' }),
    json({ data: [1, 2], next_cursor: 'c1' }),
    json({ data: [3] }),
  );
  const client = new GrsaiJobs(
    { baseUrl: service.url, apiKey: 'gj_test', onRetry: ({ code }, waitMs) => retries.push([code, waitMs]) },
    { sleep: async () => undefined, random: () => 1 },
  );
  expect(await client.request('GET', '/admin/v1/overview', { query: { a: ['b', 'c'], d: undefined } })).toEqual({ a: 1 });
  await expect(client.request('POST', '/admin/v1/suspects', { json: { action: 'run' } })).rejects.toMatchObject({ status: 503 });
  expect(await Array.fromAsync(client.list<number>('/admin/v1/jobs', { limit: 2 }))).toEqual([1, 2, 3]);
  expect(service.lines()).toEqual([
    'GET /admin/v1/overview?a=b%2Cc',
    'GET /admin/v1/overview?a=b%2Cc',
    'POST /admin/v1/suspects',
    'GET /admin/v1/jobs?limit=2',
    'GET /admin/v1/jobs?limit=2&cursor=c1',
  ]);
  expect(retries).toEqual([['unavailable', 500]]);
});
