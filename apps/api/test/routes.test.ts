import { SCHEMA_VERSION } from '@grsai-jobs/job-store';
import { chat, freePort, image, type Job } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

/** What each route answers, over HTTP. */

const create = async (api: TestApi, body: object) => (await api.tenant.post<Job>('/v1/jobs', body)).id;

interface Page {
  object: string;
  data: Job[];
  next_cursor: string | null;
}

test('when a job is posted then 202 names its address, and fifty posts of one Idempotency-Key make one job', async () => {
  const api = await startApi();
  const post = (body: object, key: string) => api.tenant.send('POST', '/v1/jobs', body, { 'idempotency-key': key });
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(chat(api.receiver), 'one')));
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as Job).id));
  expect(new Set(ids).size).toBe(1);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
  for (const { headers } of answers) {
    expect(headers.get('location')).toBe(`/v1/jobs/${ids[0]}`);
    expect(headers.get('retry-after')).toBe('2');
    expect(headers.get('x-request-id')).toBeTruthy();
  }
  const other = await post(chat(api.receiver, 'another'), 'one');
  expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'idempotency_key_reused']);
  const page = await api.tenant.get<Page>('/v1/jobs');
  expect(page.data).toHaveLength(1);

  const rival = await api.clientOf('rival');
  const theirs = await rival.send('POST', '/v1/jobs', chat(api.receiver), { 'idempotency-key': 'one' });
  expect([theirs.status, ((await theirs.json()) as Job).id === ids[0]]).toEqual([202, false]);
  expect(await api.tenant.job(ids[0] ?? '')).toMatchObject({ status: 'queued' });
});

test('when a job is read with the version that the caller has then 304 says so, until something changes', async () => {
  const api = await startApi();
  const id = await create(api, chat(api.receiver));
  const read = (etag?: string) =>
    api.tenant.send('GET', `/v1/jobs/${id}`, undefined, etag === undefined ? {} : { 'if-none-match': etag });
  const first = await read();
  expect(first.headers.get('cache-control')).toBe('no-store');
  const etag = first.headers.get('etag') ?? '';
  expect([first.status, first.headers.get('retry-after')]).toEqual([200, '2']);
  const same = await read(etag);
  expect([same.status, await same.text(), same.headers.get('etag'), same.headers.get('retry-after')]).toEqual([
    304,
    '',
    etag,
    '2',
  ]);
  await api.tenant.post(`/v1/jobs/${id}/cancel`, {});
  const changed = await read(etag);
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).not.toBe(etag);
  expect(changed.headers.get('retry-after')).toBeNull();
});

test('when jobs are listed then cursor and filters go through all of them, and what is wrong is reported', async () => {
  const api = await startApi();
  const ids: string[] = [];
  for (let i = 0; i < 7; i += 1)
    ids.unshift(await create(api, chat(api.receiver, `question ${i}`, { metadata: { order: `A-${i % 2}` } })));
  await api.tenant.post(`/v1/jobs/${ids[0]}/cancel`, {});
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Page = await api.tenant.get(`/v1/jobs?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(page.object).toBe('list');
    seen.push(...page.data.map(({ id }) => id));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(ids);
  const filtered = async (query: string) => (await api.tenant.get<Page>(`/v1/jobs?${query}`)).data.map(({ id }) => id);
  expect(await filtered('status=canceled')).toEqual([ids[0]]);
  expect(await filtered('metadata.order=A-1&status=queued,canceled')).toEqual([ids[1], ids[3], ids[5]]);
  expect(await filtered('type=image')).toEqual([]);
  // Names that every object of JavaScript has are names like others.
  const odd = { constructor: 'c', toString: 's', hasOwnProperty: 'h', valueOf: 'v', prototype: 'p', length: 'l' };
  const named = await create(api, chat(api.receiver, 'odd', { metadata: odd }));
  expect((await api.tenant.get<Job & { metadata: object }>(`/v1/jobs/${named}`)).metadata).toEqual(odd);
  for (const [name, value] of Object.entries(odd)) expect(await filtered(`metadata.${name}=${value}`)).toEqual([named]);
  for (const name of ['isPrototypeOf', 'propertyIsEnumerable', '__proto__', '__defineGetter__'])
    expect((await api.tenant.send('GET', `/v1/jobs?metadata.${name}=x`)).status).toBeLessThan(500);
  expect(await filtered('metadata.isPrototypeOf=x')).toEqual([]);
  await api.tenant.post(`/v1/jobs/${named}/cancel`, {});
  expect((await api.tenant.send('DELETE', `/v1/jobs/${named}`)).status).toBe(204);
  expect(await filtered('model=gemini-3.1-pro&created_after=2020-01-01T00:00:00Z')).toEqual(ids);
  expect(await filtered('created_before=2020-01-01T00:00:00Z')).toEqual([]);
  for (const [query, status] of [
    ['limit=0', 422],
    ['limit=ten', 422],
    ['status=done', 422],
    ['sort=asc', 422],
    ['cursor=nonsense', 400],
  ] as const) {
    const answer = await api.tenant.send('GET', `/v1/jobs?${query}`);
    expect({ query, status: answer.status }).toEqual({ query, status });
  }
});

test('when the routes without a key are asked then they answer, and a METRICS_TOKEN guards the metrics', async () => {
  const api = await startApi({ env: { METRICS_TOKEN: 'a-token-for-metrics', BUILD_ID: 'routes-1' } });
  const get = (path: string, headers: Record<string, string> = {}) => fetch(api.url + path, { headers });
  expect(await (await get('/livez')).json()).toEqual({ status: 'ok' });
  expect(await (await get('/readyz')).json()).toEqual({ status: 'ok' });
  expect((await get('/readyz?verbose')).status).toBe(401);
  expect((await api.tenant.send('GET', '/readyz?verbose')).status).toBe(403);
  expect(await (await api.admin.send('GET', '/readyz?verbose')).json()).toMatchObject({
    build: { id: 'routes-1', schema: SCHEMA_VERSION },
    checks: { redis: { ok: true }, object_store: { ok: true } },
  });
  expect(api.lines.find(({ event }) => event === 'api.ready')).toMatchObject({ build: 'routes-1', schema: SCHEMA_VERSION });
  expect((await get('/metrics')).status).toBe(401);
  await get('/v1/jobs/job_1');
  await get('/nowhere/1');
  const metrics = await get('/metrics', { authorization: 'Bearer a-token-for-metrics' });
  expect(metrics.status).toBe(200);
  const rows = await metrics.text();
  expect(rows).toContain(`grsai_jobs_build_info{build="routes-1",schema="${SCHEMA_VERSION}"} 1`);
  expect(rows).toMatch(/grsai_jobs_redis_round_trip_seconds 0\.0*[1-9]/);
  expect(rows).toMatch(/grsai_jobs_clock_ahead_seconds -?0\.?\d*/);
  expect(rows).toContain('http_request_duration_seconds_count{method="GET",route="/v1/jobs/:id",status="401"} 1\n');
  expect(rows).toContain('http_request_duration_seconds_count{method="any",route="none",status="404"} 1\n');
  expect(rows).toContain('grsai_jobs_queue_entries{queue="submit",state="waiting"} 0\n');
  expect(await (await get('/openapi.json')).json()).toMatchObject({ openapi: '3.1.1', paths: { '/v1/jobs/{id}/retry': {} } });
  const docs = await get('/docs');
  expect(await docs.text()).toContain('<html');
  expect(docs.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  const assets = [
    'standalone.esm.js',
    'standalone.esm.js.map',
    'chunks',
    'package.json',
    '..%2findex.js',
    'chunks/..%2f..%2findex.js',
  ];
  const statuses = assets.map(async (name) => (await get(`/docs/assets/${name}`)).status);
  expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404, 404, 404]);
  for (const path of ['/v1/jobs', '/v1/webhook-secret']) expect((await get(path)).status).toBe(401);
});

test('when a path is asked what it takes, or cannot be read, then the answer says it', async () => {
  const api = await startApi();
  const options = await api.tenant.send('OPTIONS', '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, DELETE']);
  // A key that was pasted into the path is shown to nobody.
  const pasted = await api.tenant.send('GET', `/v1/jobs/${api.tenant.key}/${encodeURIComponent(api.admin.key)}`);
  expect(pasted.status).toBe(404);
  expect(await pasted.text()).toContain('"instance":"/v1/jobs/gj_…/…"');
  expect(api.lines.some((line) => String(line['path']).startsWith('/v1/jobs/gj_…'))).toBe(true);
  expect(JSON.stringify(api.lines)).not.toContain(api.tenant.key);
  const details = await Promise.all(
    [
      api.tenant.send('GET', '/v1/jobs/%zz'),
      api.tenant.send('POST', '/v1/jobs', '{}', { 'content-encoding': 'gzip' }),
      api.tenant.send('POST', '/v1/jobs', '{}', { 'content-encoding': 'br' }),
    ].map(async (answer) => ((await (await answer).json()) as { detail: string }).detail),
  );
  expect(details).toEqual([
    expect.stringContaining('percent-encoding'),
    expect.stringContaining('Content-Encoding'),
    expect.stringContaining('Content-Encoding'),
  ]);
});

test('when S3 does not answer then readiness says so in time', async () => {
  const api = await startApi();
  api.s3.outage('hang');
  const port = await freePort();
  await api.startAnother({ PORT: String(port) });
  const ownPort = await fetch(`http://127.0.0.1:${port}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.tenant.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(image({ url: `http://localhost:${port}//` })),
  });
  expect([ownPort.status, await ownPort.json()]).toMatchObject([
    422,
    { errors: [{ pointer: '/webhook/url', message: expect.stringContaining('this service itself (PORT)') }] },
  ]);
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5000) });
  expect([answer.status, await answer.json()]).toEqual([503, { status: 'failing', failing: ['object_store'] }]);
  const headers = { authorization: `Bearer ${api.admin.key}` };
  expect(await (await fetch(`http://127.0.0.1:${port}/readyz?verbose`, { headers })).json()).toMatchObject({
    checks: { redis: { ok: true }, object_store: { ok: false, facts: expect.stringContaining('no answer') } },
  });
  expect(api.lines.find((line) => line['check'] === 'object_store')).toMatchObject({ level: 'warn', event: 'check.failed' });
});
