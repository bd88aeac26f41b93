import { brotliCompressSync, gzipSync } from 'node:zlib';
import { line, ndjson, type Refusal, sendLines, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';

interface Row {
  what: string;
  status: number;
  code: string;
  /** Of the first wrong field. */
  pointer?: string;
  line?: number;
  /** Stands in the detail. */
  says?: string;
  query?: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
}

const good = ndjson(line('a'), line('b'));
const withThird = (third: string) => ndjson(line('a'), line('b'), third);
const item = (more: object) => withThird(line('c', more));
const image = (input: object) =>
  withThird(line('c', { type: 'image', input: { model: 'nano-banana-2', prompt: 'p', ...input } }));
const refused = { status: 422, code: 'invalid_request' };
const cut = { status: 400, code: 'bad_request' };
const huge = { status: 413, code: 'body_too_large' };
const JSON_TYPE = { 'content-type': 'application/json' };
const form = (body: unknown) => ({ body: typeof body === 'string' ? body : JSON.stringify(body), headers: JSON_TYPE });
const parsed = (id: string, more: object = {}) => JSON.parse(line(id, more)) as unknown;
const noise = `data:image/png;base64,${Buffer.alloc(40_000, 7).toString('base64')}`;

const LINES: readonly Row[] = [
  { what: 'nothing', ...refused, body: '' },
  { what: 'blank lines', ...refused, body: '\n \r\n\t\n' },
  { what: 'one bad line', ...refused, line: 1, pointer: '/type', body: '{}' },
  { what: 'a line that is cut', ...refused, line: 3, pointer: '', body: withThird('{"custom_id":"c"') },
  { what: 'two values in a line', ...refused, line: 3, pointer: '', says: '--data-binary', body: withThird('{} {}') },
  { what: 'a key twice', ...refused, line: 3, pointer: '', body: withThird('{"type":"chat","type":"image"}') },
  { what: '__proto__', ...refused, line: 3, pointer: '', body: withThird('{"__proto__":{}}') },
  { what: 'a lone surrogate', ...refused, line: 3, pointer: '', body: withThird('"\\ud800"') },
  { what: '33 levels', ...refused, line: 3, pointer: '', body: withThird('['.repeat(33) + ']'.repeat(33)) },
  { what: 'null', ...refused, line: 3, pointer: '', body: withThird('null') },
  { what: 'a list', ...refused, line: 3, pointer: '', body: withThird('[]') },
  { what: 'no custom_id', ...refused, line: 3, pointer: '/custom_id', body: item({ custom_id: undefined }) },
  { what: 'a custom_id of 65', ...refused, line: 3, pointer: '/custom_id', body: withThird(line('c'.repeat(65))) },
  { what: 'a custom_id with a slash', ...refused, line: 3, pointer: '/custom_id', body: withThird(line('a/b')) },
  { what: 'a custom_id twice', ...refused, line: 3, pointer: '/custom_id', body: withThird(line('a')) },
  { what: 'an unknown type', ...refused, line: 3, pointer: '/type', body: item({ type: 'video' }) },
  { what: 'an unknown field', ...refused, line: 3, pointer: '/retries', body: item({ retries: 3 }) },
  { what: 'a typo in input', ...refused, line: 3, pointer: '/input/aspectRatio', body: image({ aspectRatio: '1:1' }) },
  { what: 'an empty prompt', ...refused, line: 3, pointer: '/input/prompt', body: image({ prompt: '' }) },
  {
    what: 'a ratio that the model lacks',
    ...refused,
    line: 3,
    pointer: '/input/aspect_ratio',
    body: image({ aspect_ratio: '9:21' }),
  },
  { what: 'a large image that is none', ...refused, line: 3, pointer: '/input/images/0', body: image({ images: [noise] }) },
  { what: 'an unknown priority', ...refused, line: 3, pointer: '/priority', body: item({ priority: 'urgent' }) },
  { what: 'expires_in_s 59', ...refused, line: 3, pointer: '/expires_in_s', body: item({ expires_in_s: 59 }) },
  {
    what: 'a webhook of an item to a private address',
    ...refused,
    line: 3,
    pointer: '/webhook/url',
    body: item({ webhook: { url: 'http://10.0.0.1/' } }),
  },
  {
    what: 'an event of batches for an item',
    ...refused,
    line: 3,
    pointer: '/webhook/events/0',
    body: item({ webhook: { url: 'https://a.example', events: ['batch.completed'] } }),
  },
  {
    what: 'a bad line behind 600 good ones',
    ...refused,
    line: 601,
    body: ndjson(...Array.from({ length: 600 }, (_, i) => line(i)), '{}'),
  },
  { what: 'only bad lines to skip', ...refused, line: 1, query: '?on_invalid=skip', body: ndjson('{}', '{') },
  { what: 'Latin-1', status: 400, code: 'malformed_json', body: Buffer.from(withThird('"café"'), 'latin1') },
  { what: 'gzip that is not said', status: 400, code: 'malformed_json', body: gzipSync(good) },
  { what: 'gzip that is none', ...cut, body: good, headers: { 'content-encoding': 'gzip' } },
  { what: 'cut gzip', ...cut, body: gzipSync(good).subarray(0, -9), headers: { 'content-encoding': 'gzip' } },
  { what: 'cut br', ...cut, body: brotliCompressSync(good).subarray(0, -3), headers: { 'content-encoding': 'br' } },
  {
    what: 'an encoding that nobody knows',
    status: 415,
    code: 'unsupported_media_type',
    body: good,
    headers: { 'content-encoding': 'lzma' },
  },
  { what: 'a bomb', ...huge, body: gzipSync(Buffer.alloc(210_000_000, '{}\n')), headers: { 'content-encoding': 'gzip' } },
  { what: 'a line of 9 MiB', ...huge, body: withThird(' '.repeat(9 * 1024 * 1024)) },
  { what: '50 001 lines', ...huge, body: '{}\n'.repeat(50_001) },
  { what: 'text', status: 415, code: 'unsupported_media_type', body: good, headers: { 'content-type': 'text/plain' } },
  { what: 'a wrong key', status: 401, code: 'unauthorized', body: good, headers: { authorization: 'Bearer gj_nobody' } },
  { what: 'an idempotency key with a space', ...cut, body: good, headers: { 'idempotency-key': 'a b' } },
];

const QUERIES: readonly Row[] = (
  [
    ['on_invalid=ignore', '/on_invalid'],
    ['on_invalid=skip&on_invalid=skip', '/on_invalid'],
    ['webhook_url=ftp://a.example', '/webhook_url'],
    ['webhook_url=http://169.254.169.254/', '/webhook_url'],
    ['webhook_url=https://a.example&webhook_events=batch.done', '/webhook_events'],
    ['webhook_url=https://a.example&webhook_events=', '/webhook_events'],
    ['webhook_events=batch.completed', '/webhook_events'],
    ['expires_in_s=59', '/expires_in_s'],
    ['expires_in_s=1e5', '/expires_in_s'],
    ['expires_in_s=172801', '/expires_in_s'],
    ['priority=urgent', '/priority'],
    [`metadata.a=${'x'.repeat(513)}`, '/metadata.a'],
    ['metadata.=x', '/metadata.'],
    [Array.from({ length: 17 }, (_, i) => `metadata.k${i}=v`).join('&'), '/metadata'],
    ['custom_id=a', '/custom_id'],
    ['__proto__=x', '/__proto__'],
  ] as const
).map(([query, pointer]) => ({ what: query, ...refused, pointer, query: `?${query}`, body: good }));

const FORMS: readonly Row[] = [
  { what: 'a form that is cut', status: 400, code: 'malformed_json', ...form('{"items":[') },
  { what: 'lines as a form', status: 400, code: 'malformed_json', says: 'application/x-ndjson', ...form('{}\n{}\n') },
  { what: 'a form without items', ...refused, pointer: '/items', ...form({}) },
  { what: 'a form with no item', ...refused, pointer: '/items', ...form({ items: [] }) },
  { what: '1001 items', ...refused, pointer: '/items', ...form({ items: Array(1001).fill({}) }) },
  { what: 'an unknown field of a form', ...refused, pointer: '/priority', ...form({ items: [parsed('a')], priority: 'low' }) },
  {
    what: 'a bad item',
    ...refused,
    line: 2,
    pointer: '/items/1/type',
    says: '; /items/1/type: ',
    ...form({ items: [parsed('a'), {}] }),
  },
  {
    what: 'an unknown default',
    ...refused,
    pointer: '/defaults/custom_id',
    ...form({ defaults: { custom_id: 'a' }, items: [parsed('a')] }),
  },
  {
    what: 'a bad default',
    ...refused,
    pointer: '/defaults/expires_in_s',
    ...form({ defaults: { expires_in_s: 1 }, items: [parsed('a')] }),
  },
  {
    what: 'defaults that are wrong for an item',
    ...refused,
    line: 1,
    pointer: '/items/0/max_attempts',
    ...form({ defaults: { max_attempts: 99 }, items: [parsed('a')] }),
  },
  {
    what: 'a webhook of a form to a private address',
    ...refused,
    pointer: '/webhook/url',
    ...form({ webhook: { url: 'http://127.1/' }, items: [parsed('a')] }),
  },
  {
    what: 'fields of lines with a form',
    ...refused,
    pointer: '/priority',
    query: '?priority=low',
    ...form({ items: [parsed('a')] }),
  },
  { what: 'more than BODY_LIMIT', ...huge, ...form(' '.repeat(1024 * 1024 + 1)) },
];

test('when a batch is bad then it gets its 4xx with places, nothing of it stays, its key is free, and upstream is not touched', async () => {
  const stack = await startStack({ env: { BODY_LIMIT: '1mb', EGRESS_ALLOW: '' } });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const send = async (row: Row) =>
    await sendLines(stack, row.body ?? '', {
      query: row.query ?? '',
      headers: { 'idempotency-key': 'once', ...row.headers },
    });
  for (const row of [...LINES, ...QUERIES, ...FORMS]) {
    const response = await send(row);
    const problem = (await response.json()) as Refusal & { request_id: string };
    expect(`${row.what}: ${response.status} ${problem.code}`).toBe(`${row.what}: ${row.status} ${row.code}`);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(problem.request_id).toBe(response.headers.get('x-request-id'));
    const [first] = problem.errors ?? [];
    if (row.pointer !== undefined) expect(`${row.what}: ${first?.pointer}`).toBe(`${row.what}: ${row.pointer}`);
    if (row.says !== undefined) expect(problem.detail, row.what).toContain(row.says);
    if (row.line !== undefined) expect(`${row.what}: ${first?.line}`).toBe(`${row.what}: ${row.line}`);
  }
  // What was written of refused batches is erased by a worker.
  const left = async () => [
    ...(await redis.keys('*:job:*')),
    ...(await redis.keys('*:batch:*')),
    ...(await redis.keys('*:operation:*')),
  ];
  await waitFor(async () => (await left()).length === 0 || undefined, {
    timeoutMs: 20_000,
    everyMs: 100,
    what: 'nothing to be left',
  });
  expect(await redis.keys('*:idem:*')).toEqual([]);
  expect(await stack.s3.keys()).toEqual([]);
  expect(stack.emulator.ledger.submits).toEqual([]);
  expect(await stack.tenant.get('/v1/batches')).toMatchObject({ data: [] });
  expect(await stack.tenant.get('/v1/jobs')).toMatchObject({ data: [] });
  expect(stack.api.lines.filter((each) => each['event'] === 'http.request' && Number(each['status']) >= 500)).toEqual([]);
});
