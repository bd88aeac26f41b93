import { ODD_REQUESTS, sendBytes } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { BODY_ROWS } from './bad-input/bodies.ts';
import { FIELD_ROWS } from './bad-input/job-fields.ts';
import { RAW_ROWS, sendRaw } from './bad-input/raw.ts';
import { REQUEST_ROWS } from './bad-input/requests.ts';
import type { Row } from './bad-input/row.ts';
import { image, type Stack, startStack } from './stack.ts';

const ROWS: readonly Row[] = [...BODY_ROWS, ...FIELD_ROWS, ...REQUEST_ROWS];

/** What Redis holds beside the beats of a process: what a request can have written. */
async function startLedger(stack: Stack) {
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  return async () => (await redis.keys('*')).filter((key) => key !== '{gj}:health').sort();
}

interface Told {
  status: number;
  code: string;
  request_id: string;
  detail: string;
  errors?: { pointer: string; message: string }[];
}

async function expectRefused(stack: Stack, row: Row): Promise<void> {
  const response = await stack.tenant.send(row.method ?? 'POST', row.path ?? '/v1/jobs', row.body || undefined, {
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

test('when a request is bad then it gets its 4xx with code and request id, nothing is written and upstream is not touched', async () => {
  const stack = await startStack({ env: { BODY_LIMIT: '1mb' }, workers: 0 });
  const written = await startLedger(stack);
  const before = await written();
  for (const row of ROWS) await expectRefused(stack, row);
  for (const [what, status, code, text] of RAW_ROWS) {
    const answer = await sendRaw(stack.url, text.replace('KEY', stack.tenant.key));
    const problem = JSON.parse(answer.body) as Told;
    expect.soft(`${what}: ${answer.status} ${problem.code}`).toBe(`${what}: ${status} ${code}`);
    expect.soft([problem.status, problem.request_id]).toEqual([status, answer.requestId]);
    expect.soft(answer.requestId).toBeTruthy();
  }
  for (const [what, bytes] of ODD_REQUESTS) {
    for (const url of [stack.url, stack.emulator.url]) {
      const { status, text } = await sendBytes(Number(new URL(url).port), bytes);
      expect.soft([url, what, status !== undefined && status >= 500 ? text : 'no failure']).toEqual([url, what, 'no failure']);
      if (url === stack.url && status !== undefined && status >= 400 && !/^HEAD/.test(bytes))
        expect.soft([what, text]).toEqual([what, expect.stringMatching(/application\/problem\+json[\s\S]*"request_id"/)]);
    }
  }
  expect(await written()).toEqual(before);
  expect(await stack.s3.keys()).toEqual([]);
  expect(stack.emulator.ledger.submits).toEqual([]);
  expect(stack.api?.lines.filter((line) => line['event'] === 'http.request' && Number(line['status']) >= 500)).toEqual([]);
  expect((await stack.tenant.send('POST', '/v1/jobs', image(stack.receiver))).status).toBe(202);
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
