import { subjectOfEvent } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createJobStore, endpointName } from '../src/index.ts';
import { imageDoc, jobIn, type Started, startStore } from './harness.ts';
import { ask, attemptLease, attemptOf, ENDPOINT, end, pendingDelivery, URL_A } from './webhooks-harness.ts';

const PROGRESS = imageDoc({ webhook: { url: URL_A, events: ['job.started', 'job.progress', 'job.failed'] } });

async function liveJob(harness: Started) {
  const job = await jobIn(harness, 'generating', PROGRESS);
  const { tenant, run } = await job.read();
  const report = (event: Parameters<typeof harness.store.deliveries.report>[1]) =>
    harness.store.deliveries.report({ id: job.id, tenant, run, url: URL_A }, event);
  return { ...job, report };
}

const cutScript = (harness: Started) =>
  harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');

test('when progress is reported then the job as it is goes with it, and what the job says of its webhook stays', async () => {
  const harness = await startStore();
  const job = await liveJob(harness);
  const entry = await job.report({ type: 'job.started' });
  expect(entry).toEqual({ id: `evt_${job.id.slice(4)}_1_job_started`, step: 1, endpoint: endpointName(ENDPOINT) });
  const { seq } = await job.read();
  await harness.store.transitions.commit(await job.read(), { kind: 'poll', progress: 60, polls: 1 });
  expect((await harness.store.deliveries.read(entry?.id ?? ''))?.delivery).toMatchObject({
    type: 'job.started',
    sequence: seq,
    snapshot: { status: 'running', stage: 'generating', progress: 0 },
    job_id: job.id,
  });
  expect((await job.read()).webhook).toEqual({ state: 'none', last_delivery_id: null });
});

test('when progress comes often then it is reported every five seconds, and the same progress once', async () => {
  const harness = await startStore();
  const job = await liveJob(harness);
  const at = (percent: number) => job.report({ type: 'job.progress', percent });
  expect((await at(10))?.id).toBe(`evt_${job.id.slice(4)}_1_job_progress_10`);
  await harness.clock.advance(4999);
  expect(await at(20)).toBeNull();
  await harness.clock.advance(1);
  const reported = await at(20);
  expect(reported).not.toBeNull();
  // Another worker with the same report adds the same entry, until it is settled.
  expect(await at(20)).toEqual(reported);
  const lease = attemptLease();
  const opened = await harness.store.deliveries.open({ id: reported?.id ?? '', step: 1 }, lease);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response' };
  await harness.store.deliveries.settle(opened.delivery, { state: 'delivered', attempt });
  expect(await at(20)).toBeNull();
});

test('when the run is over then nothing of it is reported, and a delete erases what was', async () => {
  const harness = await startStore();
  const job = await liveJob(harness);
  const reported = await job.report({ type: 'job.progress', percent: 42 });
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
  await harness.clock.advance(10_000);
  expect(await job.report({ type: 'job.progress', percent: 50 })).toBeNull();
  expect(await job.report({ type: 'job.started' })).toBeNull();

  const lease = attemptLease();
  const opened = await harness.store.deliveries.open({ id: reported?.id ?? '', step: 1 }, lease);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response' };
  await harness.store.deliveries.settle(opened.delivery, { state: 'failed', attempt });
  expect((await job.read()).webhook.state).toBe('pending');
  await harness.store.erase.old(await job.read(), 0);
  expect(await harness.store.deliveries.read(reported?.id ?? '')).toBeNull();
  expect(await harness.redis.zscore('{gj}:tenant:acme:deliveries', reported?.id ?? '')).toBeNull();
});

test('when a receiver is in trouble then progress webhooks are skipped, not kept for later', async () => {
  const harness = await startStore();
  const job = await liveJob(harness);
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < 10; n += 1) await attemptOf(harness, unsent, 'failed');
  const reported = await job.report({ type: 'job.progress', percent: 42 });
  const opened = await harness.store.deliveries.open({ id: reported?.id ?? '', step: 1 }, attemptLease());
  expect(opened).toMatchObject({ kind: 'skipped', state: 'skipped', delivery: { type: 'job.progress' } });
});

test('when progress webhooks that were delivered are resent to a receiver in trouble then they wait for it, and stay delivered if it takes none', async () => {
  const harness = await startStore();
  const job = await liveJob(harness);
  const { id = '' } = (await job.report({ type: 'job.started' })) ?? {};
  const read = async () => (await harness.store.deliveries.read(id))?.delivery;
  const delivery = { id, jobId: job.id, read: async () => (await read()) ?? Promise.reject(new Error('no delivery')) };
  await attemptOf(harness, delivery, 'ok');
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < 9; n += 1) await attemptOf(harness, unsent, 'failed');
  expect(await harness.store.deliveries.resend(await delivery.read())).toBe(2);
  expect(await ask(harness, delivery)).toMatchObject({ kind: 'room', why: 'breaker' });
  expect(await read()).toMatchObject({ state: 'pending', once: 'delivered' });
});

test('when a delivery was settled since it was read then it is neither repaired nor resent as one that waits', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  await attemptOf(harness, unsent, 'failed');
  const waiting = await unsent.read();
  await attemptOf(harness, unsent, 'ok');
  expect(await harness.store.deliveries.repair(waiting)).toBeNull();
  expect(await harness.store.deliveries.resend(waiting)).toBeNull();
  expect(await unsent.read()).toMatchObject({ state: 'delivered', step: 1, attempts_made: 2 });
  expect(await harness.store.jobs.counters()).not.toHaveProperty('delivery_repairs');
});

test('the sequence of the end is that of its own event', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  expect((await unsent.read()).sequence).toBe((await harness.store.jobs.read(unsent.jobId))?.seq);
});

test('what an event is about is in its id', () => {
  const ulid = '01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
  expect(subjectOfEvent(`evt_${ulid}_1_job_progress_42`)).toEqual({ kind: 'job', id: `job_${ulid}` });
  expect(subjectOfEvent(`evt_${ulid}_2_batch_completed`)).toEqual({ kind: 'batch', id: `batch_${ulid}` });
});

test('when a delivery reports a batch then it is read with that batch, and settled there', async () => {
  const harness = await startStore();
  const [batch, id] = ['batch_01K9ZV5W3N8Q2R4T6V8X0Z2B4D', 'evt_01K9ZV5W3N8Q2R4T6V8X0Z2B4D_1_batch_completed'];
  await harness.redis.hset(`{gj}:batch:${batch}`, { tenant: 'acme', st: 'completed', round: 1, whd: id, whs: 'pending' });
  const fields = { id, tenant: 'acme', batch_id: batch, run: 1, type: 'batch.completed', url: URL_A, state: 'pending' };
  await harness.redis.hset(`{gj}:delivery:${id}`, { ...fields, step: 1, made: 0, created: 1, next: 1 });
  const found = await harness.store.deliveries.read(id);
  expect(found).toMatchObject({
    delivery: { batch_id: batch, job_id: null },
    job: null,
    batch: { id: batch, status: 'completed' },
  });
  const lease = attemptLease();
  expect(await harness.store.deliveries.open({ id, step: 1 }, lease)).toMatchObject({
    kind: 'open',
    batch: { tenant: 'acme' },
  });
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response' };
  if (found)
    await harness.store.deliveries.settle(found.delivery, {
      state: 'delivered',
      attempt,
      lease: { ...lease, result: 'ok', answered: true, tookMs: 1 },
    });
  expect(await harness.redis.hget(`{gj}:batch:${batch}`, 'whs')).toBe('delivered');
});

test('when two workers have tried the same step, one of them frozen, then the first to settle it counts', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  const [frozen, other] = [await ask(harness, unsent), await ask(harness, unsent)];
  if (frozen.kind !== 'open' || other.kind !== 'open') throw new Error('not open');
  expect(await end(harness, unsent, other.lease, 'ok')).toMatchObject({ settled: true });
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response' };
  const said = { result: 'failed', answered: true, tookMs: 1 } as const;
  const late = { state: 'pending', nextAt: 9, attempt, now: harness.clock.now(), lease: { ...frozen.lease, ...said } } as const;
  expect(await harness.store.deliveries.settle(frozen.delivery, late)).toMatchObject({ settled: false });
  expect(await unsent.read()).toMatchObject({ state: 'delivered', attempts_made: 1 });
  expect((await harness.store.endpoints.read('acme', URL_A)).open_attempts).toBe(0);
});

test('when the answer of a script is lost then the same call is answered as if it had come', async () => {
  const harness = await startStore();
  const unsent = await Promise.all(Array.from({ length: 6 }, () => pendingDelivery(harness)));
  const [first, second] = unsent;
  const last = unsent.at(-1);
  if (!first || !second || !last) throw new Error('no delivery');

  let cut = cutScript(harness);
  const lease = attemptLease();
  const opening = harness.store.deliveries.open({ id: first.id, step: 1 }, lease);
  await cut;
  expect(await opening).toMatchObject({ kind: 'open' });
  expect((await harness.store.endpoints.read('acme', URL_A)).open_attempts).toBe(1);
  for (const each of unsent.slice(1, 5)) await ask(harness, each);

  const entry = { id: last.id, step: 1 };
  cut = cutScript(harness);
  const waiting = harness.store.deliveries.open(entry, attemptLease());
  await cut;
  expect(await waiting).toMatchObject({ kind: 'room', why: 'permits' });

  const job = await liveJob(harness);
  cut = cutScript(harness);
  const reporting = job.report({ type: 'job.progress', percent: 3 });
  await cut;
  expect(await reporting).toMatchObject({ step: 1 });

  const delivery = await first.read();
  cut = cutScript(harness);
  const failing = harness.store.deliveries.settle(delivery, {
    state: 'failed',
    attempt: { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response', status: 410 },
    lease: { ...lease, result: 'gone', answered: true, tookMs: 1 },
  });
  await cut;
  expect(await failing).toMatchObject({ settled: true });
  expect(await first.read()).toMatchObject({ state: 'failed', attempts_made: 1, attempts: [{ number: 1 }] });
  expect(await harness.store.jobs.counters()).toMatchObject({ endpoints_disabled: 1 });

  cut = cutScript(harness);
  await harness.clock.advance(60_000);
  const skipping = harness.store.deliveries.open(entry, attemptLease());
  await cut;
  expect(await skipping).toMatchObject({ kind: 'skipped', state: 'skipped' });

  const settled = await first.read();
  cut = cutScript(harness);
  const resending = harness.store.deliveries.resend(settled);
  await cut;
  expect(await resending).toBe(2);
  expect(await first.read()).toMatchObject({ step: 2, state: 'pending', once: 'failed' });
});

test.each(['that nobody else has changed', 'that somebody has changed since it was read', 'once more after a lost answer'])(
  'when a commit begins the first attempt of a webhook, of a job %s, then it answers delivery and job as they stand',
  async (which) => {
    const harness = await startStore();
    const { id, read } = await jobIn(harness, 'submitting', imageDoc({ webhook: { url: URL_A } }));
    const job = await read();
    if (which.includes('changed since'))
      await harness.store.transitions.commit(job, { kind: 'report_progress', progress: 7, leaseMs: 60_000 });
    const o = { token: 'commit', attempt: { token: 'attempt' } };
    const commit = () => harness.store.transitions.commit(job, { kind: 'finish', status: 'failed', keepLease: true }, o);
    const first = await commit();
    const answer = which.includes('lost') ? await commit() : first;
    const there = await harness.store.deliveries.read(`evt_${id.slice(4)}_1_job_failed`);
    if (answer.kind !== 'ok' || answer.placed.kind !== 'open' || answer.placed.job === null) throw new Error('not open');
    const { delivery, job: reported, lease } = answer.placed;
    expect({ delivery, lease }).toEqual({ delivery: there?.delivery, lease: { endpoint: ENDPOINT, token: 'attempt' } });
    expect({ ...reported, due: null }).toEqual({ ...(await read()), due: null });
  },
);

test('when the clock of a process is weeks ahead then the next attempt is due by that of Redis', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  const { deliveries } = createJobStore({ redis: harness.redis, prefix: 'gj', clock: harness.clock });
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response' };
  const [seconds] = await harness.redis.time();
  await deliveries.settle(await unsent.read(), { state: 'pending', attempt, waitMs: 60_000 });
  const { next_attempt_at: next } = await unsent.read();
  expect(harness.clock.now() / 1000 - Number(seconds)).toBeGreaterThan(24 * 3600);
  expect(Math.abs((next ?? 0) / 1000 - Number(seconds) - 60)).toBeLessThan(10);
});
