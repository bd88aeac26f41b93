import { randomUUID } from 'node:crypto';
import { text as readText } from 'node:stream/consumers';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { createJobStore, type NewLine, redactOperation } from '@grsai-jobs/job-store';
import { type BatchDoc, type JobDoc, mapPictures } from '@grsai-jobs/jobs';
import { createObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import { NotLasting } from '@grsai-jobs/redis';
import { startS3 } from '@grsai-jobs/testkit';
import pMap from 'p-map';
import { expect, onTestFinished, test } from 'vitest';
import { createExpiredFiles } from '../src/maintenance/expired-files.ts';
import { createOldRecords } from '../src/maintenance/old-records.ts';
import { createRepairs } from '../src/maintenance/repairs.ts';
import { type BatchDeps, createBatchOperations } from '../src/operations/batch/index.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { type Harness, imageDoc, NO_LIMITS, newId, startedCall, startHarness } from './harness.ts';

const DOC: BatchDoc = {
  webhook: { url: 'https://a.example/batch', events: ['batch.completed', 'batch.canceled', 'batch.expired'] },
  metadata: {},
  priority: 'normal',
  expires_in_s: 3600,
  output: { url_ttl_s: 3600 },
};

const KEPT = { $object: 'acme/in-0.png', content_type: 'image/png', bytes: 1 };

const WITH_PICTURE = imageDoc({ input: { model: 'nano-banana-2', prompt: 'p', images: ['https://a.example/x.png'] } });

/** The operations on batches over real services, one run of the periodic task at a time. */
async function startBatches() {
  const [harness, s3] = await Promise.all([startHarness(), startS3()]);
  const objects = createObjectStore({
    bucket: s3.bucket,
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: s3.credentials,
    forcePathStyle: true,
    prefix: '',
    checksums: 'when_required',
  });
  onTestFinished(async () => {
    objects.close();
    await s3.stop();
  });
  const batchDeps: BatchDeps = {
    ...harness,
    cancelJob: createCancelJob(harness),
    reopenJob: createReopenJob(harness),
    objects,
    keyPrefix: '',
    signLink: (key, ttlS) => objects.signedUrl(key, ttlS),
    maxJobs: async () => ({ live: 0, queued: 0 }),
  };
  const runTask = (change: Partial<BatchDeps> = {}) =>
    createOperationsTask(harness, createBatchOperations({ ...batchDeps, ...change }))();
  return { ...harness, objects, batchDeps, runTask };
}

type Batches = Awaited<ReturnType<typeof startBatches>>;

async function committedBatch(
  harness: Batches,
  n: number,
  change: (doc: JobDoc, i: number) => JobDoc = (same) => same,
  { openedMsAgo = 0 } = {},
) {
  const batch = { id: newId().replace('job_', 'batch_'), tenant: 'acme' };
  const createdAt = harness.clock.now() - openedMsAgo;
  await harness.store.batches.open({ ...batch, doc: DOC, createdAt });
  const ids: string[] = [];
  for (let from = 0; from < n; from += 500) {
    const lines: NewLine[] = Array.from({ length: Math.min(500, n - from) }, (_, i) => ({
      jobId: newId(),
      line: from + i + 1,
      customId: `c-${from + i + 1}`,
      doc: change(imageDoc({ expires_in_s: 3600 }), from + i),
    }));
    ids.push(...lines.map(({ jobId }) => jobId));
    await harness.store.batches.add(batch, from, lines);
  }
  const commit = () => harness.store.batches.commit(batch, { total: n, invalid: 0, expiresInS: 3600 });
  const read = async () => {
    const found = await harness.store.batches.read(batch.id);
    if (found === null) throw new Error('no batch');
    return found;
  };
  return { ...batch, ids, commit, read };
}

const failJob = async (harness: Harness, id: string, code: 'internal' | 'submit_unknown' = 'internal') => {
  const record = await harness.store.jobs.read(id);
  if (record === null) throw new Error('no record');
  await harness.store.transitions.commit(record, {
    kind: 'finish',
    status: 'failed',
    error: { code, message: '', retryable: true, stage: 'queued' },
  });
};

const waiting = async (harness: Harness) => (await harness.producer.counts()).submit['prioritized'] ?? 0;

test('when a batch is committed then its first lines have seats, all others wait in their order, and no operation has to open them', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1200);
  const committed = await batch.commit();
  const first = committed.kind === 'ok' ? committed.letIn.map(({ id }) => id) : [];
  expect(first).toEqual(batch.ids.slice(0, 50));
  expect(await harness.store.rooms.waiting('submit', 'acme')).toBe(1150);
  expect((await batch.read()).counts).toMatchObject({ total: 1200, queued: 1200 });
  await harness.runTask();
  for (const id of first) await startedCall(harness, id);
  const seats = await harness.redis.zrange('{gj}:waiting:submit:acme:seats', '0', '-1');
  expect(seats.length).toBeGreaterThan(0);
  expect(seats.sort()).toEqual(batch.ids.slice(50, 50 + seats.length).sort());
  expect(await harness.store.rooms.waiting('submit', 'acme')).toBe(1150 - seats.length);
});

test('when the entries of jobs that were let in cannot be added then the jobs are due soon, and the others come in all the same', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 700);
  await batch.commit();
  const failing = { ...harness.producer, enqueueLetIn: () => Promise.reject(new Error('Redis is away')) };
  await harness.runTask({ producer: failing });
  expect(await waiting(harness)).toBe(0);
  expect(await harness.store.rooms.waiting('submit', 'acme')).toBe(650);
  expect(await harness.store.jobs.overdue(harness.clock.now() + 30_000, 1000)).toHaveLength(50);
});

test('when the process that commits a batch dies before it adds the entries of its first lines then they have some 10 s later', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 60);
  await batch.commit();
  expect(await waiting(harness)).toBe(0);
  await harness.clock.advance(10_001);
  await createRepairs(harness)();
  expect(await waiting(harness)).toBe(50);
  const [first = '', waits = ''] = [batch.ids[0], batch.ids[50]];
  expect(await harness.producer.stateOf('submit', { id: first, step: 2 })).toBe('there');
  expect((await harness.store.jobs.read(waits))?.step).toBe(1);
});

test('when a batch is canceled before its jobs are opened then all are canceled, none runs, and the batch ends as canceled', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 600);
  await batch.commit();
  expect(await harness.store.batches.cancel(batch.id)).toBe('canceling');
  await harness.runTask();
  const ended = await batch.read();
  expect(ended).toMatchObject({ status: 'canceled', counts: { total: 600, canceled: 600, queued: 0 } });
  expect(await waiting(harness)).toBe(0);
  expect(ended.webhook).toEqual({ state: 'pending', last_delivery_id: `evt_${batch.id.slice(6)}_1_batch_canceled` });
});

test('when a batch is canceled while it runs then what has ended stays and the rest is canceled', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.runTask();
  await failJob(harness, batch.ids[0] ?? '');
  await harness.store.batches.cancel(batch.id);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled', counts: { failed: 1, canceled: 2 } });
});

test('when the last job has ended then the results are a file with a row for each line, and the batch has its delivery pending', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  const { status, results, webhook } = await batch.read();
  expect(status).toBe('completed');
  expect(results?.key).toMatch(new RegExp(`^acme/\\d{4}/\\d\\d/\\d\\d/${batch.id}/results-1-[0-9a-f]{8}.ndjson$`));
  const { body } = await harness.objects.get(results?.key ?? '');
  const text = await readText(body);
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; custom_id: string; status: string; error: { code: string } });
  expect(rows.map(({ line, custom_id, status: each, error }) => [line, custom_id, each, error.code])).toEqual(
    [1, 2, 3].map((line) => [line, `c-${line}`, 'failed', 'internal']),
  );
  expect(Buffer.byteLength(text)).toBe(results?.bytes);
  expect(webhook.state).toBe('pending');
  expect(await harness.producer.stateOf('deliver', { id: webhook.last_delivery_id ?? '', step: 1 })).toBe('there');
});

test('when the object store is away at the end then the batch waits for it and ends later', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.runTask();
  await failJob(harness, batch.ids[0] ?? '');
  await harness.runTask({ objects: { ...harness.objects, put: async () => Promise.reject(new Error('away')) } });
  expect((await batch.read()).status).toBe('running');
  await harness.clock.advance(10_000);
  await harness.runTask();
  expect((await batch.read()).status).toBe('completed');
});

test('when failed jobs are retried then those of an unknown submit stay, unless asked for, and what fails again stays failed', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 4);
  await batch.commit();
  await harness.runTask();
  const [a = '', b = '', c = '', d = ''] = batch.ids;
  await failJob(harness, a);
  await failJob(harness, b, 'submit_unknown');
  await failJob(harness, c);
  await failJob(harness, d);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'completed', round: 1, counts: { failed: 4 }, unknown: 1 });

  await harness.clock.advance(1000);
  expect(await harness.store.batches.retryFailed(batch.id, { includeUnknown: false })).toEqual({ kind: 'ordered' });
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', round: 2, counts: { queued: 3, failed: 1 }, unknown: 1 });
  await harness.clock.advance(1000);
  for (const id of [a, c, d]) await failJob(harness, id);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'completed', round: 2, counts: { failed: 4 } });

  await harness.store.batches.retryFailed(batch.id, { includeUnknown: true });
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', round: 3, counts: { queued: 4, failed: 0 }, unknown: 0 });
});

test('when the failed jobs of a batch are more than its tenant may have live then they run again as far as there is room, and the rest later', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  await harness.clock.advance(1000);
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  await harness.runTask({ maxJobs: async () => ({ live: 1, queued: 0 }) });
  expect(await batch.read()).toMatchObject({ counts: { queued: 1, failed: 2 } });
  await harness.clock.advance(10_000);
  await harness.runTask({ maxJobs: async () => ({ live: 3, queued: 0 }) });
  expect(await batch.read()).toMatchObject({ counts: { queued: 3, failed: 0 } });
});

test('when failed jobs are retried by a process whose clock is behind then they are run again', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.runTask();
  await failJob(harness, batch.ids[0] ?? '');
  await harness.runTask();
  const clock = { now: () => harness.clock.now() - 30_000 };
  await createJobStore({ redis: harness.redis, prefix: 'gj', clock }).batches.retryFailed(batch.id, { includeUnknown: false });
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', round: 2, counts: { queued: 1, failed: 0 } });
});

test('when the time of a batch is over then what waits expires at once and the batch ends as expired', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 600);
  await batch.commit();
  await harness.runTask();
  await harness.clock.advance(3_600_000);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'expired', counts: { expired: 600 } });
});

test('when the lines of a batch took long to come then the last of them expires at once too', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 501, undefined, { openedMsAgo: 20_000 });
  await batch.commit();
  await harness.runTask();
  await harness.clock.advance(3_580_000);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', expires_at: harness.clock.now() });
  await harness.clock.advance(20_000);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'expired', counts: { expired: 501 } });
});

test('when a batch was never committed then its jobs and their inputs are erased', async () => {
  const harness = await startBatches();
  await harness.objects.putBytes('acme/in-0.png', Buffer.from('x'), { contentType: 'image/png' });
  const batch = await committedBatch(harness, 600, (doc, i) => (i === 0 ? mapPictures(WITH_PICTURE, () => KEPT) : doc));
  await harness.clock.advance(600_000);
  await harness.runTask();
  expect((await harness.redis.keys('{gj}:job:*')).length).toBe(0);
  expect((await harness.redis.keys('{gj}:batch*')).length).toBe(0);
  expect(await harness.objects.list('acme/')).toEqual([]);
  expect(await batch.commit()).toEqual({ kind: 'gone' });
});

test('when slices hang then a worker keeps a slot free for its other periodic tasks', async () => {
  const harness = await startHarness();
  const gate = Promise.withResolvers<{ done: true }>();
  let open = 0;
  const hang = async () => {
    open += 1;
    return await gate.promise;
  };
  const runTask = createOperationsTask(harness, { hang });
  for (const subject of ['a', 'b', 'c', 'd'])
    await harness.store.operations.add({ kind: 'hang', subject, order: {}, at: harness.clock.now() });
  const runs: Promise<void>[] = [];
  for (const hanging of [1, 2, 3]) {
    runs.push(runTask());
    await expect.poll(() => open).toBe(hanging);
  }
  await runTask();
  expect(open).toBe(3);
  gate.resolve({ done: true });
  await Promise.all(runs);
  expect(open).toBe(4);
});

test('when an operation is of a kind that nobody knows then it waits and stops no other', async () => {
  const harness = await startBatches();
  await harness.store.operations.add({ kind: 'unheard-of', subject: randomUUID(), order: {}, at: harness.clock.now() - 1000 });
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.store.batches.cancel(batch.id);
  await harness.runTask();
  expect((await batch.read()).counts).toMatchObject({ canceled: 1 });
});

/** Does something once, right before the first call of `f`: what another worker does while this one is slow. */
function firstDo<A extends unknown[], R>(
  f: (...args: A) => Promise<R>,
  other: () => Promise<unknown>,
): (...args: A) => Promise<R> {
  let before: (() => Promise<unknown>) | null = other;
  return async (...args) => {
    const now = before;
    before = null;
    await now?.();
    return await f(...args);
  };
}

test('when a batch is canceled then a line of it that has its entry already does not begin either', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2);
  await batch.commit();
  await harness.store.batches.cancel(batch.id);
  const [id = ''] = batch.ids;
  const token = randomUUID();
  const started = await harness.store.transitions.startCall({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
  expect(started).toMatchObject({ kind: 'canceling', job: { id, status: 'queued' } });
  expect((await batch.read()).counts).toMatchObject({ running: 0, queued: 2 });
});

test('when a batch is canceled then none of its lines is let in any more, and all are canceled', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.store.batches.cancel(batch.id);
  expect(await harness.store.rooms.letIn('call')).toEqual([]);
  expect(await harness.store.rooms.letIn('submit')).toEqual([]);
  await harness.runTask();
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled', counts: { canceled: 3 } });
  expect(await harness.store.rooms.queued('acme')).toBe(0);
});

test('when a batch is canceled while its failed jobs are being retried then none of them runs', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.runTask();
  const [a = '', b = '', open = ''] = batch.ids;
  await failJob(harness, a);
  await failJob(harness, b);
  await startedCall(harness, open);
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  const reopenJob = firstDo(harness.batchDeps.reopenJob, async () => {
    await harness.store.batches.cancel(batch.id);
    await harness.runTask();
  });
  await harness.runTask({ reopenJob });
  expect(await batch.read()).toMatchObject({ status: 'canceling', counts: { running: 1, canceled: 2 } });
});

test('when a batch is canceled while its failed jobs are being retried, and the worker that does it dies, then none of them runs', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2);
  await batch.commit();
  await harness.runTask();
  const [failed = '', open = ''] = batch.ids;
  await failJob(harness, failed);
  await startedCall(harness, open);
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  const operation = await harness.store.operations.take(harness.clock.now());
  if (operation === null) throw new Error('no operation');
  const reopenJob: typeof harness.batchDeps.reopenJob = async (...asked) => {
    await harness.store.batches.cancel(batch.id);
    await harness.runTask();
    await harness.batchDeps.reopenJob(...asked);
    throw new Error('the worker dies');
  };
  await expect(createBatchOperations({ ...harness.batchDeps, reopenJob })[operation.kind]?.(operation)).rejects.toThrow('dies');
  expect(await harness.store.jobs.read(failed)).toMatchObject({ status: 'queued', run: 2 });
  await harness.clock.advance(30_001);
  await harness.runTask();
  expect(await harness.store.jobs.read(failed)).toMatchObject({ status: 'canceled', run: 2 });
  expect(await batch.read()).toMatchObject({ status: 'canceling', counts: { running: 1, canceled: 1 } });
});

test('when a retry is canceled before it has reopened the first job of an ended batch then nothing runs', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  const retry = () => harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  await retry();
  for (let n = 0; n < 2; n += 1) expect(await harness.store.batches.cancel(batch.id)).toBe('called_off');
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'completed', round: 1, counts: { failed: 1 } });

  await harness.clock.advance(1000);
  await retry();
  let answer: string | null = null;
  const reopenJob = firstDo(harness.batchDeps.reopenJob, async () => {
    answer = await harness.store.batches.cancel(batch.id);
  });
  await harness.runTask({ reopenJob });
  expect(answer).toBe('called_off');
  expect(await batch.read()).toMatchObject({ status: 'completed', round: 2, counts: { canceled: 1 } });
});

test('when a slow worker retries a job that another has retried and that failed again then it stays failed', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.runTask();
  const [id = ''] = batch.ids;
  await failJob(harness, id, 'submit_unknown');
  await harness.runTask();
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: true });
  const reopenJob = firstDo(harness.batchDeps.reopenJob, async () => {
    const record = await harness.store.jobs.read(id);
    if (record === null) throw new Error('no record');
    await harness.batchDeps.reopenJob(record, 'resubmit');
    await harness.clock.advance(1000);
    await failJob(harness, id, 'submit_unknown');
  });
  await harness.runTask({ reopenJob });
  expect(await harness.store.jobs.read(id)).toMatchObject({ status: 'failed', run: 2 });
});

test('when Redis fills up while failed jobs are retried then those that were left are retried later', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  const full = async () => ({ kind: 'full' }) as const;
  await harness.runTask({
    reopenJob: async (record) => (record.id === batch.ids[0] ? await harness.batchDeps.reopenJob(record) : await full()),
  });
  expect((await batch.read()).counts).toMatchObject({ queued: 1, failed: 1 });
  await harness.clock.advance(5000);
  await harness.runTask();
  expect((await batch.read()).counts).toMatchObject({ queued: 2, failed: 0 });
});

test('when a batch is canceled in a later round then the cancel begins at its first job, and that of the round before is over', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 3);
  await batch.commit();
  await harness.runTask();
  await harness.store.batches.cancel(batch.id);
  const operation = await harness.store.operations.take(harness.clock.now());
  if (operation === null) throw new Error('no operation');
  // The jobs have ended by themselves while the operation had passed them, and one of them was retried since.
  const [id = '', ...others] = batch.ids;
  for (const each of batch.ids) await failJob(harness, each);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled' });
  await harness.store.operations.checkpoint(operation, { at: 0 }, 0);
  const record = await harness.store.jobs.read(id);
  if (record === null) throw new Error('no record');
  await harness.batchDeps.reopenJob(record);
  await harness.runTask();
  expect((await batch.read()).counts).toMatchObject({ queued: 1, failed: others.length });

  await harness.store.operations.add({
    kind: 'batch-cancel',
    subject: batch.id,
    order: { batch_id: batch.id },
    at: harness.clock.now(),
  });
  const left = await harness.store.operations.take(harness.clock.now());
  if (left === null) throw new Error('no operation');
  await harness.store.operations.checkpoint(left, { at: 500 }, 0);
  await harness.store.batches.cancel(batch.id);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled', counts: { canceled: 1 } });
});

test('when the erasing of a batch has begun then it takes no line and no commit any more', async () => {
  const harness = await startBatches();
  await harness.objects.putBytes('acme/in-0.png', Buffer.from('x'), { contentType: 'image/png' });
  const late = await committedBatch(harness, 600, (doc, i) => (i === 0 ? mapPictures(WITH_PICTURE, () => KEPT) : doc));
  await harness.clock.advance(600_000);
  const line = { jobId: newId(), line: 601, customId: 'c-601', doc: imageDoc() };
  const answers: unknown[] = [];
  const deleting = firstDo(harness.objects.delete.bind(harness.objects), async () => {
    answers.push(await late.commit(), await harness.store.batches.add(late, 600, [line]));
    answers.push(await harness.store.batches.noteInvalid(late, [{ line: 602, custom_id: null, errors: [] }]));
  });
  await harness.runTask({ objects: { ...harness.objects, delete: deleting } });
  expect(answers).toEqual([{ kind: 'gone' }, 'gone', 'gone']);
  expect(await harness.store.batches.read(late.id)).toBeNull();
  // Nothing is left, nor of what was counted of its tenant.
  expect(await harness.redis.keys('{gj}:*')).toEqual([]);
});

test('when a job is retried and ends while the results are being written then the file and the counts have its new end', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  const [first = ''] = batch.ids;
  const put: BatchDeps['objects']['put'] = async (key, body, o) => {
    const stored = await harness.objects.put(key, body, o);
    const record = await harness.store.jobs.read(first);
    if (record?.run !== 1) return stored;
    await harness.batchDeps.reopenJob(record);
    const again = await harness.store.jobs.read(first);
    if (again !== null) await harness.store.transitions.commit(again, { kind: 'cancel' });
    return stored;
  };
  await harness.runTask({
    objects: { put, get: harness.objects.get.bind(harness.objects), delete: harness.objects.delete.bind(harness.objects) },
  });
  const { status, results, past } = await batch.read();
  expect(status).toBe('completed');
  expect(past[1]?.counts).toMatchObject({ failed: 1, canceled: 1 });
  const text = await readText((await harness.objects.get(results?.key ?? '')).body);
  expect(text.trimEnd().split('\n')).toMatchObject([expect.stringContaining('"canceled"'), expect.stringContaining('"failed"')]);
  expect(await harness.objects.list('acme/')).toEqual([results?.key]);
});

test('when an ended batch is older than RETENTION_DAYS then it goes with its webhooks, but for one that is still pending', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  const [id = ''] = batch.ids;
  const ofFile = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: null };
  const times = { created_at: 1, validates_until: 2, expires_at: 3, output_expires_s: null };
  await harness.store.fileBatches.create({ id: batch.id, tenant: 'acme', ...ofFile, ...times });
  const deliveryIn = (round: number) => `evt_${batch.id.slice(6)}_${round}_batch_completed`;
  const tell = async (round: number) => {
    const told = await harness.store.deliveries.read(deliveryIn(round));
    const attempt = { number: 1, at: harness.clock.now(), duration_ms: 1, ok: true, phase: 'response' };
    if (told) await harness.store.deliveries.settle(told.delivery, { state: 'delivered', attempt });
  };
  for (const round of [1, 2, 3]) {
    await harness.runTask();
    await failJob(harness, id, 'submit_unknown');
    await harness.runTask();
    if (round !== 2) await tell(round);
    const record = await harness.store.jobs.read(id);
    if (record !== null && round < 3) await harness.batchDeps.reopenJob(record, 'resubmit');
  }
  await harness.clock.advance(7 * 86_400_000 + 1);
  await harness.runTask();
  await createOldRecords(harness, 7)();
  expect(await harness.store.batches.read(batch.id)).toBeNull();
  expect(await harness.redis.keys('{gj}:delivery:*_batch_*')).toEqual([`{gj}:delivery:${deliveryIn(2)}`]);
  expect((await harness.redis.keys('{gj}:*batch*')).filter((key) => !key.includes(':delivery:'))).toEqual([]);
  // Its job still has a pending delivery and so is there; run again it does not bring the batch back.
  const record = await harness.store.jobs.read(id);
  if (record === null) throw new Error('no record');
  await harness.batchDeps.reopenJob(record, 'resubmit');
  expect(await harness.redis.exists(`{gj}:batch:${batch.id}`)).toBe(0);
});

function fileStore(harness: Awaited<ReturnType<typeof startBatches>>) {
  const { files, inputNotes } = harness.store;
  const now = harness.clock.now();
  return async (id: string, expires_at: number) => {
    const key = `acme/${id}`;
    const note = { jobId: id, objects: [key] };
    await inputNotes.write(note);
    await harness.objects.putBytes(key, Buffer.from('ab'), { contentType: 'text/plain' });
    const file = {
      id,
      tenant: 'acme',
      name: 'a.jsonl',
      purpose: 'batch',
      bytes: 2,
      sha256: '',
      key,
      created_at: now,
      expires_at,
    };
    expect(await files.create(file, note)).toEqual({ kind: 'ok' });
  };
}

test('when the time of a file is over then its object goes, and then what is known of it; others stay', async () => {
  const harness = await startBatches();
  const { files, usage } = harness.store;
  const now = harness.clock.now();
  const store = fileStore(harness);
  await store('file-1', now + 1000);
  await store('file-2', now + 2000);
  await harness.clock.advance(1500);
  await createExpiredFiles({ ...harness, shutdown: { stopping: new AbortController().signal } })();
  expect((await files.page('acme', { order: 'asc', limit: 10 })).map(({ id }) => id)).toEqual(['file-2']);
  expect(await harness.objects.list('acme/file-')).toEqual(['acme/file-2']);
  expect((await usage.of('acme')).stored).toBe(2);
});

test('when the time of more files is over than go at once then all of them go, and while the object store is away nothing is tried for long', async () => {
  const harness = await startBatches();
  const shutdown = { stopping: new AbortController().signal };
  const store = fileStore(harness);
  const ids = Array.from({ length: 620 }, (_, n) => `file-${n}`);
  await pMap(ids, (id) => store(id, harness.clock.now() + 1000), { concurrency: 20 });
  await harness.clock.advance(1500);
  let tried = 0;
  const away = () => {
    tried += 1;
    return Promise.reject(new ObjectStoreError('unavailable', 'away'));
  };
  await createExpiredFiles({ ...harness, shutdown, objects: { delete: away } })();
  expect(tried).toBe(500);
  await createExpiredFiles({ ...harness, shutdown })();
  expect(await harness.store.files.page('acme', { order: 'asc', limit: 10 })).toEqual([]);
  expect(await harness.objects.list('acme/file-')).toEqual([]);
});

test('when the credentials may not delete then a file whose time is over counts no longer, and its object is left to the bucket', async () => {
  const harness = await startBatches();
  await fileStore(harness)('file-1', harness.clock.now() + 1000);
  await harness.clock.advance(1500);
  const objects = { delete: () => Promise.reject(new ObjectStoreError('denied', 'denied')) };
  await createExpiredFiles({ ...harness, objects, shutdown: { stopping: new AbortController().signal } })();
  expect(await harness.store.files.read('file-1')).toBeNull();
  expect((await harness.store.usage.of('acme')).stored).toBe(0);
});

test('when a batch goes on for longer than RETENTION_DAYS then the results of all its jobs are in its file', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2, (doc) => ({ ...doc, webhook: undefined }));
  await batch.commit();
  await harness.runTask();
  const [early = '', late = ''] = batch.ids;
  await failJob(harness, early);
  await harness.clock.advance(86_400_000 + 1);
  await createOldRecords(harness, 1)();
  await failJob(harness, late);
  await harness.runTask();
  const text = await readText((await harness.objects.get((await batch.read()).results?.key ?? '')).body);
  expect(text.trimEnd().split('\n')).toHaveLength(2);
});

test('when a job of an ended batch is erased then its row goes from the results files of all rounds, and no other', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 120, (doc) => ({ ...doc, webhook: undefined }));
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  const recordOf = async (id: string) => {
    const record = await harness.store.jobs.read(id);
    if (record === null) throw new Error('no record');
    return record;
  };
  const [erased = '', old = '', again = ''] = batch.ids;
  await harness.batchDeps.reopenJob(await recordOf(again));
  await failJob(harness, again);
  await harness.runTask();
  await harness.store.erase.old(await recordOf(old), 0);
  const before = await batch.read();

  for (let n = 0; n < 2; n += 1) await harness.store.operations.addAgain(redactOperation(batch.id, harness.clock.now()));
  expect(await harness.store.erase.asked(await recordOf(erased))).toBe(true);
  await harness.clock.advance(30_000);
  await harness.runTask();

  const after = await batch.read();
  expect(after).toEqual({ ...before, results: after.past[2]?.results, past: after.past });
  const others = batch.ids.filter((id) => id !== erased);
  for (const round of [1, 2]) {
    const { key, bytes } = after.past[round]?.results ?? { key: '', bytes: 0 };
    const text = await readText((await harness.objects.get(key)).body);
    expect(Buffer.byteLength(text)).toBe(bytes);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((row) => (JSON.parse(row) as { job_id: string }).job_id),
    ).toEqual(others);
  }
  expect((await harness.objects.list('acme/')).length).toBe(2);
  expect(await harness.store.operations.take(harness.clock.now())).toBeNull();
});

test('when no replica confirms at first that the results of a round were replaced then those of before go once it does', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 2, (doc) => ({ ...doc, webhook: undefined }));
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  const job = await harness.store.jobs.read(batch.ids[0] ?? '');
  expect(job && (await harness.store.erase.asked(job))).toBe(true);
  await harness.store.operations.addAgain(redactOperation(batch.id, harness.clock.now()));
  const { redis, clock } = harness;
  const waits: number[] = [];
  const lasting = async (_: string, reply: unknown) => {
    if (waits.length === 0) throw new NotLasting('no replica', reply);
  };
  const store = { ...harness.store, ...createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, lasting }) };
  const sleep = async () => void waits.push((await harness.objects.list('acme/')).length);
  await clock.advance(30_000);
  await harness.runTask({ store, timers: { ...harness.timers, sleep } });
  expect(waits).toEqual([2]);
  expect(await harness.objects.list('acme/')).toEqual([(await batch.read()).results?.key]);
});

test('when a batch is canceled while the results of its last job are being written then it ends as canceled', async () => {
  const harness = await startBatches();
  const batch = await committedBatch(harness, 1);
  await batch.commit();
  await harness.runTask();
  await failJob(harness, batch.ids[0] ?? '');
  const put = firstDo(harness.objects.put.bind(harness.objects), () => harness.store.batches.cancel(batch.id));
  await harness.runTask({
    objects: { put, get: harness.objects.get.bind(harness.objects), delete: harness.objects.delete.bind(harness.objects) },
  });
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled', counts: { failed: 1 } });
});

test('when the jobs of a batch are large then few of them are in memory at once', async () => {
  const harness = await startBatches();
  const large = (doc: JobDoc): JobDoc => ({ ...doc, metadata: { a: 'x'.repeat(3 * 1024 * 1024) } });
  const batch = await committedBatch(harness, 4, (doc, i) => (i < 2 ? large(doc) : doc));
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  const read: number[] = [];
  const records: Batches['store']['batches']['records'] = async (ids) => {
    read.push(ids.length);
    return await harness.store.batches.records(ids);
  };
  await harness.runTask({ store: { ...harness.store, batches: { ...harness.store.batches, records } } });
  expect(read).toEqual([1, 3]);
  expect((await batch.read()).status).toBe('completed');

  await committedBatch(harness, 4, (doc, i) => (i < 2 ? large(doc) : doc));
  await harness.clock.advance(600_000);
  const erased: number[] = [];
  const docs: Batches['store']['batches']['docs'] = async (ids) => {
    erased.push(ids.length);
    return await harness.store.batches.docs(ids);
  };
  await harness.runTask({ store: { ...harness.store, batches: { ...harness.store.batches, docs } } });
  expect(erased).toEqual([1, 3]);
});

/** A batch of which all jobs have failed, and of whose retry one slice is done; its worker died before it could go on. */
async function halfRetried(harness: Batches) {
  const batch = await committedBatch(harness, 501);
  await batch.commit();
  await harness.runTask();
  for (const id of batch.ids) await failJob(harness, id);
  await harness.runTask();
  await harness.clock.advance(1000);
  await harness.store.batches.retryFailed(batch.id, { includeUnknown: false });
  const operation = await harness.store.operations.take(harness.clock.now());
  if (operation === null) throw new Error('no operation');
  await createBatchOperations(harness.batchDeps)[operation.kind]?.(operation);
  expect(await batch.read()).toMatchObject({ status: 'running', round: 2, counts: { queued: 500, failed: 1 } });
  return batch;
}

test('when the jobs that a retry has reopened end before it has reopened the others then the round ends with the last of all', async () => {
  const harness = await startBatches();
  const batch = await halfRetried(harness);
  await harness.clock.advance(1000);
  for (const id of batch.ids.slice(0, 500)) await failJob(harness, id);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', round: 2 });

  await harness.clock.advance(30_000);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'running', round: 2, counts: { queued: 1, failed: 500 } });
  await failJob(harness, batch.ids[500] ?? '');
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'completed', round: 2, counts: { failed: 501 } });
});

test('when a batch is canceled before a retry has reopened all of its failed jobs then those that are left stay failed', async () => {
  const harness = await startBatches();
  const batch = await halfRetried(harness);
  expect(await harness.store.batches.cancel(batch.id)).toBe('canceling');
  await harness.runTask();
  // Whoever takes the retry over has to take back what the worker that died has reopened meanwhile.
  expect(await batch.read()).toMatchObject({ status: 'canceling', counts: { canceled: 500, failed: 1 } });
  await harness.clock.advance(30_000);
  await harness.runTask();
  await harness.clock.advance(1000);
  await harness.runTask();
  expect(await batch.read()).toMatchObject({ status: 'canceled', round: 2, counts: { canceled: 500, failed: 1 } });
});
