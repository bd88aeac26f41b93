import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { BULK_OPERATION, type BulkOrder } from '@grsai-jobs/job-store';
import { jobError } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createBulkRun } from '../src/operations/bulk/run.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { acceptedJob, type Harness, startHarness } from './harness.ts';

async function failedJob(harness: Harness, code: 'upstream_failed' | 'submit_unknown' = 'upstream_failed') {
  const job = await acceptedJob(harness);
  await harness.store.transitions.commit(await job.read(), {
    kind: 'finish',
    status: 'failed',
    error: jobError(code, 'submitting'),
  });
  return job;
}

/** A worker that runs operations; each call of `runTask` is one run of the periodic task. */
function workerOf(harness: Harness, o: { onReopen?: (id: string) => void; maxLiveJobs?: number; maxQueued?: number } = {}) {
  const reopenJob = createReopenJob(harness);
  const run = createBulkRun({
    ...harness,
    cancelJob: createCancelJob(harness),
    reopenJob: async (record, ...rest) => {
      const reopened = await reopenJob(record, ...rest);
      o.onReopen?.(record.id);
      return reopened;
    },
    maxJobs: async () => ({ live: o.maxLiveJobs ?? 0, queued: o.maxQueued ?? 0 }),
  });
  return { runTask: createOperationsTask(harness, { [BULK_OPERATION]: run }) };
}

async function start(harness: Harness, more: Partial<BulkOrder> = {}, id = 'bulk_1') {
  const before = harness.clock.now() + 1;
  await harness.clock.advance(1);
  const order: BulkOrder = {
    action: 'requeue',
    select: { tenant: null, filter: { status: ['failed'], failedBefore: before } },
    before,
    rate_per_min: 60_000,
    include_unknown: false,
    reason: 'a try',
    key_id: 'key_1',
    key_name: 'ann',
    fingerprint: 'f',
    ...more,
  };
  await harness.store.operations.add({ kind: BULK_OPERATION, subject: id, order: { id }, at: harness.clock.now() });
  await harness.store.bulk.create(id, order, harness.clock.now());
  return async () => {
    const action = await harness.store.bulk.read(id);
    if (action === null) throw new Error('no bulk action');
    return action;
  };
}

test('when many jobs are requeued at a rate then no more go than it allows, and an abort and a resume lose and repeat nothing', async () => {
  const harness = await startHarness();
  const jobs = [];
  for (let n = 0; n < 30; n += 1) jobs.push(await failedJob(harness));
  const read = await start(harness, { rate_per_min: 60 });
  const { runTask } = workerOf(harness);
  await runTask();
  const burst = (await read()).done;
  expect([(await read()).matched, burst]).toEqual([30, 3]);
  for (let second = 1; second <= 10; second += 1) {
    await harness.clock.advance(1000);
    await runTask();
    expect((await read()).done).toBe(burst + second);
  }
  expect(await harness.store.bulk.abort('bulk_1', harness.clock.now())).toBe(true);
  await harness.clock.advance(60_000);
  await runTask();
  expect(await read()).toMatchObject({ status: 'aborted', done: burst + 10 });
  expect(await harness.store.bulk.resume('bulk_1', harness.clock.now())).toBe(true);
  await harness.store.operations.add({ kind: BULK_OPERATION, subject: 'bulk_1', order: {}, at: harness.clock.now() });
  for (let n = 0; n < 30; n += 1) {
    await runTask();
    await harness.clock.advance(1000);
  }
  expect(await read()).toMatchObject({ status: 'completed', matched: 30, done: 30, skipped: {}, failed: {} });
  expect((await Promise.all(jobs.map((job) => job.read()))).map(({ run }) => run)).toEqual(Array(30).fill(2));
  expect((await harness.store.audit.page({ filter: {}, after: null, limit: 9 })).lines).toMatchObject([
    { action: 'bulk.end', target: 'bulk_1', key_name: 'ann', outcome: 'done', detail: '30 of 30 done, 0 left alone, 0 failed' },
  ]);
});

test('when a job fails again while the action runs then the same action leaves it alone', async () => {
  const harness = await startHarness();
  const jobs = [];
  for (let n = 0; n < 10; n += 1) jobs.push(await failedJob(harness));
  const read = await start(harness, { rate_per_min: 60 });
  const { runTask } = workerOf(harness);
  for (let n = 0; n < 20; n += 1) {
    await runTask();
    await harness.clock.advance(1000);
    for (const job of jobs) {
      const record = await job.read();
      if (record.status === 'queued' && record.run === 2)
        await harness.store.transitions.commit(record, {
          kind: 'finish',
          status: 'failed',
          error: jobError('internal', 'queued'),
        });
    }
  }
  expect(await read()).toMatchObject({ status: 'completed', matched: 10, done: 10 });
  for (const job of jobs) expect(await job.read()).toMatchObject({ status: 'failed', run: 2 });
});

test('when two actions are about the same jobs then each job runs once, and the counts of both add up', async () => {
  const harness = await startHarness();
  const jobs = [];
  for (let n = 0; n < 20; n += 1) jobs.push(await failedJob(harness));
  const reads = [await start(harness, { rate_per_min: 60 }), await start(harness, { rate_per_min: 120 }, 'bulk_2')];
  const { runTask } = workerOf(harness);
  for (let n = 0; n < 20; n += 1) {
    await runTask();
    await harness.clock.advance(1000);
  }
  for (const read of reads) {
    const { status, matched, done, skipped, failed } = await read();
    const left = Object.values(skipped).reduce((sum, n) => sum + n, 0);
    expect({ status, behind: done + left, failed }).toEqual({ status: 'completed', behind: matched, failed: {} });
    expect(skipped['moved_since']).toBeGreaterThan(0);
  }
  expect((await Promise.all(jobs.map((job) => job.read()))).map(({ run }) => run)).toEqual(Array(20).fill(2));
});

test('when nobody knows whether a submit was paid for then it is left out, unless that is allowed', async () => {
  const harness = await startHarness();
  const lost = await failedJob(harness, 'submit_unknown');
  await failedJob(harness);
  const first = await start(harness);
  const { runTask } = workerOf(harness);
  await runTask();
  expect(await first()).toMatchObject({ status: 'completed', done: 1, skipped: { submit_unknown: 1 } });
  expect(await lost.read()).toMatchObject({ status: 'failed', run: 1 });
  const second = await start(harness, { include_unknown: true }, 'bulk_2');
  await runTask();
  expect(await second()).toMatchObject({ status: 'completed', matched: 1, done: 1 });
  expect(await lost.read()).toMatchObject({ status: 'queued', run: 2 });
});

test('when a worker dies between a job and the note of it then another goes on, and no job is run twice', async () => {
  const harness = await startHarness();
  const jobs = [];
  for (let n = 0; n < 6; n += 1) jobs.push(await failedJob(harness));
  const read = await start(harness, { select: { ids: jobs.map(({ id }) => id) } });
  const touched: string[] = [];
  const dying = createBulkRun({
    ...harness,
    store: { ...harness.store, bulk: { ...harness.store.bulk, step: () => Promise.reject(new Error('gone')) } },
    cancelJob: createCancelJob(harness),
    reopenJob: createReopenJob(harness),
    maxJobs: async () => ({ live: 0, queued: 0 }),
  });
  await createOperationsTask(harness, { [BULK_OPERATION]: dying })();
  expect((await jobs[0]?.read())?.run).toBe(2);
  await harness.clock.advance(60_000);
  await workerOf(harness, { onReopen: (id) => touched.push(id) }).runTask();
  expect(touched).toEqual(jobs.slice(1).map(({ id }) => id));
  for (const job of jobs) expect((await job.read()).run).toBe(2);
  expect(await read()).toMatchObject({ status: 'completed', matched: 6, done: 5, skipped: { not_failed: 1 } });
});

test('when a frozen worker comes back to an operation that another has continued then it counts nothing and sets nothing back', async () => {
  const harness = await startHarness();
  for (let n = 0; n < 3; n += 1) await failedJob(harness);
  const read = await start(harness);
  const { runTask } = workerOf(harness);
  const before = await read();
  await runTask();
  const to = { at: null, phase: 'act', credit: 0, counts: [['done', 1]] } as const;
  expect(await harness.store.bulk.step(before, to)).toBe('stale');
  expect(await read()).toMatchObject({ status: 'completed', done: 3 });
});

test('when jobs are canceled in bulk then live ones are, and ended and missing ones are reported', async () => {
  const harness = await startHarness();
  const live = await acceptedJob(harness);
  const ended = await failedJob(harness);
  const read = await start(harness, { action: 'cancel', select: { ids: [live.id, ended.id, 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D'] } });
  await workerOf(harness).runTask();
  expect(await read()).toMatchObject({ status: 'completed', done: 1, skipped: { ended: 1, missing: 1 } });
  expect(await live.read()).toMatchObject({ status: 'canceled' });
});

test('when a worker freezes between its verdict and the requeue and the job ends as an unknown submit meanwhile then it is not submitted again', async () => {
  const harness = await startHarness();
  const job = await failedJob(harness);
  const read = await start(harness, { select: { ids: [job.id] } });
  const reopenJob = createReopenJob(harness);
  const freezing = createBulkRun({
    ...harness,
    cancelJob: createCancelJob(harness),
    reopenJob: async (record, ...rest) => {
      if (record.run === 1) {
        await reopenJob(record);
        await harness.clock.advance(1000);
        await harness.store.transitions.commit(await job.read(), {
          kind: 'finish',
          status: 'failed',
          error: jobError('submit_unknown', 'submitting'),
        });
      }
      return await reopenJob(record, ...rest);
    },
    maxJobs: async () => ({ live: 0, queued: 0 }),
  });
  await createOperationsTask(harness, { [BULK_OPERATION]: freezing })();
  expect(await job.read()).toMatchObject({ status: 'failed', run: 2 });
  expect(await read()).toMatchObject({ status: 'completed', done: 0, skipped: { ended_since: 1 } });
});

test('when an action is resumed while a worker has just seen that it was aborted then somebody goes on with it', async () => {
  const harness = await startHarness();
  for (let n = 0; n < 3; n += 1) await failedJob(harness);
  const read = await start(harness, { select: { tenant: 'acme', filter: { status: ['failed'] } } });
  const resumed = { kind: BULK_OPERATION, subject: 'bulk_1', order: {}, at: harness.clock.now() };
  const step: Harness['store']['bulk']['step'] = async (action, to) => {
    if ((await read()).done === 0) await harness.store.bulk.abort('bulk_1', harness.clock.now());
    const status = await harness.store.bulk.step(action, to);
    if (status === 'aborted') {
      await harness.store.bulk.resume('bulk_1', harness.clock.now());
      await harness.store.operations.addAgain(resumed);
    }
    return status;
  };
  const aborted = createBulkRun({
    ...harness,
    store: { ...harness.store, bulk: { ...harness.store.bulk, step } },
    cancelJob: createCancelJob(harness),
    reopenJob: createReopenJob(harness),
    maxJobs: async () => ({ live: 0, queued: 0 }),
  });
  await createOperationsTask(harness, { [BULK_OPERATION]: aborted })();
  for (let n = 0; n < 3; n += 1) await workerOf(harness).runTask();
  expect(await read()).toMatchObject({ status: 'completed', done: 3 });
});

test('when a worker dies between a resent webhook and the note of it then the same action does not resend it again', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const fails = async () => {
    const found = await harness.store.deliveries.read(id);
    if (found === null) throw new Error('no delivery');
    const attempt = { number: 1, at: harness.clock.now(), duration_ms: 1, ok: false, phase: 'response' };
    await harness.store.deliveries.settle(found.delivery, { state: 'failed', attempt });
  };
  await fails();
  const read = await start(harness, { action: 'redeliver', select: { ids: [job.id] } });
  const dying = createBulkRun({
    ...harness,
    store: { ...harness.store, bulk: { ...harness.store.bulk, step: () => Promise.reject(new Error('gone')) } },
    cancelJob: createCancelJob(harness),
    reopenJob: createReopenJob(harness),
    maxJobs: async () => ({ live: 0, queued: 0 }),
  });
  await createOperationsTask(harness, { [BULK_OPERATION]: dying })();
  await harness.clock.advance(60_000);
  await fails();
  await workerOf(harness).runTask();
  expect(await read()).toMatchObject({ status: 'completed', done: 0, skipped: { tried_since: 1 } });
  expect((await harness.store.deliveries.read(id))?.delivery).toMatchObject({ state: 'failed', attempts_made: 2 });
});

test.each([
  ['live', { maxLiveJobs: 2 }, { tenant_quota_exceeded: 2 }],
  ['queued', { maxQueued: 2 }, { tenant_queue_full: 2 }],
])(
  'when a requeue meets a tenant with as many %s jobs as it may have then its jobs are left and reported as such, and those of others run',
  async (_, most, skipped) => {
    const harness = await startHarness();
    const jobs = [];
    for (const tenant of ['acme', 'globex', 'acme', 'acme']) {
      const job = await acceptedJob(harness, {}, (same) => same, tenant);
      await harness.store.transitions.commit(await job.read(), {
        kind: 'finish',
        status: 'failed',
        error: jobError('upstream_failed', 'submitting'),
      });
      jobs.push(job);
    }
    await acceptedJob(harness);
    const read = await start(harness);
    await workerOf(harness, most).runTask();
    expect(await read()).toMatchObject({ status: 'completed', done: 2, skipped });
    expect([await harness.store.usage.of('acme'), await harness.store.usage.of('globex')]).toMatchObject([
      { live: 2 },
      { live: 1 },
    ]);
  },
);
