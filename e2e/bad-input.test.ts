import { expect, test } from 'vitest';
import { image, startStack } from './stack.ts';

interface Row {
  what: string;
  status: number;
  code: string;
  pointer?: string;
  method?: string;
  path?: string;
  body?: string | object;
  headers?: Record<string, string>;
}

const good = image({ url: 'https://caller.example/hooks' });
const withInput = (input: object) => ({ ...good, input: { ...good.input, ...input } });
const chatOf = (input: object) => ({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }], ...input },
});

const ROWS: readonly Row[] = [
  { what: 'cut JSON', status: 400, code: 'malformed_json', body: '{"type":"image"' },
  { what: 'no body', status: 400, code: 'malformed_json', body: '' },
  { what: 'a key twice', status: 400, code: 'malformed_json', body: '{"type":"chat","type":"image"}' },
  { what: '__proto__', status: 400, code: 'malformed_json', body: '{"__proto__":{}}' },
  { what: 'an array', status: 422, code: 'invalid_request', body: '[]' },
  { what: 'null', status: 422, code: 'invalid_request', body: 'null' },
  { what: 'no type', status: 422, code: 'invalid_request', pointer: '/type', body: { input: {} } },
  { what: 'an unknown type', status: 422, code: 'invalid_request', pointer: '/type', body: { ...good, type: 'video' } },
  { what: 'an unknown field', status: 422, code: 'invalid_request', pointer: '/retries', body: { ...good, retries: 3 } },
  {
    what: 'a typo in input',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/aspectRatio',
    body: withInput({ aspectRatio: '1:1' }),
  },
  {
    what: 'a number for a prompt',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/prompt',
    body: withInput({ prompt: 7 }),
  },
  { what: 'an empty prompt', status: 422, code: 'invalid_request', pointer: '/input/prompt', body: withInput({ prompt: '' }) },
  {
    what: 'a prompt of 32 001 characters',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/prompt',
    body: withInput({ prompt: 'x'.repeat(32_001) }),
  },
  {
    what: 'a model of 129 characters',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/model',
    body: withInput({ model: 'm'.repeat(129) }),
  },
  {
    what: 'an image that is none',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/images/0',
    body: withInput({ images: ['file:///etc/passwd'] }),
  },
  {
    what: '17 inline images',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/images',
    body: withInput({ images: Array(17).fill(`data:image/png;base64,${'A'.repeat(64)}`) }),
  },
  {
    what: '17 metadata pairs',
    status: 422,
    code: 'invalid_request',
    pointer: '/metadata',
    body: { ...good, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) },
  },
  {
    what: 'a metadata number',
    status: 422,
    code: 'invalid_request',
    pointer: '/metadata/a',
    body: { ...good, metadata: { a: 1 } },
  },
  {
    what: 'max_attempts 11',
    status: 422,
    code: 'invalid_request',
    pointer: '/max_attempts',
    body: { ...good, max_attempts: 11 },
  },
  {
    what: 'expires_in_s 59',
    status: 422,
    code: 'invalid_request',
    pointer: '/expires_in_s',
    body: { ...good, expires_in_s: 59 },
  },
  {
    what: 'url_ttl_s over a week',
    status: 422,
    code: 'invalid_request',
    pointer: '/output/url_ttl_s',
    body: { ...good, output: { url_ttl_s: 604_801 } },
  },
  {
    what: 'an unknown priority',
    status: 422,
    code: 'invalid_request',
    pointer: '/priority',
    body: { ...good, priority: 'urgent' },
  },
  {
    what: 'an unknown event',
    status: 422,
    code: 'invalid_request',
    pointer: '/webhook/events/0',
    body: { ...good, webhook: { url: 'https://a.example', events: ['job.done'] } },
  },
  {
    what: 'a webhook by ftp',
    status: 422,
    code: 'invalid_request',
    pointer: '/webhook/url',
    body: { ...good, webhook: { url: 'ftp://a.example' } },
  },
  {
    what: 'a webhook to the metadata address',
    status: 422,
    code: 'invalid_request',
    pointer: '/webhook/url',
    body: { ...good, webhook: { url: 'http://169.254.169.254/latest' } },
  },
  {
    what: 'a webhook to a private address in decimal',
    status: 422,
    code: 'invalid_request',
    pointer: '/webhook/url',
    body: { ...good, webhook: { url: 'http://167772161/' } },
  },
  { what: 'no messages', status: 422, code: 'invalid_request', pointer: '/input/messages', body: chatOf({ messages: [] }) },
  {
    what: 'an unknown role',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/messages/0/role',
    body: chatOf({ messages: [{ role: 'boss', content: 'hi' }] }),
  },
  {
    what: 'an unknown part',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/messages/0/content/0/type',
    body: chatOf({ messages: [{ role: 'user', content: [{ type: 'audio' }] }] }),
  },
  {
    what: 'temperature 3',
    status: 422,
    code: 'invalid_request',
    pointer: '/input/temperature',
    body: chatOf({ temperature: 3 }),
  },
  {
    what: 'a form',
    status: 415,
    code: 'unsupported_media_type',
    body: 'type=image',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  {
    what: 'an unknown encoding',
    status: 415,
    code: 'unsupported_media_type',
    body: good,
    headers: { 'content-encoding': 'zstd-foo' },
  },
  { what: 'more than BODY_LIMIT', status: 413, code: 'body_too_large', body: JSON.stringify({ x: 'y'.repeat(1024 * 1024) }) },
  { what: 'no key', status: 401, code: 'unauthorized', body: good, headers: { authorization: '' } },
  { what: 'a wrong key', status: 401, code: 'unauthorized', body: good, headers: { authorization: 'Bearer gj_nobody' } },
  { what: 'basic auth', status: 401, code: 'unauthorized', body: good, headers: { authorization: 'Basic YTpi' } },
  {
    what: 'an idempotency key of 256',
    status: 400,
    code: 'bad_request',
    body: good,
    headers: { 'idempotency-key': 'k'.repeat(256) },
  },
  {
    what: 'a key without the scope',
    status: 403,
    code: 'forbidden',
    path: '/admin/v1/keys',
    body: { tenant: 'a', name: 'n', scopes: ['jobs:read'] },
  },
  {
    what: 'a job that is not there',
    status: 404,
    code: 'not_found',
    method: 'GET',
    path: '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV',
  },
  { what: 'an id that is none', status: 404, code: 'not_found', method: 'GET', path: '/v1/jobs/..%2f..%2fetc' },
  { what: 'broken percent-encoding', status: 400, code: 'bad_request', method: 'GET', path: '/v1/jobs/%E0%A4%A' },
  { what: 'an unknown path', status: 404, code: 'not_found', method: 'GET', path: '/v2/jobs' },
  { what: 'PUT', status: 404, code: 'not_found', method: 'PUT', path: '/v1/jobs', body: good },
];

const NO_JOB = '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** Waits, queries and ids of the routes of a job. */
const ROUTE_ROWS: readonly Row[] = [
  ...['wait', 'wait=0', 'wait=61', 'wait=-1', 'wait=soon'].map((prefer) => ({
    what: `Prefer: ${prefer}`,
    status: 400,
    code: 'bad_request',
    body: good,
    headers: { prefer },
  })),
  ...[
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['status=done', '/status/0'],
    ['status=', '/status/0'],
    ['type=video', '/type'],
    ['error_code=oops', '/error_code/0'],
    ['created_after=yesterday', '/created_after'],
    ['created_before=2026-02-30T00:00:00Z', '/created_before'],
    ['metadata.=x', '/metadata.'],
    ['model=', '/model'],
    ['order=asc', '/order'],
    ['__proto__=x', '/__proto__'],
  ].map(([query = '', pointer = '']) => ({
    what: `a list with ${query}`,
    status: 422,
    code: 'invalid_request',
    pointer,
    method: 'GET',
    path: `/v1/jobs?${query}`,
  })),
  ...['x', '!!!', 'LTEuam9iX0E', '%00', 'MTc'].map((cursor) => ({
    what: `the cursor ${cursor}`,
    status: 400,
    code: 'bad_request',
    method: 'GET',
    path: `/v1/jobs?cursor=${cursor}`,
  })),
  ...['x', '-1', '1.5', '1'.repeat(16)].map((id) => ({
    what: `Last-Event-ID: ${id}`,
    status: 400,
    code: 'bad_request',
    method: 'GET',
    path: `${NO_JOB}/events`,
    headers: { 'last-event-id': id, accept: 'text/event-stream' },
  })),
  ...(
    [
      ['POST', '/cancel'],
      ['POST', '/retry'],
      ['GET', '/events'],
      ['GET', '/images/0'],
      ['DELETE', ''],
    ] as const
  ).map(([method, path]) => ({
    what: `${method} ${path} of no job`,
    status: 404,
    code: 'not_found',
    method,
    path: `${NO_JOB}${path}`,
  })),
  {
    what: 'a retry with a form',
    status: 415,
    code: 'unsupported_media_type',
    path: `${NO_JOB}/retry`,
    body: 'mode=resume',
    headers: { 'content-type': 'text/plain' },
  },
  { what: 'a retry with cut JSON', status: 400, code: 'malformed_json', path: `${NO_JOB}/retry`, body: '{"mode":' },
  {
    what: 'a retry in no known mode',
    status: 422,
    code: 'invalid_request',
    pointer: '/mode',
    path: `${NO_JOB}/retry`,
    body: { mode: 'again' },
  },
  {
    what: 'a retry with a typo',
    status: 422,
    code: 'invalid_request',
    pointer: '/Mode',
    path: `${NO_JOB}/retry`,
    body: { Mode: 'resume' },
  },
  {
    what: 'a retry of 17 KiB',
    status: 413,
    code: 'body_too_large',
    path: `${NO_JOB}/retry`,
    body: `{"mode":"${'x'.repeat(17_000)}"}`,
  },
];

test('when a request is bad then it gets its 4xx with code and request id, nothing is written and upstream is not touched', async () => {
  const stack = await startStack({ env: { BODY_LIMIT: '1mb' }, workers: 0 });
  const direct = stack.redis;
  for (const row of [...ROWS, ...ROUTE_ROWS]) {
    const response = await stack.tenant.send(row.method ?? 'POST', row.path ?? '/v1/jobs', row.body, row.headers);
    const problem = (await response.json()) as {
      code: string;
      request_id: string;
      status: number;
      errors?: { pointer: string }[];
    };
    expect(`${row.what}: ${response.status} ${problem.code}`).toBe(`${row.what}: ${row.status} ${row.code}`);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(problem.request_id).toBe(response.headers.get('x-request-id'));
    if (row.pointer !== undefined)
      expect(`${row.what}: ${problem.errors?.map((each) => each.pointer).join()}`).toContain(row.pointer);
  }
  const { Redis } = await import('ioredis');
  const redis = new Redis(direct.url);
  expect(await redis.keys('*:job:*')).toEqual([]);
  expect(await redis.keys('*:idem:*')).toEqual([]);
  redis.disconnect();
  expect(stack.emulator.requests).toEqual([]);
  expect(stack.api?.lines.filter((line) => line['event'] === 'http.request' && Number(line['status']) >= 500)).toEqual([]);
});

test("when another tenant's job is asked for then it is 404, and its owner sees it", async () => {
  const stack = await startStack({ workers: 0 });
  const { id } = await stack.tenant.post<{ id: string }>('/v1/jobs', image({ url: 'https://caller.example/hooks' }));
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'rival',
    name: 'r',
    scopes: ['jobs:read'],
  });
  expect((await stack.tenant.send('GET', `/v1/jobs/${id}`, undefined, { authorization: `Bearer ${key}` })).status).toBe(404);
  expect((await stack.tenant.send('GET', `/v1/jobs/${id}`)).status).toBe(200);
});

test('when Redis is away then a request is refused at once with 503 and Retry-After, and taken again when it is back', async () => {
  const stack = await startStack({ workers: 0 });
  await stack.proxy.refuse(true);
  const started = performance.now();
  const response = await stack.tenant.send('POST', '/v1/jobs', image({ url: 'https://caller.example/hooks' }));
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('2');
  expect(await response.json()).toMatchObject({ code: 'unavailable' });
  expect(performance.now() - started).toBeLessThan(5000);
  expect((await stack.tenant.send('GET', '/readyz')).status).toBe(503);
  expect((await stack.tenant.send('GET', '/livez')).status).toBe(200);
  await stack.proxy.refuse(false);
  await expect.poll(async () => (await stack.tenant.send('GET', '/readyz')).status, { timeout: 10_000 }).toBe(200);
  expect((await stack.tenant.send('POST', '/v1/jobs', image({ url: 'https://caller.example/hooks' }))).status).toBe(202);
});
