import { createJobStore } from '@grsai-jobs/job-store';
import { connectRedis } from '@grsai-jobs/redis';
import { type AuditLine, chat, createClient, image, type Job, line, ndjson, sendLines, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const put = async (api: TestApi, body: object, tenant = 'acme') =>
  await api.admin.send('PUT', `/admin/v1/tenants/${tenant}`, body);
const read = async (api: TestApi) => await api.admin.get<{ limits: object; effective: object }>('/admin/v1/tenants/acme');
const problemOf = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as { code: string; detail: string; errors?: { pointer: string; message: string }[] }),
});
const AS_CONFIGURED = {
  requests_per_minute: null,
  models: null,
  max_in_flight: null,
  max_queued: null,
  max_live_jobs: 200_000,
  budget: null,
  max_redis_bytes: null,
  max_stored_bytes: null,
};

test('when an operator sets limits then they replace all that was set, stand in the audit log, and an empty set lifts them', async () => {
  const api = await startApi();
  expect(await read(api)).toMatchObject({ limits: {}, effective: AS_CONFIGURED });
  const set = await put(api, { requests_per_minute: 600, max_live_jobs: 0, reason: 'their plan' });
  expect(await set.json()).toMatchObject({
    object: 'tenant',
    tenant: 'acme',
    limits: { requests_per_minute: 600, max_live_jobs: 0 },
    effective: { ...AS_CONFIGURED, requests_per_minute: 600, max_live_jobs: null },
    used: { queued_jobs: 0, live_jobs: 0, redis_bytes: 0, stored_bytes: 0 },
  });
  await put(api, { max_stored_bytes: 5 });
  expect(await read(api)).toMatchObject({
    limits: { max_stored_bytes: 5 },
    effective: { ...AS_CONFIGURED, max_stored_bytes: 5 },
  });
  await put(api, {});
  expect(await read(api)).toMatchObject({ limits: {}, effective: AS_CONFIGURED });
  const { data } = await api.admin.get<{ data: AuditLine[] }>('/admin/v1/audit?action=tenant.change');
  expect(data).toMatchObject([
    { target: 'acme', detail: 'as configured', outcome: 'done' },
    { target: 'acme', detail: 'max_stored_bytes 5', reason: '' },
    { target: 'acme', detail: 'requests_per_minute 600, max_live_jobs 0', reason: 'their plan' },
  ]);
});

test.each([
  ['below zero', { requests_per_minute: -1 }, '/requests_per_minute', /not be below 0; 0 is no limit/],
  ['a queue below zero', { max_queued: -1 }, '/max_queued', /not be below 0; 0 is no limit/],
  ['no whole number', { max_live_jobs: 1.5 }, '/max_live_jobs', /whole number/],
  ['beyond what can be counted', { max_stored_bytes: 1e13 }, '/max_stored_bytes', /limited to 1000000000000/],
  ['a list without a model', { models: [] }, '/models', /at least one model/],
  ['a list of more models than it may have', { models: Array.from({ length: 101 }, (_, n) => `m-${n}`) }, '/models', /100/],
  ['no name of a model', { models: ['nano banana'] }, '/models/0', /letters, digits/],
  [
    'a model that nobody knows',
    { models: ['nano-banana-2', 'nano-bananna'] },
    '/models/1',
    /"nano-bananna" is no model of GET \/v1\/models/,
  ],
  ['a budget below zero', { budget: { credits: -5, period: 'day' } }, '/budget/credits', /at least 1/],
  ['a budget of nothing', { budget: { credits: 0, period: 'day' } }, '/budget/credits', /at least 1; leave the budget out/],
  ['a budget without a period', { budget: { credits: 5 } }, '/budget/period', /day, month or total/],
  ['a budget of a week', { budget: { credits: 5, period: 'week' } }, '/budget/period', /day, month or total/],
  ['a limit that nobody knows', { max_in_flght: 3 }, '/max_in_flght', /./],
])('when a limit is %s then it is refused with its field, and nothing of the set holds', async (_, wrong, pointer, message) => {
  const api = await startApi();
  await put(api, { max_live_jobs: 7 });
  const problem = await problemOf(await put(api, { max_redis_bytes: 5, ...wrong }));
  expect(problem).toMatchObject({ status: 422, code: 'invalid_request', errors: [{ pointer }] });
  expect(problem.errors?.[0]?.message).toMatch(message);
  expect(await read(api)).toMatchObject({ limits: { max_live_jobs: 7 } });
});

test('when a name belongs to no tenant or a key may only read then nothing is set', async () => {
  const api = await startApi();
  for (const tenant of ['nobody', 'A%20B', 'x'.repeat(40)])
    expect(await problemOf(await put(api, { max_live_jobs: 1 }, tenant))).toMatchObject({ status: 404, code: 'not_found' });
  const reader = await api.clientOf('ops', ['admin:read']);
  expect((await reader.send('PUT', '/admin/v1/tenants/acme', {})).status).toBe(403);
  expect((await reader.send('GET', '/admin/v1/tenants/acme')).status).toBe(200);
});

test('when a tenant may use some models only then a job of another is 403, a line is wrong, and what was accepted before is answered', async () => {
  const api = await startApi();
  const keyed = { 'idempotency-key': 'before' };
  const before = (await (await api.tenant.send('POST', '/v1/jobs', image(api.receiver), keyed)).json()) as Job;
  await put(api, { models: ['gemini-3.1-pro'] });

  expect(await problemOf(await api.tenant.send('POST', '/v1/jobs', image(api.receiver)))).toMatchObject({
    status: 403,
    code: 'model_not_allowed',
    detail: 'This tenant may not use the model nano-banana-2; it may use gemini-3.1-pro. Nothing was accepted.',
  });
  const again = await api.tenant.send('POST', '/v1/jobs', image(api.receiver), keyed);
  expect([again.status, again.headers.get('idempotent-replayed'), ((await again.json()) as Job).id]).toEqual([
    202,
    'true',
    before.id,
  ]);
  expect((await api.tenant.send('POST', '/v1/jobs', chat(api.receiver))).status).toBe(202);

  const lines = ndjson(line('good'), line('bad', { type: 'image', input: { model: 'nano-banana-2', prompt: 'a boat' } }));
  expect(await problemOf(await sendLines(api, lines))).toMatchObject({
    status: 422,
    errors: [{ line: 2, custom_id: 'bad', pointer: '/input/model', message: expect.stringContaining('may not use the model') }],
  });
  const other = await api.clientOf('globex');
  expect((await other.send('POST', '/v1/jobs', image(api.receiver))).status).toBe(202);
});

test('when a model was taken from a tenant then an ended job goes on with what is paid for, and is not submitted anew', async () => {
  const api = await startApi();
  const redis = await connectRedis(api.redis.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  const { id } = await api.tenant.post<Job>('/v1/jobs', image(api.receiver));
  const job = await store.jobs.read(id);
  if (job === null) throw new Error('no job');
  await store.transitions.commit(job, { kind: 'finish', status: 'expired' });
  await put(api, { models: ['gemini-3.1-pro'] });
  const retry = (mode: string) => api.tenant.send('POST', `/v1/jobs/${id}/retry`, { mode });
  expect(await problemOf(await retry('resubmit'))).toMatchObject({ status: 403, code: 'model_not_allowed' });
  expect(await problemOf(await retry('resume'))).toMatchObject({ status: 409, code: 'conflict' });
  await put(api, {});
  expect((await retry('resubmit')).status).toBe(202);
});

test('when a tenant has a limit of requests then all its keys share it over all processes, and another tenant has none', async () => {
  const api = await startApi({ env: { RATE_LIMIT_RPM: '100' } });
  const second = await api.startAnother();
  const ask = (key: string, url = api.url) => createClient(url, key).send('GET', '/v1/jobs');
  const keys = [api.tenant.key, (await api.clientOf('acme')).key];
  await put(api, { requests_per_minute: 4 });
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push(await ask(keys[n % 2] ?? '', n < 2 ? api.url : second.url));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(
    Array.from({ length: 4 }, () => '"default";q=100;w=60, "tenant";q=4;w=60'),
  );
  expect(answers.map(({ headers }) => /"tenant";r=(\d)/.exec(headers.get('ratelimit') ?? '')?.[1])).toEqual(['3', '2', '1', '0']);
  const refused = await ask(keys[0] ?? '', second.url);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await problemOf(refused)).toMatchObject({
    status: 429,
    code: 'rate_limited',
    detail: expect.stringMatching(/^This tenant has used its 4 requests of this minute/),
  });
  expect((await ask((await api.clientOf('globex')).key)).status).toBe(200);
  await put(api, {});
  expect((await ask(keys[0] ?? '')).status).toBe(200);
});

test('when an operator lowers a limit on one API process then the others hold it within seconds, and lifting it lets jobs in', async () => {
  const api = await startApi();
  const second = createClient((await api.startAnother()).url, api.tenant.key);
  const send = async () => await second.send('POST', '/v1/jobs', chat(api.receiver));
  expect((await send()).status).toBe(202);
  await put(api, { max_live_jobs: 1 });
  const refused = await waitFor(
    async () => {
      const answer = await send();
      return answer.status === 202 ? undefined : answer;
    },
    { what: 'the limit to hold' },
  );
  expect(await problemOf(refused)).toMatchObject({
    status: 429,
    code: 'tenant_quota_exceeded',
    quota: { name: 'live', limit: 1 },
  });
  await put(api, {});
  await waitFor(async () => (await send()).status === 202, { what: 'the limit to be lifted' });
});

test('when the queue of a tenant is full then its jobs, batches and retries are refused until one has left it, and others are not', async () => {
  const api = await startApi();
  await put(api, { max_queued: 2 });
  const send = () => api.tenant.send('POST', '/v1/jobs', chat(api.receiver));
  const first = (await (await send()).json()) as Job;
  const ended = (await (await send()).json()) as Job;
  expect((await api.tenant.send('POST', `/v1/jobs/${ended.id}/cancel`)).status).toBe(200);

  const batch = await sendLines(api, ndjson(line('a'), line('b')));
  expect(batch.headers.get('retry-after')).toBe('15');
  expect(await problemOf(batch)).toMatchObject({
    status: 429,
    code: 'tenant_queue_full',
    detail:
      'The batch has 2 lines, and this tenant has 1 jobs that wait for their turn, of 2 that may. Nothing was accepted. Wait until some have begun, or cancel some.',
    quota: { name: 'queued', limit: 2, used: 1 },
  });
  expect(await problemOf(await sendLines(api, ndjson(line('a'), line('b'), line('c'))))).toMatchObject({
    detail: expect.stringMatching(/So many lines never fit: send at most 2 in one batch/),
  });
  expect((await sendLines(api, ndjson(line('a')))).status).toBe(202);

  for (const refused of [await send(), await api.tenant.send('POST', `/v1/jobs/${ended.id}/retry`, { mode: 'resubmit' })])
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'tenant_queue_full' });
  expect((await (await api.clientOf('globex')).send('POST', '/v1/jobs', chat(api.receiver))).status).toBe(202);
  expect((await api.tenant.send('POST', `/v1/jobs/${first.id}/cancel`)).status).toBe(200);
  expect((await send()).status).toBe(202);
  expect(await read(api)).toMatchObject({ used: { queued_jobs: 2 } });
});
