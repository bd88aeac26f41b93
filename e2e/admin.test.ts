import { type AuditLine, type Queue, waitFor } from '@grsai-jobs/testkit';
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

function redisOf(stack: Stack): Redis {
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

const audit = async (stack: Stack, query = '') => (await stack.admin.get<Page<AuditLine>>(`/admin/v1/audit${query}`)).data;

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
  const ids: string[] = [];
  // One after the other, so that they end in this order.
  for (const [client, prompt, more] of [
    [stack.tenant, 'one [[fault=F20:as=refused,times=1]]', { max_attempts: 1 }],
    [stack.tenant, 'two [[fault=F20:as=refused,times=1]]', { max_attempts: 1 }],
    [other, 'three [[fault=F20:as=refused,times=1]]', { max_attempts: 1 }],
    [stack.tenant, 'four [[fault=F6]]', {}],
  ] as const) {
    const { id } = await client.post<Job>('/v1/jobs', image(stack.receiver, prompt, more));
    ids.push(id);
    await client.finished(id);
  }

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
  expect(detail.timeline.at(-1)).toMatchObject({ event: 'webhook_attempt', run: 2 });

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

test('queues: when the concurrency is raised while calls are in flight then more run within seconds', async () => {
  const stack = await startStack({ env: { CALL_CONCURRENCY: '1' } });
  for (let n = 0; n < 8; n += 1) await send(stack, chat(stack.receiver, `slow ${n} [[chat-ms=60000]]`));
  const open = (n: number, timeoutMs: number) =>
    waitFor(() => stack.emulator.ledger.submitsOf({ kind: 'chat' }).length === n, { timeoutMs, what: `${n} calls in flight` });
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

test('overview: when jobs run then the numbers say what stands, what ran, where, and who works', async () => {
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
