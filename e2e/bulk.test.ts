import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, type Job, type Stack, shareStack, startStack } from './stack.ts';

interface Bulk {
  id: string;
  status: string;
  counts: { matched: number; done: number; skipped: number; failed: number };
  skipped: Record<string, number>;
  eta_s: number | null;
}

const PATH = '/admin/v1/bulk-actions';
const read = (stack: Stack, id: string) => stack.admin.get<Bulk>(`${PATH}/${id}`);

const ended = (stack: Stack, id: string, timeoutMs = 30_000) =>
  waitFor(
    async () => {
      const bulk = await read(stack, id);
      return bulk.status === 'completed' ? bulk : undefined;
    },
    { timeoutMs, what: 'the bulk action to end' },
  );

async function failed(stack: Stack, count: number, fault: string, more: object = {}): Promise<string[]> {
  const posts = Array.from({ length: count }, (_, n) =>
    stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, `q${n} ${fault}`, { max_attempts: 1, ...more })),
  );
  const ids = (await Promise.all(posts)).map(({ id }) => id);
  for (const id of ids) expect((await stack.tenant.finished(id)).status).toBe('failed');
  return ids;
}

const dryRun = async (stack: Stack, body: object) =>
  await stack.admin.post<{
    counts: { matched: number };
    would: object;
    skipped: object;
    signatures: { id: string; count: number }[];
  }>(PATH, { dry_run: true, reason: 'how many?', ...body });

test('requeue: when a group of failures is run again then an abort stops it, a resume and a killed worker go on with it, and each job runs once', async () => {
  const stack = await startStack({ kills: true });
  const well = await failed(stack, 24, '[[fault=F20:as=refused,times=1]]');
  const broken = await failed(stack, 3, 'again [[fault=F20:as=refused,times=9]]');
  const lost = await failed(stack, 2, '[[fault=F4:status=503,times=1]]', { on_unknown_submit: 'fail' });
  // What is on its way already is no doing of the dry run.
  await stack.receiver.waitFor(29);

  const filter = { status: ['failed'] };
  const dry = await dryRun(stack, { action: 'requeue', filter });
  expect(dry).toMatchObject({ counts: { matched: 29 }, would: { resubmit: 27 }, skipped: { submit_unknown: 2 } });
  expect(dry.signatures.map(({ count }) => count).reduce((sum, n) => sum + n)).toBe(29);
  expect(stack.receiver.received.length).toBe(29);
  expect((await stack.tenant.job(well[0] ?? '')).run).toBe(1);
  expect((await stack.admin.get<{ data: unknown[] }>(PATH)).data).toEqual([]);

  const body = { action: 'requeue', filter, rate_per_min: 120, reason: 'upstream is well' };
  const post = (key: string, more: object = {}) =>
    stack.admin.send('POST', PATH, { ...body, ...more }, { 'idempotency-key': key });
  const made = await post('incident-1');
  const { id } = (await made.json()) as Bulk;
  expect([made.status, made.headers.get('location')]).toEqual([202, `${PATH}/${id}`]);
  const again = await post('incident-1');
  expect([again.headers.get('idempotent-replayed'), ((await again.json()) as Bulk).id]).toEqual(['true', id]);
  expect((await post('incident-1', { rate_per_min: 121 })).status).toBe(422);

  await waitFor(async () => (await read(stack, id)).counts.done >= 5, { timeoutMs: 10_000, what: 'some of them' });
  const aborted = await stack.admin.post<Bulk>(`${PATH}/${id}/abort`, { reason: 'a look first' });
  expect(aborted).toMatchObject({ status: 'aborted', counts: { matched: 29 }, eta_s: null });
  // Its answer may have been lost.
  expect((await stack.admin.post<Bulk>(`${PATH}/${id}/abort`, { reason: 'again' })).status).toBe('aborted');
  expect(aborted.counts.done).toBeLessThan(20);
  const resumed = await stack.admin.post<Bulk>(`${PATH}/${id}/resume`, { reason: 'it is fine' });
  expect(resumed.status).toBe('running');
  await waitFor(async () => (await read(stack, id)).counts.done > aborted.counts.done, {
    timeoutMs: 10_000,
    what: 'it to go on',
  });
  stack.worker.kill('SIGKILL');
  await stack.worker.exited;
  await stack.startWorker();

  const done = await ended(stack, id, 60_000);
  expect(done).toMatchObject({ counts: { matched: 29, failed: 0 }, skipped: { submit_unknown: 2 } });
  expect(done.counts.done + done.counts.skipped).toBe(29);
  const outcomes = await Promise.all(well.map(async (each) => await stack.tenant.finished(each)));
  expect(outcomes.map(({ run }) => run)).toEqual(Array(24).fill(2));
  // A call that was open when its worker was killed has no second attempt here.
  const cut = outcomes.filter(({ status }) => status !== 'succeeded').map(({ error }) => error?.code);
  expect([cut.length <= 3, ...new Set(cut)].slice(0, 2)).toEqual(cut.length === 0 ? [true] : [true, 'upstream_unavailable']);
  for (const each of broken) expect(await stack.tenant.finished(each)).toMatchObject({ status: 'failed', run: 2 });
  for (const each of lost) expect(await stack.tenant.job(each)).toMatchObject({ status: 'failed', run: 1 });

  expect((await stack.admin.send('POST', `${PATH}/${id}/resume`, { reason: 'r' })).status).toBe(409);
  const lines = (
    await stack.admin.get<{ data: { action: string; outcome: string; reason: string }[] }>(`/admin/v1/audit?target=${id}`)
  ).data;
  expect(lines.map(({ action, outcome, reason }) => [action, outcome, reason]).reverse()).toEqual([
    ['bulk.start', 'done', 'upstream is well'],
    ['bulk.abort', 'done', 'a look first'],
    ['bulk.abort', 'done', 'again'],
    ['bulk.resume', 'done', 'it is fine'],
    ['bulk.end', 'done', 'upstream is well'],
    ['bulk.resume', 'refused', 'r'],
  ]);
});

const freshStack = shareStack();

test('cancel: when the queued jobs of a tenant are canceled in bulk then all are, and nothing goes upstream', async () => {
  const stack = await freshStack();
  await stack.admin.send('PATCH', '/admin/v1/queues/call', { paused: true, reason: 'r' });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  await waitFor(async () => (await redis.hget('{gj-q}:call:meta', 'paused')) !== null, { what: 'the flag of the queue' });
  const ids = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, `q${n}`))).id),
  );
  const order = { action: 'cancel', filter: { tenant: stack.tenantName }, rate_per_min: 60_000, reason: 'asked by acme' };
  const { id } = await stack.admin.post<Bulk>(PATH, order);
  expect((await ended(stack, id)).counts).toEqual({ matched: 20, done: 20, skipped: 0, failed: 0 });
  for (const each of ids) expect((await stack.tenant.job(each)).status).toBe('canceled');
  await stack.admin.send('PATCH', '/admin/v1/queues/call', { paused: false, reason: 'the next test' });
});

test('redeliver: when the receiver was down for good then its webhooks go out again, the same ones, and delivered ones do not', async () => {
  const stack = await freshStack();
  const fine = (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'fine'))).id;
  await stack.receiver.waitFor(1);
  stack.receiver.respond(() => ({ status: 410 }));
  const gone = (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, 'gone'))).id;
  await waitFor(async () => (await stack.tenant.job(gone)).webhook.state === 'failed', {
    timeoutMs: 10_000,
    what: 'the failure',
  });
  stack.receiver.respond(() => ({ status: 204 }));
  const before = stack.receiver.received.length;
  const { id } = await stack.admin.post<Bulk>(PATH, {
    action: 'redeliver',
    filter: { tenant: stack.tenantName },
    reason: 'they are back',
  });
  expect(await ended(stack, id)).toMatchObject({ counts: { matched: 2, done: 1 }, skipped: { delivered: 1 } });
  const received = await stack.receiver.waitFor(before + 1);
  expect(received.at(-1)).toMatchObject({ signature: 'valid', json: { data: { id: gone } } });
  expect((await stack.tenant.job(fine)).webhook.state).toBe('delivered');
});
