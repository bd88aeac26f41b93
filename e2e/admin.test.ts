import { freePort, startRedisProxy, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, createClient, image, type Job, type Stack, startStack } from './stack.ts';

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

interface Group {
  id: string;
  code: string;
  stage: string;
  text: string;
  count: number;
  samples: string[];
}

interface Queue {
  name: string;
  paused: boolean;
  waiting: number;
  active: number;
  oldest_age_s: number | null;
  pauses: { reason: string; detail: string }[];
  concurrency: { set: number | null; workers: { concurrency: number; configured: number; open: number }[] };
}

interface Line {
  action: string;
  target: string;
  reason: string;
  outcome: string;
  detail: string | null;
  key: { id: string; name: string };
}

function redisOf(stack: Stack): Redis {
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

const audit = async (stack: Stack, query = '') => (await stack.admin.get<Page<Line>>(`/admin/v1/audit${query}`)).data;

const queue = async (stack: Stack, name: string): Promise<Queue> => {
  const found = (await stack.admin.get<Page<Queue>>('/admin/v1/queues')).data.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

const patch = async (stack: Stack, name: string, body: object) =>
  await stack.admin.send('PATCH', `/admin/v1/queues/${name}`, body);

test('failures: when jobs of two tenants fail in two ways then an operator finds the groups, their jobs, and runs one again', async () => {
  const stack = await startStack();
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'other',
    name: 'x',
    scopes: ['jobs:read', 'jobs:write'],
  });
  const other = createClient(stack.url, key);
  const ids = [
    await send(stack, image(stack.receiver, 'one [[fault=F20:as=refused,times=1]]', { max_attempts: 1 })),
    await send(stack, image(stack.receiver, 'two [[fault=F20:as=refused,times=1]]', { max_attempts: 1 })),
    (await other.post<Job>('/v1/jobs', image(stack.receiver, 'three [[fault=F20:as=refused,times=1]]', { max_attempts: 1 }))).id,
    await send(stack, image(stack.receiver, 'four [[fault=F6]]')),
  ];
  for (const [i, id] of ids.entries()) await (i === 2 ? other : stack.tenant).finished(id);

  const groups = async (query = '') => (await stack.admin.get<Page<Group>>(`/admin/v1/failures${query}`)).data;
  const [first, second] = await groups();
  expect([first, second]).toMatchObject([
    { code: 'upstream_failed', stage: 'submitting', count: 3, samples: ids.slice(0, 3).reverse() },
    { code: 'submit_unknown', count: 1, samples: [ids[3]] },
  ]);
  expect(await groups('?tenant=other')).toMatchObject([{ id: first?.id, count: 1 }]);
  expect(await groups('?code=submit_unknown,internal')).toMatchObject([{ id: second?.id }]);
  expect(await groups('?type=chat')).toEqual([]);

  const listed = async (query: string) =>
    (await stack.admin.get<Page<Job & { tenant: string }>>(`/admin/v1/jobs?${query}`)).data.map(({ id, tenant }) => [id, tenant]);
  expect(await listed('')).toEqual([
    [ids[3], 'acme'],
    [ids[2], 'other'],
    [ids[1], 'acme'],
    [ids[0], 'acme'],
  ]);
  expect(await listed(`signature=${first?.id}&tenant=acme`)).toEqual([
    [ids[1], 'acme'],
    [ids[0], 'acme'],
  ]);
  expect(await listed('error_code=submit_unknown')).toEqual([[ids[3], 'acme']]);

  const requeue = async (id: string | undefined, body: object) => {
    const answer = await stack.admin.send('POST', `/admin/v1/jobs/${id}/requeue`, body);
    return { status: answer.status, body: (await answer.json()) as Job & { code: string; detail: string } };
  };
  expect(await requeue(ids[3], { reason: 'a try' })).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect((await requeue(ids[3], { reason: 'a try' })).body.detail).toContain('"mode": "resubmit"');
  expect(await requeue(ids[2], { reason: 'upstream is well' })).toMatchObject({ status: 202, body: { run: 2 } });
  expect(await other.finished(ids[2] ?? '')).toMatchObject({ status: 'succeeded', run: 2 });
  expect(await groups()).toMatchObject([{ id: first?.id, count: 2 }, { count: 1 }]);

  await stack.receiver.waitFor(5);
  const detail = await waitFor(
    async () => {
      const job = await stack.admin.get<{
        tenant: string;
        past_runs: object[];
        deliveries: { run: number; type: string; state: string }[];
        timeline: { event: string; run: number }[];
      }>(`/admin/v1/jobs/${ids[2]}`);
      return job.deliveries.every(({ state }) => state === 'delivered') && job.deliveries.length === 2 ? job : undefined;
    },
    { what: 'both webhooks' },
  );
  expect(detail).toMatchObject({
    tenant: 'other',
    past_runs: [{ run: 1, status: 'failed', error: { code: 'upstream_failed' } }],
    deliveries: [
      { run: 1, type: 'job.failed' },
      { run: 2, type: 'job.succeeded' },
    ],
  });
  expect(detail.timeline[0]).toMatchObject({ event: 'accepted' });
  expect(detail.timeline.filter(({ event }) => event === 'run_ended').map(({ run }) => run)).toEqual([1, 2]);
  expect(detail.timeline.at(-1)).toMatchObject({ event: 'webhook_try', run: 2 });

  expect(await audit(stack, '?action=job.requeue')).toMatchObject([
    { target: ids[2], outcome: 'done', reason: 'upstream is well', detail: 'run 2, resubmit', key: { name: 'ADMIN_API_KEY' } },
    { target: ids[3], outcome: 'refused', reason: 'a try' },
    { target: ids[3], outcome: 'refused' },
  ]);
});

test('queues: when an operator pauses one then all workers stop at once, and those that start later too, until it is resumed', async () => {
  const stack = await startStack({ workers: 2 });
  const paused = await patch(stack, 'call', { paused: true, reason: 'the account moves' });
  expect(await paused.json()).toMatchObject({
    paused: true,
    pauses: [{ reason: 'operator', detail: 'ADMIN_API_KEY: the account moves' }],
  });
  const redis = redisOf(stack);
  await waitFor(async () => (await redis.hget('{gj-q}:call:meta', 'paused')) !== null, { what: 'the flag' });
  const ids = await Promise.all([1, 2, 3].map((n) => send(stack, chat(stack.receiver, `q${n}`))));
  await stack.startWorker();
  await waitFor(async () => (await queue(stack, 'call')).concurrency.workers.length === 3, { what: 'the third worker' });
  expect(await queue(stack, 'call')).toMatchObject({ paused: true, waiting: 3, active: 0 });
  expect((await queue(stack, 'call')).oldest_age_s).toBeGreaterThan(0);
  expect(stack.emulator.ledger.submits).toEqual([]);
  const entries = (path: string) => stack.admin.send('GET', `/admin/v1/queues/${path}`);
  expect(await (await entries('call/entries?limit=2')).json()).toMatchObject({
    data: [
      {
        object: 'queue_entry',
        id: `${ids[0]}.1`,
        state: 'waiting',
        attempts: 0,
        data: { job_id: ids[0], step: 1 },
        failure: null,
      },
      { id: `${ids[1]}.1` },
    ],
    next_cursor: '2',
  });
  expect(await (await entries('call/entries?cursor=2')).json()).toMatchObject({
    data: [{ id: `${ids[2]}.1` }],
    next_cursor: null,
  });
  expect((await entries('nowhere/entries')).status).toBe(404);
  expect((await entries('call/entries?state=lost')).status).toBe(422);
  await patch(stack, 'call', { paused: false, reason: 'it has moved' });
  for (const id of ids) expect(await stack.tenant.finished(id, 10_000)).toMatchObject({ status: 'succeeded' });
  expect(await audit(stack, '?action=queue.change')).toMatchObject([
    { target: 'call', outcome: 'done', detail: 'resumed', reason: 'it has moved' },
    { target: 'call', outcome: 'done', detail: 'paused' },
  ]);
});

test('queues: when Redis is full then an operator still pauses one, what needs room is a 503, and the pause holds once there is room', async () => {
  const stack = await startStack();
  const redis = redisOf(stack);
  await waitFor(async () => (await queue(stack, 'call')).concurrency.workers.length === 1, { what: 'the worker' });
  await redis.config('SET', 'maxmemory', '1mb');
  expect((await patch(stack, 'call', { paused: true, reason: 'no room' })).status).toBe(200);
  const key = { tenant: 'acme', name: 'n', scopes: ['jobs:read'] };
  const refused = await stack.admin.send('POST', '/admin/v1/keys', key);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await audit(stack, '?limit=2')).toMatchObject([
    { action: 'key.create', outcome: 'failed' },
    { action: 'queue.change', outcome: 'done' },
  ]);
  await redis.config('SET', 'maxmemory', '0');
  await waitFor(async () => (await redis.hget('{gj-q}:call:meta', 'paused')) !== null, { timeoutMs: 15_000, what: 'the flag' });
  expect(await queue(stack, 'call')).toMatchObject({ paused: true, concurrency: { workers: [{}] } });
});

test('queues: when the concurrency is raised while calls are open then more run within seconds', async () => {
  const stack = await startStack({ env: { CALL_CONCURRENCY: '1' } });
  for (let n = 0; n < 8; n += 1) await send(stack, chat(stack.receiver, `slow ${n} [[chat-ms=60000]]`));
  const open = (n: number, timeoutMs: number) =>
    waitFor(() => stack.emulator.ledger.submitsOf({ kind: 'chat' }).length === n, { timeoutMs, what: `${n} open calls` });
  await open(1, 10_000);
  await patch(stack, 'call', { concurrency: 3, reason: 'more' });
  await open(3, 3000);
  await waitFor(async () => (await queue(stack, 'call')).concurrency.workers[0]?.concurrency === 3, {
    timeoutMs: 15_000,
    what: 'the worker to say so',
  });
  expect((await queue(stack, 'call')).concurrency).toMatchObject({ set: 3, workers: [{ configured: 1, open: 3 }] });
  await patch(stack, 'call', { concurrency: null, reason: 'as before' });
  await waitFor(async () => (await queue(stack, 'call')).concurrency.workers[0]?.concurrency === 1, {
    timeoutMs: 15_000,
    what: 'the old number',
  });
  expect((await queue(stack, 'call')).concurrency.set).toBeNull();
});

test('keys: when one is revoked on one API process then the other refuses it at once, also while it hears nothing', async () => {
  const stack = await startStack({ workers: 0 });
  const port = await freePort();
  await stack.startApi({ PORT: String(port) });
  const far = (key: string) => createClient(`http://127.0.0.1:${port}`, key);
  const make = async (name: string) =>
    await stack.admin.post<{ id: string; key: string }>('/admin/v1/keys', { tenant: 'acme', name, scopes: ['jobs:read'] });
  const status = async (key: string) => (await far(key).send('GET', '/v1/jobs')).status;
  const revoke = async (id: string) => (await stack.admin.send('DELETE', `/admin/v1/keys/${id}`, { reason: 'it leaked' })).status;

  for (let n = 0; n < 10; n += 1) {
    const { id, key } = await make(`k${n}`);
    expect(await status(key)).toBe(200);
    expect(await revoke(id)).toBe(204);
    expect(await status(key)).toBe(401);
  }

  const watcher = await make('watcher');
  const writer = await stack.admin.post<{ id: string; key: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'writer',
    scopes: ['jobs:write'],
  });
  const { id } = await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver));
  const stream = await far(watcher.key).send('GET', `/v1/jobs/${id}/events`, undefined, { accept: 'text/event-stream' });
  const waiting = far(writer.key).send('POST', '/v1/jobs', chat(stack.receiver, 'wait'), { prefer: 'wait=60' });
  await waitFor(async () => (await stack.tenant.get<Page<Job>>('/v1/jobs')).data.length === 2, { what: 'the second job' });
  for (const each of [watcher, writer]) expect(await revoke(each.id)).toBe(204);
  // Both would be open for a minute and more.
  expect(await stream.text()).toContain('event: job.queued');
  expect((await waiting).status).toBe(401);

  const lost = await make('lost');
  expect(await status(lost.key)).toBe(200);
  stack.proxy.dropAll();
  await waitFor(async () => (await stack.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
  await waitFor(async () => (await revoke(lost.id).catch(() => 0)) === 204, { what: 'the revocation' });
  await waitFor(async () => (await status(lost.key)) !== 503, { what: 'the other process to be back' });
  expect(await status(lost.key)).toBe(401);

  const left = await stack.admin.get<Page<Record<string, unknown>>>('/admin/v1/keys?tenant=acme');
  expect(left.data).toMatchObject([{ object: 'api_key', name: 'tests', tenant: 'acme', last_used_at: null }]);
  expect(JSON.stringify(left)).not.toMatch(/gj_|hash/);
  expect((await stack.admin.send('DELETE', `/admin/v1/keys/${lost.id}?reason=again`)).status).toBe(404);
  expect(await audit(stack, '?action=key.delete&limit=2')).toMatchObject([
    { target: lost.id, outcome: 'refused', reason: 'again' },
    { target: lost.id, outcome: 'done', reason: 'it leaked', detail: 'lost, of acme' },
  ]);
});

test('keys: when an API process cannot subscribe then it looks up each request, and refuses what was revoked', async () => {
  const stack = await startStack({ workers: 0 });
  const proxy = await startRedisProxy(stack.redis.url);
  let over = false;
  const cutting = (async () => {
    while (!over) await proxy.cutBefore('subscribe');
  })();
  const port = await freePort();
  await stack.startApi({ PORT: String(port), REDIS_URL: proxy.url });
  onTestFinished(async () => {
    over = true;
    await cutting;
    await proxy.stop();
  });
  const { id, key } = await stack.admin.post<{ id: string; key: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'k',
    scopes: ['jobs:read'],
  });
  const status = async () => (await createClient(`http://127.0.0.1:${port}`, key).send('GET', '/v1/jobs')).status;
  const before = proxy.counts['get'] ?? 0;
  for (let n = 0; n < 5; n += 1) expect(await status()).toBe(200);
  expect((proxy.counts['get'] ?? 0) - before).toBe(5);
  expect((await stack.admin.send('DELETE', `/admin/v1/keys/${id}?reason=it+leaked`)).status).toBe(204);
  expect(await status()).toBe(401);
});

test('audit: when Redis is away at the change then nothing is done without a line', async () => {
  const stack = await startStack({ workers: 0 });
  const cut = stack.proxy.cutBefore((command) => command.args.includes('{gj}:pauses:poll'));
  expect((await patch(stack, 'poll', { paused: true, reason: 'cut' })).status).toBe(503);
  await cut;
  await waitFor(async () => (await stack.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
  expect(await audit(stack, '?target=poll')).toMatchObject([{ action: 'queue.change', reason: 'cut' }]);
  expect(['failed', 'begun']).toContain((await audit(stack, '?target=poll'))[0]?.outcome);
  expect((await queue(stack, 'poll')).paused).toBe(false);
});

test('when the answer of Redis is lost then a reader hears that it was not read, and an operator that it may have been done', async () => {
  const stack = await startStack({ workers: 0 });
  const problemOf = async (answer: Response) => [answer.status, ((await answer.json()) as { detail: string }).detail];
  const lost = async (ask: () => Promise<Response>, key: string) => {
    const cut = stack.proxy.cutAfterNextReply((command) => command.args.includes(key));
    const problem = await problemOf(await ask());
    await cut;
    await waitFor(async () => (await stack.admin.send('GET', '/admin/v1/queues')).ok, { what: 'Redis to be back' });
    return problem;
  };
  expect(await lost(() => stack.admin.send('GET', '/admin/v1/keys'), '{gj}:keys')).toEqual([
    503,
    'The job store did not answer. Send the request again.',
  ]);
  expect(await lost(() => patch(stack, 'poll', { paused: true, reason: 'lost' }), '{gj}:pauses:poll')).toEqual([
    503,
    'The answer of the job store was lost, so the request may have been carried out. Look whether it was before you send it again.',
  ]);
  expect((await queue(stack, 'poll')).paused).toBe(true);
});

test('overview: when jobs run then the numbers tell what stands, what ran, where, and who works', async () => {
  const stack = await startStack({ emulator: { taskMs: 60_000 } });
  await stack.tenant.finished(await send(stack, chat(stack.receiver)));
  await send(stack, image(stack.receiver));
  await patch(stack, 'submit', { paused: true, reason: 'a look' });
  const overview = await waitFor(
    async () => {
      const now = await stack.admin.get<{ in_flight_by_base: { base: string; count: number }[]; workers: { queues: object }[] }>(
        '/admin/v1/overview',
      );
      return now.in_flight_by_base[0]?.base && now.workers.length === 1 ? now : undefined;
    },
    { what: 'a task in flight' },
  );
  expect(overview).toMatchObject({
    jobs: { live: 1, queued: 0, in_flight: 1, failed: 0 },
    rates: [{ minutes: 1, accepted_per_min: 2, ended_per_min: 1 }, { minutes: 5 }, { minutes: 60 }],
    in_flight_by_base: [{ base: stack.emulator.url, count: 1 }],
    pauses: [{ queue: 'submit', reason: 'operator' }],
    redis: { policy: 'noeviction' },
    workers: [{ queues: { submit: { concurrency: 20, configured: 20 } } }],
  });
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
  const stack = await startStack({ workers: 0 });
  const before = (await audit(stack)).length;
  const seen = [];
  for (const { method, path, body } of REFUSED) {
    const answer = await stack.admin.send(method, `/admin/v1/${path}`, body);
    const problem = (await answer.json()) as { errors?: { pointer: string }[] };
    seen.push([answer.status, problem.errors?.[0]?.pointer]);
  }
  expect(seen.map((each, i) => [REFUSED[i]?.what, ...each])).toEqual(
    REFUSED.map(({ what, status, pointer }) => [what, status, pointer]),
  );
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'admin',
    name: 'r',
    scopes: ['admin:read'],
  });
  const reader = createClient(stack.url, key);
  for (const path of READ) {
    expect(`${path} ${(await stack.tenant.send('GET', path)).status}`).toBe(`${path} 403`);
    const allowed = (await reader.send('GET', path)).status;
    expect(`${path} ${allowed}`).toBe(`${path} ${path.includes('job_') ? 404 : 200}`);
  }
  for (const { method, path, body } of REFUSED.filter((row) => row.method !== 'GET'))
    expect((await reader.send(method, `/admin/v1/${path}`, body)).status).toBe(403);
  expect((await audit(stack)).map(({ action, outcome }) => `${action} ${outcome}`).slice(0, -before)).toEqual([
    'key.create done',
    'key.delete refused',
  ]);
});
