import { image, ODD_REQUESTS, sendBytes } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi, writtenInRedis } from './api.ts';
import { BODY_ROWS } from './bad-input/bodies.ts';
import { FIELD_ROWS } from './bad-input/job-fields.ts';
import { RAW_ROWS, sendRaw } from './bad-input/raw.ts';
import { REQUEST_ROWS } from './bad-input/requests.ts';
import type { Row } from './bad-input/row.ts';

const ROWS: readonly Row[] = [...BODY_ROWS, ...FIELD_ROWS, ...REQUEST_ROWS];

function startLedger(api: TestApi) {
  return async () => (await writtenInRedis(api)).map(({ where }) => where);
}

interface Told {
  status: number;
  code: string;
  request_id: string;
  detail: string;
  errors?: { pointer: string; message: string }[];
}

async function expectRefused(api: TestApi, row: Row): Promise<void> {
  const response = await api.tenant.send(row.method ?? 'POST', row.path ?? '/v1/jobs', row.body || undefined, {
    'content-type': 'application/json',
    ...row.headers,
  });
  const problem = (await response.json()) as Told;
  expect.soft(`${row.what}: ${response.status} ${problem.code}`).toBe(`${row.what}: ${row.status} ${row.code}`);
  expect.soft(problem.status).toBe(row.status);
  expect.soft(response.headers.get('content-type')).toContain('application/problem+json');
  expect.soft(problem.request_id).toBe(response.headers.get('x-request-id'));
  expect.soft(problem.request_id).toBeTruthy();
  expect.soft(problem.detail).not.toBe('');
  if (row.status === 405) expect.soft(response.headers.get('allow')).toBeTruthy();
  if (row.pointer !== undefined) {
    const pointers = problem.errors?.map(({ pointer }) => pointer) ?? [];
    expect
      .soft(`${row.what}: ${pointers.includes(row.pointer) ? row.pointer : pointers.join(' ')}`)
      .toBe(`${row.what}: ${row.pointer}`);
  }
}

test('there are at least 120 bad requests, each of its own', () => {
  const all = [...ROWS.map(({ what }) => what), ...RAW_ROWS.map(([what]) => what)];
  expect(all.length).toBeGreaterThanOrEqual(120);
  expect(all.filter((what, index) => all.indexOf(what) !== index)).toEqual([]);
});

test('when a request is bad then it gets its 4xx with code and request id, and nothing is written', async () => {
  const api = await startApi({ env: { BODY_LIMIT: '1mb' } });
  const written = startLedger(api);
  const before = await written();
  for (const row of ROWS) await expectRefused(api, row);
  for (const [what, status, code, text] of RAW_ROWS) {
    const answer = await sendRaw(api.url, text.replace('KEY', api.tenant.key));
    const problem = JSON.parse(answer.body) as Told;
    expect.soft(`${what}: ${answer.status} ${problem.code}`).toBe(`${what}: ${status} ${code}`);
    expect.soft([problem.status, problem.request_id]).toEqual([status, answer.requestId]);
    expect.soft(answer.requestId).toBeTruthy();
  }
  for (const [what, bytes] of ODD_REQUESTS) {
    const { status, text } = await sendBytes(Number(new URL(api.url).port), bytes);
    expect.soft([what, status !== undefined && status >= 500 ? text : 'no failure']).toEqual([what, 'no failure']);
    if (status !== undefined && status >= 400 && !/^HEAD/.test(bytes))
      expect.soft([what, text]).toEqual([what, expect.stringMatching(/application\/problem\+json[\s\S]*"request_id"/)]);
  }
  expect(await written()).toEqual(before);
  expect(await api.s3.keys()).toEqual([]);
  expect(api.lines.filter((line) => line['event'] === 'http.request' && Number(line['status']) >= 500)).toEqual([]);
  expect((await api.tenant.send('POST', '/v1/jobs', image(api.receiver))).status).toBe(202);
});

test('when Redis is away then a request is refused at once with 503 and Retry-After, and taken again when it is back', async () => {
  const api = await startApi();
  await api.proxy.refuse(true);
  const started = performance.now();
  const response = await api.tenant.send('POST', '/v1/jobs', image({ url: 'https://caller.example/hooks' }));
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('2');
  expect(await response.json()).toMatchObject({ code: 'unavailable' });
  expect(performance.now() - started).toBeLessThan(5000);
  expect((await api.tenant.send('GET', '/readyz')).status).toBe(503);
  expect((await api.tenant.send('GET', '/livez')).status).toBe(200);
  await api.proxy.refuse(false);
  await expect.poll(async () => (await api.tenant.send('GET', '/readyz')).status).toBe(200);
  expect((await api.tenant.send('POST', '/v1/jobs', image({ url: 'https://caller.example/hooks' }))).status).toBe(202);
});
