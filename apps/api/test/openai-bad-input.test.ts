import { expect, test } from 'vitest';
import { startApi, type TestApi, writtenInRedis } from './api.ts';
import {
  BATCH_ROWS,
  CHAT_ROWS,
  EDIT_ROWS,
  FILE_ROWS,
  goodChat,
  IMAGE_ROWS,
  type OpenAiRow,
  REQUEST_ROWS,
} from './openai/rows.ts';

const ROWS: readonly OpenAiRow[] = [...CHAT_ROWS, ...IMAGE_ROWS, ...EDIT_ROWS, ...FILE_ROWS, ...BATCH_ROWS, ...REQUEST_ROWS];

interface Told {
  error: { message: string; type: string; code: string; param: string | null };
}

const written = async (api: TestApi) => (await writtenInRedis(api)).map(({ where }) => where);

async function send(api: TestApi, row: OpenAiRow): Promise<Response> {
  return await api.tenant.send(row.method ?? 'POST', row.path ?? '', row.body === '' ? undefined : row.body, {
    'content-type': 'application/json',
    ...row.headers,
  });
}

test('there are at least 100 bad requests, each one of its own', () => {
  const all = ROWS.map(({ what }) => what);
  expect(all.length).toBeGreaterThanOrEqual(100);
  expect(all.filter((what, at) => all.indexOf(what) !== at)).toEqual([]);
});

test('when a request is bad then it gets its 4xx in the form that SDKs of OpenAI read, and nothing is written', async () => {
  const api = await startApi({ env: { BODY_LIMIT: '1mb' } });
  const before = await written(api);
  for (const row of ROWS) {
    const response = await send(api, row);
    const { error } = (await response.json()) as Told;
    expect.soft(`${row.what}: ${response.status} ${error.code}`).toBe(`${row.what}: ${row.status} ${row.code}`);
    if (row.param !== undefined) expect.soft(`${row.what}: ${error.param}`).toBe(`${row.what}: ${row.param}`);
    expect.soft([row.what, typeof error.message, error.type]).toEqual([row.what, 'string', expect.stringMatching(/_error$/)]);
    expect.soft(response.headers.get('content-type')).toContain('application/json');
    expect.soft(response.headers.get('x-request-id')).toBeTruthy();
    expect.soft(response.headers.get('x-grsai-job-id')).toBeNull();
  }
  expect(await written(api)).toEqual(before);
  expect(await api.s3.keys()).toEqual([]);
  expect(api.lines.filter((line) => line['event'] === 'http.request' && Number(line['status']) >= 500)).toEqual([]);
});

test('when a key is missing, unknown or lacks the scope then the refusal has the form that SDKs read', async () => {
  const api = await startApi();
  const reader = await api.clientOf('acme', ['jobs:read']);
  const post = (headers: Record<string, string>) =>
    fetch(`${api.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(goodChat()),
    });
  const answers = await Promise.all([
    post({}),
    post({ authorization: 'Bearer gj_nobody' }),
    post({ authorization: `Bearer ${reader.key}` }),
    fetch(`${api.url}/openai/v1/models`, { headers: { authorization: `Bearer ${reader.key}` } }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 200]);
  const told = await Promise.all(answers.slice(0, 3).map(async (answer) => ((await answer.json()) as Told).error));
  expect(told.map(({ code, type }) => [code, type])).toEqual([
    ['invalid_api_key', 'authentication_error'],
    ['invalid_api_key', 'authentication_error'],
    ['forbidden', 'permission_error'],
  ]);
});

test('when a key has a limit by the minute then answers say what is left as OpenAI writes it, and a 429 waits less than a minute', async () => {
  const api = await startApi({ env: { RATE_LIMIT_RPM: '2' } });
  const ask = () => api.tenant.send('GET', '/openai/v1/models');
  const first = await ask();
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-reset-requests': expect.stringMatching(/^\d+s$/),
  });
  await ask();
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(59);
  expect(((await refused.json()) as Told).error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' });
});

test('when a field stands in UPSTREAM_CHAT_FIELDS then it is passed on as it came', async () => {
  const api = await startApi({ env: { UPSTREAM_CHAT_FIELDS: 'top_k, tools, response_format' } });
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const response_format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } };
  const gone = new AbortController();
  const answer = fetch(`${api.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${api.tenant.key}` },
    body: JSON.stringify(goodChat({ top_k: 3, tools, response_format })),
    signal: gone.signal,
  }).catch(() => null);
  const listed = async () => (await api.tenant.get<{ data: object[] }>('/v1/jobs')).data;
  await expect.poll(listed).toMatchObject([{ input: { top_k: 3, tools, response_format }, origin: 'openai' }]);
  gone.abort();
  await answer;
});
