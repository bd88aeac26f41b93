import type { BulkActionView, BulkDryRunView } from '@grsai-jobs/jobs';
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
  const dry = await commandLine(service.url)(['bulk', 'cancel', 'job_1', 'job_2', '--dry-run', '--reason', 'r']);
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/matched +3\ncancel +2\nleft alone +1 terminal\n/) });
  expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({ action: 'cancel', ids: ['job_1', 'job_2'], dry_run: true });
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

test('when a job is of nobody, or the key is of no operator, then the first refusal is told', async () => {
  const service = await startService((taken, response) => {
    const refused = taken.path.startsWith('/admin') ? 403 : 404;
    json(response, refused, { title: 'no', detail: `refused with ${refused}`, code: 'x' });
  });
  const shown = await commandLine(service.url)(['get', 'job_1']);
  expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('refused with 404') });
});
