import { messageOf, type PauseReason } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { expect, test } from 'vitest';
import { createLateResults } from '../src/maintenance/late-results.ts';
import { createOldRecords } from '../src/maintenance/old-records.ts';
import { createPendingDeliveries } from '../src/maintenance/pending-deliveries.ts';
import { createRepairs } from '../src/maintenance/repairs.ts';
import { countingStalls } from '../src/runner/crashes.ts';
import { expire } from '../src/runner/expire.ts';
import { settle } from '../src/runner/settle.ts';
import { acceptedJob, failJob, generatingJob, startedCall, startHarness } from './harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NO_OBJECTS = { delete: async () => Promise.reject(new Error('not to be asked')) };

test('repairs: when an entry is lost then it is added again once it is due, a healthy job is put off, and one unreadable record stops nothing', async () => {
  const kit = await startHarness();
  const repairs = createRepairs(kit);
  const broken = await acceptedJob(kit);
  await kit.redis.set(`{gj}:job:${broken.id}:doc`, '{not json');
  const lost = await acceptedJob(kit);
  const healthy = await acceptedJob(kit);
  await kit.producer.enqueue(messageOf(await healthy.read()));

  await repairs();
  expect((await lost.read()).step).toBe(1);
  await kit.clock.advance(31_000);
  await Promise.all([repairs(), repairs()]);
  expect((await lost.read()).step).toBe(2);
  expect(await kit.producer.stateOf('submit', { id: lost.id, step: 2 })).toBe('there');
  expect((await healthy.read()).step).toBe(1);
  expect(Number(await kit.redis.zscore('{gj}:due', healthy.id))).toBe(kit.clock.now() + 10 * MINUTE);
  expect(await kit.count('repairs_total{kind="job"}')).toBe(1);
  expect(await kit.store.jobs.counters()).toMatchObject({ repairs: 1 });
});

test('repairs: when Redis refuses to tell where overdue jobs stand then they are not forgotten', async () => {
  const kit = await startHarness();
  const lost = await acceptedJob(kit);
  await kit.clock.advance(31_000);
  await kit.redis.call('ACL', 'SETUSER', 'default', '-hmget');
  await createRepairs(kit)().catch(() => undefined);
  await kit.redis.call('ACL', 'SETUSER', 'default', '+hmget');
  await createRepairs(kit)();
  expect((await lost.read()).step).toBe(2);
});

test('late results: when a job is run again while its old task is asked for then the poll of its new task stays', async () => {
  const kit = await startHarness();
  const job = await generatingJob(kit, 'first [[task-ms=1000]] [[outcome=violation]]');
  await failJob(kit, job, 'upstream_timeout', 0);
  await kit.clock.advance(MINUTE);
  const images = {
    ...kit.grsai.images,
    async result(...args: Parameters<typeof kit.grsai.images.result>) {
      const first = await kit.grsai.images.result(...args);
      await kit.store.transitions.commit(await job.read(), {
        kind: 'reopen',
        to: 'running/generating',
        task: { base: 'b', id: 'second' },
      });
      await failJob(kit, job, 'upstream_timeout', 0);
      return first;
    },
  };
  await createLateResults({ ...kit, grsai: { images: images as typeof kit.grsai.images } })();
  expect(await kit.redis.zscore('{gj}:late', job.id)).not.toBeNull();
});

test('repairs: when a job is past its time then it expires, unless its result is being stored', async () => {
  const kit = await startHarness();
  const queued = await acceptedJob(kit, { expires_in_s: 60 });
  const storing = await generatingJob(kit, 'kept', { expires_in_s: 60 });
  await kit.store.transitions.commit(await storing.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: kit.clock.now() + HOUR },
  });
  await kit.clock.advance(6 * MINUTE);
  await createRepairs(kit)();
  expect(await queued.read()).toMatchObject({ status: 'expired', error: { code: 'deadline_exceeded' } });
  expect(await storing.read()).toMatchObject({ status: 'running', stage: 'storing' });
});

test('repairs: when the entry of a job waits for longer than the job may live then it expires in time', async () => {
  const kit = await startHarness();
  const job = await acceptedJob(kit, { expires_in_s: 60 });
  await kit.store.transitions.commit(await startedCall(kit, job.id), { kind: 'release', waitMs: HOUR });
  await kit.producer.enqueue(messageOf(await job.read(), HOUR));
  await kit.clock.advance(MINUTE + 1);
  await createRepairs(kit)();
  expect(await job.read()).toMatchObject({ status: 'expired', error: { code: 'deadline_exceeded' } });
});

test('repairs: when a job that upstream refused for our key expires then that is told as the reason', async () => {
  const kit = await startHarness();
  const job = await acceptedJob(kit, { expires_in_s: 60 });
  const at = kit.clock.now();
  const attempt = { stage: 'submit', started_at: at, ended_at: at, outcome: 'retry', error_code: 'upstream_auth' } as const;
  await kit.store.transitions.commit(await startedCall(kit, job.id), { kind: 'release', waitMs: 0, attempt });
  await kit.clock.advance(2 * MINUTE);
  await createRepairs(kit)();
  expect(await job.read()).toMatchObject({ status: 'expired', error: { code: 'upstream_auth', retryable: true } });
});

const WAITED: readonly (readonly [paused: PauseReason[], code: string, message: RegExp])[] = [
  [['auth'], 'upstream_auth', /waited: the upstream refused our key\. /],
  [['storage', 'balance'], 'upstream_balance', /had no credits, and the object store took no writes/],
  [['storage'], 'deadline_exceeded', /object store took no writes/],
  [['upstream'], 'deadline_exceeded', /upstream could not be reached/],
  [['operator'], 'deadline_exceeded', /operator had paused/],
  [[], 'deadline_exceeded', /not done by its expires_at/],
];

test('repairs: when a job expires while its queue is paused then what it waited for is told as the reason', async () => {
  const kit = await startHarness();
  for (const [reasons, code, message] of WAITED) {
    const job = await acceptedJob(kit, { expires_in_s: 60 });
    for (const reason of reasons) await kit.store.pauses.add('submit', { reason, since: 1, detail: '', state: 'paused' });
    await kit.clock.advance(2 * MINUTE);
    await createRepairs(kit)();
    expect(await job.read()).toMatchObject({ status: 'expired', error: { code, message: expect.stringMatching(message) } });
    for (const reason of reasons) await kit.store.pauses.remove('submit', reason);
  }
});

test('pending deliveries: when the entry of an pending delivery is lost then it is added again at a new step', async () => {
  const kit = await startHarness();
  const job = await generatingJob(kit);
  // The transition writes what is unsent; we die before the entry is added.
  await kit.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const unsent = createPendingDeliveries(kit);
  await unsent();
  expect(await kit.producer.stateOf('deliver', { id, step: 2 })).toBe('gone');
  await kit.clock.advance(31_000);
  await unsent();
  await unsent();
  expect(await kit.producer.stateOf('deliver', { id, step: 2 })).toBe('there');
  expect((await kit.store.deliveries.read(id))?.delivery).toMatchObject({ step: 2, state: 'pending', attempts_made: 0 });
  expect(await kit.count('repairs_total{kind="delivery"}')).toBe(1);
});

test('late results: when a task ends well after its run was given up then the job is reopened to store it, once', async () => {
  const kit = await startHarness();
  const [timedOut, expired, failed] = [
    await generatingJob(kit, 'one'),
    await generatingJob(kit, 'two'),
    await generatingJob(kit, 'three [[outcome=failed]]'),
  ];
  await failJob(kit, timedOut, 'upstream_timeout', MINUTE);
  const past = await expired.read();
  await settle(kit, past, await expire(kit, past));
  await failJob(kit, failed, 'upstream_timeout', MINUTE);
  await kit.clock.advance(2 * MINUTE);
  const late = createLateResults(kit);
  await late();
  await late();
  for (const job of [timedOut, expired]) {
    expect(await job.read()).toMatchObject({
      status: 'running',
      stage: 'storing',
      run: 2,
      late_result: true,
      unstored: { links: [{}] },
    });
    expect(await kit.producer.stateOf('store', await job.read())).toBe('there');
  }
  expect(await failed.read()).toMatchObject({ status: 'failed', run: 1 });
  expect(await kit.redis.zcard('{gj}:late')).toBe(0);
  expect(await kit.count('late_results_total')).toBe(2);
});

test('late results: when upstream does not know the task for a moment then its result is not given up', async () => {
  const kit = await startHarness();
  const job = await generatingJob(kit, 'hidden [[fault=F8:ms=60000]]');
  await kit.clock.advance(2000);
  await failJob(kit, job, 'upstream_result_lost', 0);
  const late = createLateResults(kit);
  await late();
  expect((await job.read()).status).toBe('failed');
  await kit.clock.advance(2 * MINUTE);
  await late();
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true });
});

test('late results: when upstream cannot be read then the sweep polls again, until the id is dead', async () => {
  const kit = await startHarness();
  const job = await generatingJob(kit, 'later');
  await failJob(kit, job, 'upstream_timeout', 0);
  await kit.emulator.nodes[0]?.stop();
  const late = createLateResults(kit);
  await late();
  expect(Number(await kit.redis.zscore('{gj}:late', job.id))).toBe(kit.clock.now() + 2 * MINUTE);
  await kit.clock.advance(2 * HOUR);
  await late();
  expect(await kit.redis.zcard('{gj}:late')).toBe(0);
  expect(await job.read()).toMatchObject({ status: 'failed', run: 1 });
});

test('old records: when a job ended longer ago than RETENTION_DAYS then it is erased with all its traces, unless it has a pending delivery', async () => {
  const kit = await startHarness();
  const old = await generatingJob(kit, 'old', { webhook: undefined });
  await kit.store.transitions.commit(await old.read(), { kind: 'finish', status: 'failed' });
  const owing = await generatingJob(kit, 'owing');
  await kit.store.transitions.commit(await owing.read(), { kind: 'finish', status: 'failed' });
  await kit.clock.advance(6 * DAY);
  const young = await generatingJob(kit, 'young', { webhook: undefined });
  await kit.store.transitions.commit(await young.read(), { kind: 'finish', status: 'succeeded' });
  await kit.clock.advance(1 * DAY + 1);
  await createOldRecords({ ...kit, objects: NO_OBJECTS }, 7)();
  expect(await kit.store.jobs.read(old.id)).toBeNull();
  expect(await kit.redis.zrange('{gj}:tenant:acme:jobs', '0', '-1')).not.toContain(old.id);
  expect(await kit.redis.zscore('{gj}:failed', old.id)).toBeNull();
  expect((await owing.read()).status).toBe('failed');
  expect((await young.read()).status).toBe('succeeded');
  expect(await kit.count('records_erased_total')).toBe(1);
});

test('old records: when what of an input stands in S3 cannot be deleted then the job stays and is not run again; when it can then both go', async () => {
  const kit = await startHarness();
  const stored_input = {
    $object: 'a/input.json',
    bytes: 40_000,
    pictures: [{ $object: 'a/in-0.png', content_type: 'image/png', bytes: 1 }],
  };
  const ended = async () => {
    const job = await acceptedJob(kit, { webhook: undefined }, (doc) => ({ ...doc, stored_input }));
    await kit.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
    return job;
  };
  const old = await ended();
  await kit.clock.advance(7 * DAY + 1);
  const sweep = async (code?: 'unavailable' | 'denied') => {
    const deleted: string[] = [];
    const remove = async (keys: readonly string[]) => {
      if (code !== undefined) throw new ObjectStoreError(code, code);
      deleted.push(...keys);
    };
    await createOldRecords({ ...kit, objects: { delete: remove } }, 7)();
    return deleted;
  };
  await sweep('unavailable');
  expect(await old.read()).toMatchObject({ erasing: true });
  expect(await kit.store.transitions.commit(await old.read(), { kind: 'reopen', to: 'queued' })).toMatchObject({ kind: 'wrong' });
  expect(await sweep()).toEqual(['a/input.json', 'a/in-0.png']);
  expect(await kit.store.jobs.read(old.id)).toBeNull();

  const kept = await ended();
  await kit.clock.advance(7 * DAY + 1);
  await sweep('denied');
  expect(await kit.store.jobs.read(kept.id)).toBeNull();
});

test('a stalled entry: when its worker died after the transition and before the next entry then that entry is added at once', async () => {
  const kit = await startHarness();
  const handler = countingStalls(kit, 'poll', async () => ({ kind: 'done' }));
  const storing = await generatingJob(kit);
  await kit.store.transitions.commit(await storing.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: kit.clock.now() + HOUR },
  });
  await handler({ entry: { id: storing.id, step: 2 }, stalled: true });
  expect(await kit.producer.stateOf('store', { id: storing.id, step: 3 })).toBe('there');
  expect((await storing.read()).crashes).toBe(0);

  const ended = await generatingJob(kit);
  await kit.store.transitions.commit(await ended.read(), { kind: 'finish', status: 'failed' });
  await handler({ entry: { id: ended.id, step: 2 }, stalled: true });
  expect(await kit.producer.stateOf('deliver', { id: (await ended.read()).webhook.last_delivery_id ?? '', step: 1 })).toBe(
    'there',
  );
});

test('old records: when a thousand jobs have a pending delivery then those behind them are erased all the same', async () => {
  const kit = await startHarness();
  const ended = async (more: object) => {
    const job = await acceptedJob(kit, more);
    await kit.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
    return job;
  };
  for (let n = 0; n < 1000; n += 1) await ended({});
  await kit.clock.advance(1);
  const old = await ended({ webhook: undefined });
  await kit.clock.advance(7 * DAY + 1);
  await createOldRecords({ ...kit, objects: NO_OBJECTS }, 7)();
  expect(await kit.store.jobs.read(old.id)).toBeNull();
  expect(await kit.redis.zcard('{gj}:ended')).toBe(1000);
});

test('old records: when a webhook is gone then so is its old place in the list of its tenant, and no other', async () => {
  const kit = await startHarness();
  await kit.store.apiKeys.create({ tenant: 'acme', name: 'a', scopes: [], expiresAt: null, now: kit.clock.now() });
  const [gone, unsent, young] = [await acceptedJob(kit), await acceptedJob(kit), await acceptedJob(kit)];
  for (const job of [gone, unsent]) await kit.store.transitions.commit(await job.read(), { kind: 'cancel' });
  await kit.clock.advance(6 * DAY);
  await kit.store.transitions.commit(await young.read(), { kind: 'cancel' });
  for (const job of [gone, young]) await kit.redis.del(`{gj}:delivery:${(await job.read()).webhook.last_delivery_id}`);
  await kit.clock.advance(1 * DAY + 1);
  await createOldRecords({ ...kit, objects: NO_OBJECTS }, 7)();
  const left = await kit.redis.zrange('{gj}:tenant:acme:deliveries', '0', '-1');
  const idsOf = async (...jobs: (typeof gone)[]) =>
    await Promise.all(jobs.map(async (job) => (await job.read()).webhook.last_delivery_id));
  expect(left).toEqual(await idsOf(unsent, young));
});
