import type { BulkActionView, BulkDryRunView, TenantView } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { commandLine } from './command-line.ts';
import { batchOf, json, startService } from './fake-service.ts';

const SIGNATURE = 'sig_0123456789abcdef';

const bulk = (status: BulkActionView['status'], done: number, more: Partial<BulkActionView> = {}): BulkActionView => ({
  object: 'bulk_action',
  id: 'bulk_1',
  action: 'requeue',
  status,
  counting: false,
  dry_run: false,
  counts: { matched: 3, done, skipped: 0, failed: 0 },
  skipped: {},
  failed: {},
  rate_per_min: 60,
  observed_rate_per_min: 60,
  eta_s: null,
  include_unknown: false,
  reason: 'upstream is well',
  key: { id: 'key_1', name: 'ann' },
  created_at: '2026-05-01T12:00:00.000Z',
  finished_at: null,
  ...more,
});

const DRY_RUN: BulkDryRunView = {
  object: 'bulk_action',
  action: 'cancel',
  status: 'dry_run',
  dry_run: true,
  counts: { matched: 3, skipped: 1, cancel: 2 },
  would: { cancel: 2 },
  skipped: { terminal: 1 },
  signatures: [],
  complete: true,
};

test('when many jobs are requeued then the filter goes out as the API names it, and the action is followed to its end', async () => {
  const looks = [bulk('running', 1), bulk('completed', 3)];
  const service = await startService((taken, response) => {
    if (taken.method === 'POST') json(response, 202, bulk('running', 0), { 'retry-after': '0' });
    else json(response, 200, looks.shift(), { 'retry-after': '0' });
  });
  const args = ['bulk', 'requeue', '--signature', SIGNATURE, '--tenant', 'acme', '--since', '2026-05-01', '--rate', '60'];
  const done = await commandLine(service.url)([...args, '--include-unknown', '--reason', 'upstream is well', '--yes']);
  expect(done).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/bulk_1 {2}requeue {2}completed\n\nmatched +3\ndone +3\n/),
  });
  expect(service.requests[0]?.headers['idempotency-key']).toMatch(/^[\w-]{36}$/);
  expect(JSON.parse(service.requests[0]?.body ?? '')).toEqual({
    action: 'requeue',
    filter: { signature: SIGNATURE, tenant: 'acme', created_after: '2026-05-01T00:00:00.000Z' },
    dry_run: false,
    rate_per_min: 60,
    include_unknown: true,
    reason: 'upstream is well',
  });
  expect(service.requests.slice(1).map(({ path }) => path)).toEqual([
    '/admin/v1/bulk-actions/bulk_1',
    '/admin/v1/bulk-actions/bulk_1',
  ]);
});

test('when it is a dry run then nobody is asked, and what would be done is shown', async () => {
  const service = await startService((_taken, response) => json(response, 200, DRY_RUN));
  const dry = await commandLine(service.url)(['bulk', 'cancel', 'job_1', 'job_2', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/matched +3\ncancel +2\nleft alone +1 terminal\n/) });
  expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({ action: 'cancel', ids: ['job_1', 'job_2'], dry_run: true });
});

test('when limits of a tenant are set then they go out as the API names them, and what holds is shown', async () => {
  const service = await startService((_taken, response) =>
    json(response, 200, {
      object: 'tenant',
      tenant: 'acme',
      limits: { models: ['a', 'b'], max_stored_bytes: 1024 ** 3 },
      effective: {
        requests_per_minute: null,
        models: ['a', 'b'],
        max_in_flight: 20,
        max_queued: null,
        max_live_jobs: 200_000,
        budget: { credits: 1_000_000, period: 'month' },
        max_redis_bytes: null,
        max_stored_bytes: 1024 ** 3,
      },
      used: { queued_jobs: 12, live_jobs: 17, redis_bytes: 2048, stored_bytes: 0, budget_credits: 182_400 },
    } satisfies TenantView),
  );
  const jobs = commandLine(service.url);
  const set = await jobs([
    'tenants',
    'set',
    'acme',
    '--models',
    'a,b',
    '--max-stored-bytes',
    '1gb',
    '--budget',
    '1000000/month',
    '--reason',
    'their plan',
  ]);
  expect(set).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /models +a, b\nin flight +20\nqueued +12, no limit\nlive jobs +17 of 200\D000\nbudget +182\D400 of 1\D000\D000 credits, this month\nin Redis +2.0 KiB, no limit\n/,
    ),
  });
  expect(service.requests.map(({ method, path }) => [method, path])).toEqual([['PUT', '/admin/v1/tenants/acme']]);
  expect(JSON.parse(service.requests[0]?.body ?? '')).toEqual({
    models: ['a', 'b'],
    max_stored_bytes: 1024 ** 3,
    budget: { credits: 1_000_000, period: 'month' },
    reason: 'their plan',
  });
  expect(await jobs(['tenants', 'set', 'acme', '--max-live-jobs', '-1', '--reason', 'r'])).toMatchObject({ code: 2 });
  expect(await jobs(['tenants', 'set', 'acme', '--budget', '5/week', '--reason', 'r'])).toMatchObject({ code: 2 });
});

test('when suspects are decided without ids then all of them are, some hundreds at a time', async () => {
  const left = [500, 0];
  const service = await startService((taken, response) =>
    taken.method === 'GET'
      ? json(response, 200, {
          object: 'list',
          data: [{ object: 'suspect', job_id: 'job_1', since: new Date().toISOString() }],
          total: 700,
        })
      : json(response, 200, { decided: 350, left: left.shift() }),
  );
  const jobs = commandLine(service.url);
  expect((await jobs(['suspects'])).stdout).toContain('job_1');
  expect(await jobs(['suspects', 'run', '--reason', 'no charge'])).toMatchObject({ code: 0, stdout: '700 decided, 0 left\n' });
  left.push(3);
  expect(await jobs(['suspects', 'fail', 'job_1', '--reason', 'charged'])).toMatchObject({ stdout: '350 decided, 3 left\n' });
  expect(service.requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))).toEqual([
    { action: 'run', reason: 'no charge' },
    { action: 'run', reason: 'no charge' },
    { action: 'fail', reason: 'charged', jobs: ['job_1'] },
  ]);
});

test('when a reason or the name of a key holds steering characters of a terminal then none goes through', async () => {
  const more = { reason: 'up\u001b[2J\nagain', key: { id: 'key_1', name: 'ann\u009b1m' } };
  const service = await startService((_taken, response) => json(response, 200, bulk('aborted', 1, more)));
  const shown = await commandLine(service.url)(['bulk', 'get', 'bulk_1']);
  expect(shown.stdout).toContain('reason   up[2J again (ann1m)\n');
});

test('when nothing says which jobs are meant, or nobody can be asked, then nothing is sent', async () => {
  const service = await startService((_taken, response) => json(response, 500, {}));
  const jobs = commandLine(service.url);
  for (const args of [
    ['bulk', 'requeue', '--reason', 'r', '--yes'],
    ['bulk', 'requeue', 'job_1', '--status', 'failed', '--reason', 'r', '--yes'],
    ['bulk', 'requeue', '--status', 'failed', '--reason', 'r'],
    ['bulk', 'requeue', '--status', 'failed', '--yes'],
  ])
    expect(await jobs(args)).toMatchObject({ code: 2, stdout: '' });
  expect(service.requests).toEqual([]);
});

const DELIVERY = {
  id: 'evt_1_1_job_failed',
  type: 'job.failed',
  url: 'https://caller.example/hooks',
  state: 'failed',
  tries: 2,
  attempts: [
    { phase: 'response', status: 500 },
    { phase: 'connect', error: 'ECONNREFUSED' },
  ],
  next_attempt_at: null,
  created_at: '2026-05-01T12:00:00.000Z',
};

test('when webhooks are listed, resent and recovered then the routes of deliveries are asked', async () => {
  const delivery = DELIVERY;
  const service = await startService((taken, response) => {
    if (taken.method === 'GET' && taken.path.startsWith('/admin/'))
      json(response, 403, { code: 'forbidden', title: 'Forbidden' });
    else if (taken.method === 'GET') json(response, 200, { object: 'list', data: [delivery], next_cursor: null });
    else if (taken.path.endsWith('/recover')) json(response, 202, JSON.parse(taken.body));
    else json(response, 202, { ...delivery, state: 'pending' });
  });
  const jobs = commandLine(service.url);
  expect((await jobs(['deliveries', '--state', 'failed,skipped', '--job', 'job_1'])).stdout).toMatch(
    /evt_1_1_job_failed +failed +2 +connect: ECONNREFUSED/,
  );
  expect(service.requests.map(({ path }) => path)).toEqual(['/admin/v1/webhook-deliveries', '/v1/webhook-deliveries']);
  expect(service.requests[1]?.query).toEqual({ state: 'failed,skipped', job_id: 'job_1', limit: '20' });
  expect((await jobs(['resend', delivery.id])).stdout).toBe(`${delivery.id} pending\n`);
  expect(service.requests[2]?.path).toBe(`/v1/webhook-deliveries/${delivery.id}/resend`);
  expect(await jobs(['recover', delivery.url, '--since', '2026-05-01'])).toMatchObject({ code: 0 });
  expect(JSON.parse(service.requests[3]?.body ?? '')).toEqual({ url: delivery.url, since: '2026-05-01T00:00:00.000Z' });
});

test("when the key is an operator's then deliveries and batches are those of all tenants, with a column for whose", async () => {
  const one = { ...DELIVERY, tenant: 'acme' };
  const batch = { ...batchOf(), tenant: 'other' };
  const service = await startService((taken, response) => {
    if (taken.method === 'POST') json(response, 202, { ...one, state: 'pending' });
    else if (taken.query['tenant'] === 'nobody') json(response, 200, { object: 'list', data: [], next_cursor: null });
    else if (taken.path === '/admin/v1/batches') json(response, 200, { object: 'list', data: [batch], next_cursor: null });
    else if (taken.query['cursor'] === 'c')
      json(response, 200, { object: 'list', data: [{ ...one, id: 'evt_2' }], next_cursor: null });
    else json(response, 200, { object: 'list', data: [one], next_cursor: 'c' });
  });
  const jobs = commandLine(service.url);
  expect((await jobs(['deliveries'])).stdout).toMatch(/^TENANT +DELIVERY.*\nacme +evt_1_1_job_failed +failed.*\nacme +evt_2 /s);
  expect((await jobs(['batch', 'list'])).stdout).toMatch(/^TENANT .*\nother +batch_/s);
  expect(await jobs(['deliveries', '--tenant', 'nobody', '--state', 'pending'])).toMatchObject({
    code: 0,
    stderr: 'No deliveries.\n',
  });
  expect(service.requests.at(-1)).toMatchObject({
    path: '/admin/v1/webhook-deliveries',
    query: { tenant: 'nobody', state: 'pending', limit: '20' },
  });
  expect((await jobs(['resend', one.id, '--reason', 'well again'])).stdout).toBe(`${one.id} pending\n`);
  expect(service.requests.at(-1)).toMatchObject({
    path: `/admin/v1/webhook-deliveries/${one.id}/resend`,
    body: '{"reason":"well again"}',
  });
});

test('when the key may not see all tenants then a tenant that is named is refused, and others are not passed off as it', async () => {
  const service = await startService((_taken, response) => json(response, 403, { code: 'forbidden', title: 'Forbidden' }));
  expect(await commandLine(service.url)(['deliveries', '--tenant', 'acme'])).toMatchObject({ code: 4, stdout: '' });
  expect(service.requests.map(({ path }) => path)).toEqual(['/admin/v1/webhook-deliveries']);
});

const FAILED = {
  id: 'job_1',
  type: 'image',
  status: 'failed',
  stage: null,
  model: 'nano-banana-2',
  input: { prompt: 'x' },
  metadata: {},
  priority: 'normal',
  run: 1,
  attempts: [],
  result: null,
  upstream: null,
  webhook: { url: null, state: 'none' },
  created_at: '2026-05-01T12:00:00.000Z',
  started_at: null,
  finished_at: '2026-05-01T12:00:01.000Z',
  error: {
    code: 'invalid_input',
    message: 'The upstream refused the input.',
    retryable: false,
    upstream: { status: 400, message: '{"id":"","status":"failed","error":"use png or jpeg"}' },
  },
};

test('when a job is of another tenant then an operator sees it all the same, with what upstream said', async () => {
  const service = await startService((taken, response) => {
    if (taken.path === '/admin/v1/jobs/job_1') json(response, 200, { ...FAILED, tenant: 'acme' });
    else json(response, 404, { title: 'none', detail: 'There is no job with this id.', code: 'not_found' });
  });
  const shown = await commandLine(service.url)(['get', 'job_1']);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tenant +acme$/m) });
  expect(shown.stdout).toContain('\n  Upstream (HTTP 400): use png or jpeg\n');
});

test('when a job is of nobody, or the key is of no operator, then the first refusal is reported', async () => {
  const service = await startService((taken, response) => {
    const refused = taken.path.startsWith('/admin') ? 403 : 404;
    json(response, refused, { title: 'no', detail: `refused with ${refused}`, code: 'x' });
  });
  const shown = await commandLine(service.url)(['get', 'job_1']);
  expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('refused with 404') });
});

test('when Redis was restored then each kind of what may have been paid for is a line with its command, and what there is none of is left out', async () => {
  const found = {
    ...{ object: 'restored', at: '2026-11-27T03:00:00.000Z', held: { images: 38, chats: 0 }, held_lines: 0, asked: 12 },
    ...{ too_old: 0, storing: 0, canceling: 0, webhooks: 17, called_off: { retries: 0, bulk_actions: 1 } },
  };
  const service = await startService((_taken, response) => json(response, 200, found));
  const told = await commandLine(service.url)(['admin', 'restored', '--at', '2026-11-27T03:00:00Z', '--reason', 'the disk died']);
  expect(told.stdout).toMatch(/images that waited .* 38 .* suspects fail --type image/);
  expect(told.stdout.split('\n').filter((line) => line !== '')).toHaveLength(5);
  expect(service.requests.map(({ body }) => JSON.parse(body))).toEqual([
    { at: '2026-11-27T03:00:00.000Z', reason: 'the disk died' },
  ]);
});
