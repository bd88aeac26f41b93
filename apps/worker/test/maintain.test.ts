import { createCancelJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import {
  type JobDoc,
  JobRequest,
  LIMITS,
  messageOf,
  type PauseReason,
  type Transition,
  type UnstoredResult,
} from '@grsai-jobs/jobs';
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
const CHAT = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } };
const NO_OBJECTS = { delete: async () => Promise.reject(new Error('not to be asked')) };

test('repairs: when an entry is lost then it is added again once it is due, a healthy job is put off, and one unreadable record stops nothing', async () => {
  const harness = await startHarness();
  const repairs = createRepairs(harness);
  const broken = await acceptedJob(harness);
  await harness.redis.set(`{gj}:job:${broken.id}:doc`, '{not json');
  const lost = await acceptedJob(harness);
  const healthy = await acceptedJob(harness);
  await harness.producer.enqueue(messageOf(await healthy.read()));

  await repairs();
  expect((await lost.read()).step).toBe(1);
  await harness.clock.advance(31_000);
  await Promise.all([repairs(), repairs()]);
  expect((await lost.read()).step).toBe(2);
  expect(await harness.producer.stateOf('submit', { id: lost.id, step: 2 })).toBe('there');
  expect((await healthy.read()).step).toBe(1);
  expect(Number(await harness.redis.zscore('{gj}:due', healthy.id))).toBe(harness.clock.now() + 10 * MINUTE);
  expect(await harness.count('repairs_total{kind="job"}')).toBe(1);
  expect(await harness.store.jobs.counters()).toMatchObject({ repairs: 1 });
});

test('repairs: when a process dies before it adds the entries of those whom it let in then they have some 10 s later', async () => {
  const harness = await startHarness();
  const limits = { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 };
  const jobs = await Promise.all(Array.from({ length: 101 }, () => acceptedJob(harness)));
  const waiting = async () => await harness.redis.zrange('{gj}:waiting:submit:acme', '0', '-1');
  const [last = ''] = await waiting();
  await Promise.all(
    jobs
      .slice(0, 60)
      .map(async ({ read }) => await harness.store.transitions.commit(await read(), { kind: 'finish', status: 'canceled' })),
  );
  expect(await harness.store.rooms.letIn('submit', limits)).toMatchObject([{ id: last }]);
  await harness.clock.advance(10_001);
  await createRepairs(harness)();
  expect(await harness.producer.stateOf('submit', { id: last, step: 2 })).toBe('there');
});

test('repairs: when Redis refuses to say where overdue jobs stand then they are not forgotten', async () => {
  const harness = await startHarness();
  const lost = await acceptedJob(harness);
  await harness.clock.advance(31_000);
  await harness.redis.call('ACL', 'SETUSER', 'default', '-hmget');
  await createRepairs(harness)().catch(() => undefined);
  await harness.redis.call('ACL', 'SETUSER', 'default', '+hmget');
  await createRepairs(harness)();
  expect((await lost.read()).step).toBe(2);
});

test('late results: when a job is run again while its old task is asked for then the poll of its new task stays', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness, 'first [[task-ms=1000]] [[outcome=violation]]');
  await failJob(harness, job, 'upstream_timeout', 0);
  await harness.clock.advance(MINUTE);
  const images = {
    ...harness.grsai.images,
    async result(...args: Parameters<typeof harness.grsai.images.result>) {
      const first = await harness.grsai.images.result(...args);
      await harness.store.transitions.commit(await job.read(), {
        kind: 'reopen',
        to: 'running/generating',
        task: { base: 'b', id: 'second' },
      });
      await failJob(harness, job, 'upstream_timeout', 0);
      return first;
    },
  };
  await createLateResults({ ...harness, grsai: { images: images as typeof harness.grsai.images } })();
  expect(await harness.redis.zscore('{gj}:late', job.id)).not.toBeNull();
});

test('repairs: when a job is past its time then it expires, unless its result is being stored', async () => {
  const harness = await startHarness();
  const queued = await acceptedJob(harness, { expires_in_s: 60 });
  const storing = await generatingJob(harness, 'kept', { expires_in_s: 60 });
  await harness.store.transitions.commit(await storing.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: harness.clock.now() + HOUR },
  });
  await harness.clock.advance(6 * MINUTE);
  await createRepairs(harness)();
  expect(await queued.read()).toMatchObject({ status: 'expired', error: { code: 'deadline_exceeded' } });
  expect(await storing.read()).toMatchObject({ status: 'running', stage: 'storing' });
});

test.each([
  [
    'is the result',
    'hello',
    { status: 'succeeded', output: { kind: 'chat', completion: { choices: [{ finish_reason: null }] } } },
  ],
  ['is stored', 'x'.repeat(LIMITS.inlineCompletionBytes), { status: 'running', stage: 'storing' }],
])('repairs: when a chat expires before the call that follows its answer then that %s', async (_, content, ends) => {
  const harness = await startHarness();
  const chat: JobDoc = { ...(JobRequest.parse(CHAT) as JobDoc), on_unknown_submit: 'resubmit', expires_in_s: 60 };
  const job = await acceptedJob(harness, {}, () => chat);
  const completion = { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: null }] };
  const unstored = { completion, dies_at: harness.clock.now() + HOUR } as UnstoredResult;
  await harness.store.transitions.commit(await startedCall(harness, job.id), { kind: 'release', waitMs: HOUR, unstored });
  await harness.clock.advance(MINUTE + 1);
  await createRepairs(harness)();
  const ended = await job.read();
  expect(ended).toMatchObject(ends);
  expect(ended.error).toBeNull();
});

test('repairs: when the entry of a job waits for longer than the job may live then it expires in time', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness, { expires_in_s: 60 });
  await harness.store.transitions.commit(await startedCall(harness, job.id), { kind: 'release', waitMs: HOUR });
  await harness.producer.enqueue(messageOf(await job.read(), HOUR));
  await harness.clock.advance(MINUTE + 1);
  await createRepairs(harness)();
  expect(await job.read()).toMatchObject({ status: 'expired', error: { code: 'deadline_exceeded' } });
});

test('repairs: when a job that upstream refused for our key expires then that is reported as the reason', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness, { expires_in_s: 60 });
  const at = harness.clock.now();
  const attempt = { stage: 'submit', started_at: at, ended_at: at, outcome: 'retry', error_code: 'upstream_auth' } as const;
  await harness.store.transitions.commit(await startedCall(harness, job.id), { kind: 'release', waitMs: 0, attempt });
  await harness.clock.advance(2 * MINUTE);
  await createRepairs(harness)();
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

test('repairs: when a job expires while its queue is paused then what it waited for is reported as the reason', async () => {
  const harness = await startHarness();
  for (const [reasons, code, message] of WAITED) {
    const job = await acceptedJob(harness, { expires_in_s: 60 });
    for (const reason of reasons) await harness.store.pauses.add('submit', { reason, since: 1, detail: '', state: 'paused' });
    await harness.clock.advance(2 * MINUTE);
    await createRepairs(harness)();
    expect(await job.read()).toMatchObject({ status: 'expired', error: { code, message: expect.stringMatching(message) } });
    for (const reason of reasons) await harness.store.pauses.remove('submit', reason);
  }
});

test('pending deliveries: when the entry of an pending delivery is lost then it is added again at a new step', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness);
  // The transition writes what is unsent; we die before the entry is added.
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const unsent = createPendingDeliveries(harness);
  await unsent();
  expect(await harness.producer.stateOf('deliver', { id, step: 2 })).toBe('gone');
  await harness.clock.advance(31_000);
  await unsent();
  await unsent();
  expect(await harness.producer.stateOf('deliver', { id, step: 2 })).toBe('there');
  expect((await harness.store.deliveries.read(id))?.delivery).toMatchObject({ step: 2, state: 'pending', attempts_made: 0 });
  expect(await harness.count('repairs_total{kind="delivery"}')).toBe(1);
});

test('late results: when a task ends well after its run was given up then the job is reopened to store it, once', async () => {
  const harness = await startHarness();
  const [timedOut, expired, failed] = [
    await generatingJob(harness, 'one'),
    await generatingJob(harness, 'two'),
    await generatingJob(harness, 'three [[outcome=failed]]'),
  ];
  await failJob(harness, timedOut, 'upstream_timeout', MINUTE);
  const past = await expired.read();
  // As if its time were over, which would be longer than its task lives.
  await settle(harness, past, { ...(await expire(harness, past)), notBefore: 0 } as Transition);
  await failJob(harness, failed, 'upstream_timeout', MINUTE);
  await harness.clock.advance(2 * MINUTE);
  const late = createLateResults(harness);
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
    expect(await harness.producer.stateOf('store', await job.read())).toBe('there');
  }
  expect(await failed.read()).toMatchObject({ status: 'failed', run: 1 });
  expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  expect(await harness.count('late_results_total')).toBe(2);
});

test.each([
  ['failed', { charged: null, refunded: 1200 }],
  ['violation', { charged: 1200, refunded: null }],
])(
  'late results: when a task is seen as %s after its run was given up then its credits are settled, and it is polled no more',
  async (outcome, cost) => {
    const harness = await startHarness();
    const price = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
    const job = await generatingJob(harness, `a boat [[outcome=${outcome}]]`, {}, price);
    await failJob(harness, job, 'upstream_timeout', 0);
    expect(await job.read()).toMatchObject({ cost: { open: 1200 } });
    await harness.clock.advance(2 * MINUTE);
    await createLateResults(harness)();
    expect(await job.read()).toMatchObject({ status: 'failed', run: 1, cost: { ...cost, open: null, unknown: 0 } });
    expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  },
);

test.each([
  ['succeeded', { charged: 1200, refunded: null }],
  ['failed', { charged: null, refunded: 1200 }],
  ['violation', { charged: 1200, refunded: null }],
])(
  'late results: when the task of a canceled job is seen as %s then its credits are settled, and the job stays canceled',
  async (outcome, cost) => {
    const harness = await startHarness();
    const price = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
    const job = await generatingJob(harness, `a boat [[outcome=${outcome}]]`, {}, price);
    await createCancelJob(harness)(await job.read());
    expect(await job.read()).toMatchObject({ status: 'canceled', cost: { open: 1200 } });
    await harness.clock.advance(2 * MINUTE);
    await createLateResults(harness)();
    expect(await job.read()).toMatchObject({ status: 'canceled', run: 1, cost: { ...cost, open: null, unknown: 0 } });
    expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  },
);

test('late results: when a submit brings a task for a job that was canceled meanwhile then the end of the task settles its credits', async () => {
  const harness = await startHarness();
  const price = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
  const job = await acceptedJob(harness, {}, undefined, undefined, price);
  const submitting = await startedCall(harness, job.id);
  const { base, id } = await harness.grsai.images.submit({ model: 'nano-banana-2', prompt: 'a boat' });
  await createCancelJob(harness)(await job.read());
  const now = harness.clock.now();
  const attempt = { stage: 'submit', started_at: now, ended_at: now, outcome: 'accepted' } as const;
  await settle(harness, submitting, { kind: 'task_accepted', task: { base, id }, attempt, firstPollMs: 0, aliveMs: 1e6 });
  expect(await job.read()).toMatchObject({ status: 'canceled', cost: { open: 1200 } });
  await harness.clock.advance(2 * MINUTE);
  await createLateResults(harness)();
  expect(await job.read()).toMatchObject({ status: 'canceled', run: 1, cost: { charged: 1200, open: null, unknown: 0 } });
  expect(await harness.redis.zcard('{gj}:late')).toBe(0);
});

test('late results: when upstream does not know the task for a moment then its result is not given up', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness, 'hidden [[fault=F8:ms=60000]]');
  await harness.clock.advance(2000);
  await failJob(harness, job, 'upstream_result_lost', 0);
  const late = createLateResults(harness);
  await late();
  expect((await job.read()).status).toBe('failed');
  await harness.clock.advance(2 * MINUTE);
  await late();
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true });
});

test('late results: when upstream cannot be read then the sweep polls again, until the id is dead', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness, 'later');
  await failJob(harness, job, 'upstream_timeout', 0);
  await harness.emulator.nodes[0]?.stop();
  const late = createLateResults(harness);
  await late();
  expect(Number(await harness.redis.zscore('{gj}:late', job.id))).toBe(harness.clock.now() + 2 * MINUTE);
  await harness.clock.advance(2 * HOUR);
  await late();
  expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  expect(await job.read()).toMatchObject({ status: 'failed', run: 1 });
});

test('old records: when a job ended longer ago than RETENTION_DAYS then it is erased with all its traces, unless it has a pending delivery', async () => {
  const harness = await startHarness();
  const old = await generatingJob(harness, 'old', { webhook: undefined });
  await harness.store.transitions.commit(await old.read(), { kind: 'finish', status: 'failed' });
  const owing = await generatingJob(harness, 'owing');
  await harness.store.transitions.commit(await owing.read(), { kind: 'finish', status: 'failed' });
  await harness.clock.advance(6 * DAY);
  const young = await generatingJob(harness, 'young', { webhook: undefined });
  await harness.store.transitions.commit(await young.read(), { kind: 'finish', status: 'succeeded' });
  await harness.clock.advance(1 * DAY + 1);
  await createOldRecords({ ...harness, objects: NO_OBJECTS }, 7)();
  expect(await harness.store.jobs.read(old.id)).toBeNull();
  expect(await harness.redis.zrange('{gj}:tenant:acme:jobs', '0', '-1')).not.toContain(old.id);
  expect(await harness.redis.zscore('{gj}:failed', old.id)).toBeNull();
  expect((await owing.read()).status).toBe('failed');
  expect((await young.read()).status).toBe('succeeded');
  expect(await harness.count('records_erased_total')).toBe(1);
});

test('old records: when the clock of the machine and that of Redis differ then nothing is erased', async () => {
  const harness = await startHarness();
  const old = await generatingJob(harness, 'old', { webhook: undefined });
  await harness.store.transitions.commit(await old.read(), { kind: 'finish', status: 'failed' });
  await harness.clock.advance(8 * DAY);
  const differs = { now: harness.clock.now.bind(harness.clock), trouble: () => 'an hour ahead' };
  await createOldRecords({ ...harness, clock: differs, objects: NO_OBJECTS }, 7)();
  expect((await old.read()).status).toBe('failed');
});

test('old records: when what of an input stands in S3 cannot be deleted then the job stays and is not run again; when it can then both go', async () => {
  const harness = await startHarness();
  const stored_input = {
    $object: 'a/input.json',
    bytes: 40_000,
    pictures: [{ $object: 'a/in-0.png', content_type: 'image/png', bytes: 1 }],
  };
  const ended = async () => {
    const job = await acceptedJob(harness, { webhook: undefined }, (doc) => ({ ...doc, stored_input }));
    await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
    return job;
  };
  const old = await ended();
  await harness.clock.advance(7 * DAY + 1);
  const sweep = async (code?: 'unavailable' | 'denied') => {
    const deleted: string[] = [];
    const remove = async (keys: readonly string[]) => {
      if (code !== undefined) throw new ObjectStoreError(code, code);
      deleted.push(...keys);
    };
    await createOldRecords({ ...harness, objects: { delete: remove } }, 7)();
    return deleted;
  };
  await sweep('unavailable');
  expect(await old.read()).toMatchObject({ erasing: true });
  expect(await harness.store.transitions.commit(await old.read(), { kind: 'reopen', to: 'queued' })).toMatchObject({
    kind: 'wrong',
  });
  expect(await sweep()).toEqual(['a/input.json', 'a/in-0.png']);
  expect(await harness.store.jobs.read(old.id)).toBeNull();

  const kept = await ended();
  await harness.clock.advance(7 * DAY + 1);
  await sweep('denied');
  expect(await harness.store.jobs.read(kept.id)).toBeNull();
});

test('a stalled entry: when its worker died after the transition and before the next entry then that entry is added at once', async () => {
  const harness = await startHarness();
  const handler = countingStalls(harness, 'poll', async () => ({ kind: 'done' }));
  const storing = await generatingJob(harness);
  await harness.store.transitions.commit(await storing.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: harness.clock.now() + HOUR },
  });
  await handler({ entry: { id: storing.id, step: 2 }, stalled: true });
  expect(await harness.producer.stateOf('store', { id: storing.id, step: 3 })).toBe('there');
  expect((await storing.read()).crashes).toBe(0);

  const ended = await generatingJob(harness);
  await harness.store.transitions.commit(await ended.read(), { kind: 'finish', status: 'failed' });
  await handler({ entry: { id: ended.id, step: 2 }, stalled: true });
  expect(await harness.producer.stateOf('deliver', { id: (await ended.read()).webhook.last_delivery_id ?? '', step: 1 })).toBe(
    'there',
  );
});

test('old records: when a thousand jobs have a pending delivery then those behind them are erased all the same', async () => {
  const harness = await startHarness();
  const ended = async (more: object) => {
    const job = await acceptedJob(harness, more);
    await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
    return job;
  };
  for (let n = 0; n < 1000; n += 1) await ended({});
  await harness.clock.advance(1);
  const old = await ended({ webhook: undefined });
  await harness.clock.advance(7 * DAY + 1);
  await createOldRecords({ ...harness, objects: NO_OBJECTS }, 7)();
  expect(await harness.store.jobs.read(old.id)).toBeNull();
  expect(await harness.redis.zcard('{gj}:ended')).toBe(1000);
});

test('old records: when a webhook is gone then so is its old place in the list of its tenant, and no other', async () => {
  const harness = await startHarness();
  await harness.store.apiKeys.create({ tenant: 'acme', name: 'a', scopes: [], expiresAt: null, now: harness.clock.now() });
  const [gone, unsent, young] = [await acceptedJob(harness), await acceptedJob(harness), await acceptedJob(harness)];
  for (const job of [gone, unsent]) await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  await harness.clock.advance(6 * DAY);
  await harness.store.transitions.commit(await young.read(), { kind: 'cancel' });
  for (const job of [gone, young]) await harness.redis.del(`{gj}:delivery:${(await job.read()).webhook.last_delivery_id}`);
  await harness.clock.advance(1 * DAY + 1);
  await createOldRecords({ ...harness, objects: NO_OBJECTS }, 7)();
  const left = await harness.redis.zrange('{gj}:tenant:acme:deliveries', '0', '-1');
  const idsOf = async (...jobs: (typeof gone)[]) =>
    await Promise.all(jobs.map(async (job) => (await job.read()).webhook.last_delivery_id));
  expect(left).toEqual(await idsOf(unsent, young));
});

test('old records: when many are old then they are erased side by side', async () => {
  const harness = await startHarness();
  const jobs = await Promise.all(Array.from({ length: 12 }, () => acceptedJob(harness, { webhook: undefined })));
  for (const job of jobs) await failJob(harness, job, 'internal');
  await harness.clock.advance(2 * DAY);
  const all = Promise.withResolvers<void>();
  let begun = 0;
  const erase = {
    ...harness.store.erase,
    old: async (...args: Parameters<typeof harness.store.erase.old>) => {
      begun += 1;
      if (begun === jobs.length) all.resolve();
      await all.promise;
      return await harness.store.erase.old(...args);
    },
  };
  await createOldRecords({ ...harness, store: { ...harness.store, erase }, objects: NO_OBJECTS }, 1)();
  expect(await harness.redis.zcard('{gj}:ended')).toBe(0);
});

test('old records: when there are more than go in a minute then they are erased all the same, and what cannot be keeps nobody for long', async () => {
  const harness = await startHarness();
  const jobs = await Promise.all(Array.from({ length: 450 }, () => acceptedJob(harness, { webhook: undefined })));
  await Promise.all(jobs.map((job) => failJob(harness, job, 'internal')));
  await harness.clock.advance(2 * DAY);
  let spent = 0;
  const clock = { ...harness.clock, now: () => harness.clock.now() + spent, trouble: () => undefined };
  const taking = (work: typeof harness.store.erase.old): JobStore['erase'] => ({
    ...harness.store.erase,
    old: async (...args) => {
      spent += 400;
      return await work(...args);
    },
  });
  const refusing = taking(() => Promise.reject(new Error('refused')));
  await createOldRecords({ ...harness, clock, store: { ...harness.store, erase: refusing }, objects: NO_OBJECTS }, 1)();
  expect(spent).toBeLessThan(4 * MINUTE);
  expect(await harness.redis.zcard('{gj}:ended')).toBe(450);
  await createOldRecords(
    { ...harness, clock, store: { ...harness.store, erase: taking(harness.store.erase.old) }, objects: NO_OBJECTS },
    1,
  )();
  expect(await harness.redis.zcard('{gj}:ended')).toBe(0);
});

test('old records: when a file became no batch, or its batch is gone, then what is known of that goes after RETENTION_DAYS', async () => {
  const harness = await startHarness();
  const { clock, redis, store } = harness;
  await store.apiKeys.create({ tenant: 'acme', name: 'a', scopes: [], expiresAt: null, now: clock.now() });
  const ofFile = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { who: 'me' } };
  const made = async (name: string) => {
    const id = `batch_${name}`;
    const times = { created_at: clock.now(), validates_until: clock.now(), expires_at: clock.now(), output_expires_s: null };
    await store.fileBatches.create({ id, tenant: 'acme', ...ofFile, ...times });
    return id;
  };
  await store.fileBatches.fail(await made('A'), [{ code: 'c', line: 1, message: 'm', param: null }], clock.now());
  await made('B');
  const going = await made('C');
  await store.batches.open({
    id: going,
    tenant: 'acme',
    doc: { expires_in_s: 3600, metadata: {} } as never,
    createdAt: clock.now(),
  });
  await store.batches.commit({ id: going, tenant: 'acme' }, { total: 0, invalid: 0, expiresInS: 3600 });
  await clock.advance(7 * DAY + 1);
  const young = await made('D');
  await createOldRecords({ ...harness, objects: NO_OBJECTS }, 7)();
  expect(await store.fileBatches.ids('acme', { order: 'asc', limit: 10 })).toEqual([going, young]);
  expect((await redis.keys('{gj}:file-batch:*')).toSorted()).toEqual([going, young].map((id) => `{gj}:file-batch:${id}`));
});
