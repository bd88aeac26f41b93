import { type AuditLine, chat, createClient, type Job, type Queue, startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

const audit = async (api: TestApi, query = '') => (await api.admin.get<Page<AuditLine>>(`/admin/v1/audit${query}`)).data;

const queue = async (api: TestApi, name: string): Promise<Queue> => {
  const found = (await api.admin.get<Page<Queue>>('/admin/v1/queues')).data.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

const patch = async (api: TestApi, name: string, body: object) => await api.admin.send('PATCH', `/admin/v1/queues/${name}`, body);

test('keys: when one is revoked on one API process then the other refuses it at once, also while it is disconnected', async () => {
  const api = await startApi();
  const other = await api.startAnother();
  const far = (key: string) => createClient(other.url, key);
  const make = async (name: string) =>
    await api.admin.post<{ id: string; key: string }>('/admin/v1/keys', { tenant: 'acme', name, scopes: ['jobs:read'] });
  const status = async (key: string) => (await far(key).send('GET', '/v1/jobs')).status;
  const revoke = async (id: string) => (await api.admin.send('DELETE', `/admin/v1/keys/${id}`, { reason: 'it leaked' })).status;

  for (let n = 0; n < 10; n += 1) {
    const { id, key } = await make(`k${n}`);
    expect(await status(key)).toBe(200);
    expect(await revoke(id)).toBe(204);
    expect(await status(key)).toBe(401);
  }

  const watcher = await make('watcher');
  const writer = await api.admin.post<{ id: string; key: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'writer',
    scopes: ['jobs:write'],
  });
  const { id } = await api.tenant.post<Job>('/v1/jobs', chat(api.receiver));
  const stream = await far(watcher.key).send('GET', `/v1/jobs/${id}/events`, undefined, { accept: 'text/event-stream' });
  const waiting = far(writer.key).send('POST', '/v1/jobs', chat(api.receiver, 'wait'), { prefer: 'wait=60' });
  await waitFor(async () => (await api.tenant.get<Page<Job>>('/v1/jobs')).data.length === 2, { what: 'the second job' });
  for (const each of [watcher, writer]) expect(await revoke(each.id)).toBe(204);
  // Both would be open for a minute and more.
  expect(await stream.text()).toContain('event: job.queued');
  expect((await waiting).status).toBe(401);

  const lost = await make('lost');
  expect(await status(lost.key)).toBe(200);
  api.proxy.dropAll();
  await waitFor(async () => (await api.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
  await waitFor(async () => (await revoke(lost.id).catch(() => 0)) === 204, { what: 'the revocation' });
  await waitFor(async () => (await status(lost.key)) !== 503, { what: 'the other process to be back' });
  expect(await status(lost.key)).toBe(401);

  const left = await api.admin.get<Page<Record<string, unknown>>>('/admin/v1/keys?tenant=acme');
  expect(left.data).toMatchObject([{ object: 'api_key', name: 'tests', tenant: 'acme', last_used_at: null }]);
  expect(JSON.stringify(left)).not.toMatch(/gj_|hash/);
  // Whoever has lost the answer sends it again.
  expect((await api.admin.send('DELETE', `/admin/v1/keys/${lost.id}?reason=again`)).status).toBe(204);
  expect(await audit(api, '?action=key.delete&limit=2')).toMatchObject([
    { target: lost.id, outcome: 'done', reason: 'again', detail: 'it was revoked before' },
    { target: lost.id, outcome: 'done', reason: 'it leaked', detail: 'lost, of acme' },
  ]);
});

test('keys: when an API process cannot subscribe then it looks up each request, and refuses what was revoked', async () => {
  const api = await startApi();
  const proxy = await startRedisProxy(api.redis.url);
  let over = false;
  const cutting = (async () => {
    while (!over) await proxy.cutBefore('subscribe');
  })();
  const other = await api.startAnother({ REDIS_URL: proxy.url });
  onTestFinished(async () => {
    over = true;
    await cutting;
    await proxy.stop();
  });
  const { id, key } = await api.admin.post<{ id: string; key: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'k',
    scopes: ['jobs:read'],
  });
  const status = async () => (await createClient(other.url, key).send('GET', '/v1/jobs')).status;
  const before = proxy.counts['get'] ?? 0;
  for (let n = 0; n < 5; n += 1) expect(await status()).toBe(200);
  expect((proxy.counts['get'] ?? 0) - before).toBe(5);
  expect((await api.admin.send('DELETE', `/admin/v1/keys/${id}?reason=it+leaked`)).status).toBe(204);
  expect(await status()).toBe(401);
});

test('audit: when Redis is away at the change then nothing is done without a line', async () => {
  const api = await startApi();
  const cut = api.proxy.cutBefore((command) => command.args.includes('{gj}:pauses:poll'));
  expect((await patch(api, 'poll', { paused: true, reason: 'cut' })).status).toBe(503);
  await cut;
  await waitFor(async () => (await api.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
  expect(await audit(api, '?target=poll')).toMatchObject([{ action: 'queue.change', reason: 'cut' }]);
  expect(['failed', 'begun']).toContain((await audit(api, '?target=poll'))[0]?.outcome);
  expect((await queue(api, 'poll')).paused).toBe(false);
});

test('when the answer of Redis is lost then a reader is answered that it was not read, and an operator that it may have been done', async () => {
  const api = await startApi();
  const problemOf = async (answer: Response) => [answer.status, ((await answer.json()) as { detail: string }).detail];
  const lost = async (ask: () => Promise<Response>, key: string) => {
    const cut = api.proxy.cutAfterNextReply((command) => command.args.includes(key));
    const problem = await problemOf(await ask());
    await cut;
    await waitFor(async () => (await api.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
    return problem;
  };
  expect(await lost(() => api.admin.send('GET', '/admin/v1/keys'), '{gj}:keys')).toEqual([
    503,
    'The job store did not answer. Send the request again.',
  ]);
  expect(await lost(() => patch(api, 'poll', { paused: true, reason: 'lost' }), '{gj}:pauses:poll')).toEqual([
    503,
    'The answer of the job store was lost, so the request may have been carried out. Look whether it was before you send it again.',
  ]);
  expect((await queue(api, 'poll')).paused).toBe(true);
});

const READ = [
  '/admin/v1/overview',
  '/admin/v1/failures',
  '/admin/v1/jobs',
  '/admin/v1/jobs/job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
  '/admin/v1/queues',
  '/admin/v1/keys',
  '/admin/v1/audit',
];

interface Row {
  what: string;
  method: string;
  path: string;
  body?: unknown;
  status: number;
  pointer?: string;
}

const REFUSED: readonly Row[] = [
  { what: 'no reason', method: 'PATCH', path: 'queues/call', body: { paused: true }, status: 422, pointer: '/reason' },
  {
    what: 'an empty reason',
    method: 'PATCH',
    path: 'queues/call',
    body: { paused: true, reason: ' ' },
    status: 422,
    pointer: '/reason',
  },
  {
    what: 'a reason of 501 characters',
    method: 'PATCH',
    path: 'queues/call',
    body: { paused: true, reason: 'x'.repeat(501) },
    status: 422,
    pointer: '/reason',
  },
  { what: 'no change', method: 'PATCH', path: 'queues/call', body: { reason: 'r' }, status: 422, pointer: '' },
  {
    what: 'a concurrency of 0',
    method: 'PATCH',
    path: 'queues/call',
    body: { concurrency: 0, reason: 'r' },
    status: 422,
    pointer: '/concurrency',
  },
  {
    what: 'a pause of maintain',
    method: 'PATCH',
    path: 'queues/maintain',
    body: { paused: true, reason: 'r' },
    status: 422,
    pointer: '/paused',
  },
  { what: 'an unknown queue', method: 'PATCH', path: 'queues/calls', body: { paused: true, reason: 'r' }, status: 404 },
  {
    what: 'a key whose name is blank',
    method: 'POST',
    path: 'keys',
    body: { tenant: 'ops', name: '  ', scopes: ['admin:read'] },
    status: 422,
    pointer: '/name',
  },
  {
    what: 'a key whose name turns the text around it',
    method: 'POST',
    path: 'keys',
    body: { tenant: 'ops', name: 'ann\u202e', scopes: ['admin:read'] },
    status: 422,
    pointer: '/name',
  },
  {
    what: 'a key whose name steers a terminal',
    method: 'POST',
    path: 'keys',
    body: { tenant: 'ops', name: '\u001b[2Jann', scopes: ['admin:read'] },
    status: 422,
    pointer: '/name',
  },
  {
    what: 'a key that is named as the first one',
    method: 'POST',
    path: 'keys',
    body: { tenant: 'ops', name: ' ADMIN_API_KEY', scopes: ['admin:read'] },
    status: 422,
    pointer: '/name',
  },
  { what: 'a delete without a reason', method: 'DELETE', path: 'keys/key_1', status: 422, pointer: '/reason' },
  { what: 'a key that is not there', method: 'DELETE', path: 'keys/key_1?reason=r', status: 404 },
  {
    what: 'a job that is not there',
    method: 'POST',
    path: 'jobs/job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D/requeue',
    body: { reason: 'r' },
    status: 404,
  },
  { what: 'an id that is none', method: 'GET', path: 'jobs/x', status: 404 },
  {
    what: 'an unknown mode',
    method: 'POST',
    path: 'jobs/job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D/requeue',
    body: { mode: 'x', reason: 'r' },
    status: 422,
    pointer: '/mode',
  },
  { what: 'an unknown filter', method: 'GET', path: 'failures?x=1', status: 422, pointer: '/x' },
  { what: 'an unknown code', method: 'GET', path: 'failures?code=x', status: 422, pointer: '/code/0' },
  { what: 'a time that is none', method: 'GET', path: 'failures?since=yesterday', status: 422, pointer: '/since' },
  { what: 'a signature that is none', method: 'GET', path: 'jobs?signature=x', status: 422, pointer: '/signature' },
  { what: 'a tenant that is none', method: 'GET', path: 'jobs?tenant=A', status: 422, pointer: '/tenant' },
  { what: 'a cursor that is none', method: 'GET', path: 'keys?cursor=x', status: 400 },
  { what: 'a cursor of the audit log that is none', method: 'GET', path: 'audit?cursor=x', status: 422, pointer: '/cursor' },
  { what: 'a limit of 101', method: 'GET', path: 'audit?limit=101', status: 422, pointer: '/limit' },
];

test('bad input and keys without the scope are refused, and none of it changes anything', async () => {
  const api = await startApi();
  const before = (await audit(api)).length;
  const seen = [];
  for (const { method, path, body } of REFUSED) {
    const answer = await api.admin.send(method, `/admin/v1/${path}`, body);
    const problem = (await answer.json()) as { errors?: { pointer: string }[] };
    seen.push([answer.status, problem.errors?.[0]?.pointer]);
  }
  expect(seen.map((each, i) => [REFUSED[i]?.what, ...each])).toEqual(
    REFUSED.map(({ what, status, pointer }) => [what, status, pointer]),
  );
  const { key } = await api.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'admin',
    name: 'r',
    scopes: ['admin:read'],
  });
  const reader = createClient(api.url, key);
  for (const path of READ) {
    expect(`${path} ${(await api.tenant.send('GET', path)).status}`).toBe(`${path} 403`);
    const allowed = (await reader.send('GET', path)).status;
    expect(`${path} ${allowed}`).toBe(`${path} ${path.includes('job_') ? 404 : 200}`);
  }
  for (const { method, path, body } of REFUSED.filter((row) => row.method !== 'GET'))
    expect((await reader.send(method, `/admin/v1/${path}`, body)).status).toBe(403);
  expect((await audit(api)).map(({ action, outcome }) => `${action} ${outcome}`).slice(0, -before)).toEqual([
    'key.create done',
    'key.delete refused',
  ]);
});
