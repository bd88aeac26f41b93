import { connectRedis } from '@grsai-jobs/redis';
import { type Batch, line, ndjson, type Refusal, rowsOf, sendLines } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from './api.ts';

const accepted = async (response: Response): Promise<Batch> => {
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Batch;
};

test('when bad lines are skipped then the others are accepted, and the bad ones can be read', async () => {
  const api = await startApi();
  const bad = Array.from({ length: 150 }, (_, i) => line(`bad${i}`, { priority: 'urgent' }));
  const batch = await accepted(
    await sendLines(api, ndjson(line('a'), '{', ...bad, line('b'), line('a')), { query: '?on_invalid=skip' }),
  );
  expect(batch).toMatchObject({ counts: { total: 2 }, invalid_count: 152, invalid: { count: 152 } });
  expect(batch.invalid?.errors).toHaveLength(100);
  const response = await api.tenant.send('GET', `/v1/batches/${batch.id}/errors`);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  const errors = await rowsOf<NonNullable<Batch['invalid']>['errors'][number]>(response);
  expect(errors).toHaveLength(152);
  expect(errors.slice(0, 100)).toEqual(batch.invalid?.errors);
  expect(errors.slice(0, 2)).toMatchObject([
    { line: 2, custom_id: null, errors: [{ pointer: '' }] },
    { line: 3, custom_id: 'bad0', errors: [{ pointer: '/priority' }] },
  ]);
  expect(errors.at(-1)).toEqual({
    line: 154,
    custom_id: 'a',
    errors: [{ pointer: '/custom_id', message: 'stands in line 1 already' }],
  });
});

test('when all of many bad lines are reported then the first thousand wrong fields are, with the count of lines', async () => {
  const api = await startApi();
  const body = ndjson(...Array.from({ length: 3000 }, (_, i) => line(i, i === 0 ? {} : { priority: 'urgent' })));
  const response = await sendLines(api, body);
  const problem = (await response.json()) as { detail: string; invalid_count: number; errors: { line: number }[] };
  expect([response.status, problem.invalid_count, problem.errors.length]).toEqual([422, 2999, 1000]);
  expect(problem.detail).toMatch(/^2999 items are not valid, so nothing was accepted; the first: line 2 \/priority: must be /);
  expect(problem.errors.at(-1)?.line).toBe(1001);
});

test('when there are several batches then they are listed with a cursor, the newest first, and another tenant sees none of it', async () => {
  const api = await startApi();
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) ids.unshift((await accepted(await sendLines(api, ndjson(line('a'))))).id);
  const page = async (query: string) =>
    await api.tenant.get<{ object: string; data: Batch[]; next_cursor: string | null }>(`/v1/batches${query}`);
  expect((await page('')).data.map(({ id }) => id)).toEqual(ids);
  const first = await page('?limit=2');
  const second = await page(`?limit=2&cursor=${first.next_cursor}`);
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
  expect(second).toMatchObject({ object: 'list', next_cursor: null });

  const { key } = await api.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'rival',
    name: 'r',
    scopes: ['jobs:read', 'jobs:write'],
  });
  const rival = { authorization: `Bearer ${key}` };
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/results'],
    ['GET', '/errors'],
    ['POST', '/cancel'],
    ['POST', '/retry-failed'],
  ] as const)
    expect((await api.tenant.send(method, `/v1/batches/${ids[0]}${path}`, undefined, rival)).status).toBe(404);
  expect(await (await api.tenant.send('GET', '/v1/batches', undefined, rival)).json()).toMatchObject({ data: [] });
});

const NO_BATCH = '/v1/batches/batch_01ARZ3NDEKTSV4RRFFQ69G5FAV';

test('when another route of a batch is asked for wrongly then it gets its 4xx', async () => {
  const api = await startApi();
  const rows: readonly [string, string, number, string, unknown?][] = [
    ...['', '/results', '/errors'].map((path) => ['GET', NO_BATCH + path, 404, 'not_found'] as [string, string, number, string]),
    ['GET', '/v1/batches/job_01ARZ3NDEKTSV4RRFFQ69G5FAV', 404, 'not_found'],
    ['POST', `${NO_BATCH}/cancel`, 404, 'not_found'],
    ['POST', `${NO_BATCH}/retry-failed`, 404, 'not_found'],
    ['POST', `${NO_BATCH}/retry-failed`, 422, '/include_unknown', { include_unknown: 'yes' }],
    ['POST', `${NO_BATCH}/retry-failed`, 422, '/mode', { mode: 'resume' }],
    ['POST', `${NO_BATCH}/retry-failed`, 400, 'malformed_json', '{'],
    ['GET', '/v1/batches?limit=0', 422, '/limit'],
    ['GET', '/v1/batches?status=running', 422, '/status'],
    ['GET', '/v1/batches?cursor=x', 400, 'bad_request'],
    ['GET', `${NO_BATCH}/results?status=running`, 422, '/status'],
    ['GET', `${NO_BATCH}/results?after_line=-1`, 422, '/after_line'],
    ['GET', `${NO_BATCH}/results?limit=5`, 422, '/limit'],
  ];
  for (const [method, path, status, told, body] of rows) {
    const response = await api.tenant.send(method, path, body);
    const problem = (await response.json()) as Refusal;
    const place = problem.errors?.[0]?.pointer.replace('/0', '');
    expect(`${method} ${path}: ${response.status} ${place ?? problem.code}`).toBe(`${method} ${path}: ${status} ${told}`);
  }
});

test('when the key of a retry is sent with another body then it is refused, and the same body is answered the same', async () => {
  const api = await startApi();
  const batch = (await (await sendLines(api, ndjson(line('a')))).json()) as { id: string };
  const redis = await connectRedis(api.redis.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  await redis.hset(`{gj}:batch:${batch.id}`, 'n:queued', 0, 'n:failed', 1);
  const retry = async (body: object) =>
    await api.tenant.send('POST', `/v1/batches/${batch.id}/retry-failed`, body, { 'idempotency-key': 'again' });
  expect((await retry({ include_unknown: false })).status).toBe(202);
  expect((await retry({})).status).toBe(202);
  const refused = await retry({ include_unknown: true });
  expect([refused.status, ((await refused.json()) as Refusal).code]).toEqual([422, 'idempotency_key_reused']);
});

test('when an ended batch is to be retried then it says when to come again, until that has begun or was canceled', async () => {
  const api = await startApi();
  const batch = await accepted(await sendLines(api, ndjson(line('a'))));
  const redis = await connectRedis(api.redis.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  await redis.hset(`{gj}:batch:${batch.id}`, 'st', 'completed', 'n:queued', 0, 'n:failed', 1);
  const path = `/v1/batches/${batch.id}`;
  const comeBack = async () => (await api.tenant.send('GET', path)).headers.get('retry-after');
  const seen = [await comeBack()];
  const retried = await accepted(await api.tenant.send('POST', `${path}/retry-failed`));
  expect(retried).toMatchObject({ round: 1, in_round: 2 });
  seen.push(await comeBack());
  await accepted(await api.tenant.send('POST', `${path}/cancel`));
  seen.push(await comeBack());
  expect(seen).toEqual([null, '2', null]);
});
