import { randomUUID } from 'node:crypto';
import {
  type Job,
  type State,
  stateIn,
  TRANSITIONS,
  type Transition,
  type TransitionName,
  type TransitionRow,
} from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import {
  EXAMPLES,
  everything,
  heldBy,
  imageDoc,
  jobAt,
  jobIn,
  NO_LIMITS,
  newJobId,
  type Started,
  startStore,
} from './harness.ts';

const STATES: readonly State[] = [
  'validating',
  'queued',
  'running/submitting',
  'running/generating',
  'running/storing',
  'canceling/submitting',
  'canceling/storing',
  'succeeded',
  'failed',
  'canceled',
  'expired',
];
const rowOf = (name: TransitionName): TransitionRow => TRANSITIONS[name];
const KINDS = Object.keys(EXAMPLES) as Transition['kind'][];

/** Whether it is the holder of the lease who makes this transition of this job. */
const isByLease = (kind: Transition['kind'], job: Job): boolean =>
  rowOf(kind).guard === 'lease' || (rowOf(kind).guard === 'step or lease' && kind !== 'reopen' && job.stage === 'submitting');

test.each(KINDS)('from every state %s changes the job as the table says, or nothing at all', async (kind) => {
  const kit = await startStore();
  const { from, to } = rowOf(kind);
  for (const state of STATES) {
    await kit.redis.flushall();
    const job = await jobAt(kit, state);
    const before = await everything(kit.redis);
    const byLease = isByLease(kind, job);
    const stale = byLease ? heldBy(job, 'another') : { ...heldBy(job, 'any'), step: job.step + 1 };
    expect([state, await kit.store.transitions.commit(stale, EXAMPLES[kind])]).toEqual([state, { kind: 'stale', state }]);
    expect(await everything(kit.redis)).toEqual(before);

    const committed = await kit.store.transitions.commit(job.lease === null ? heldBy(job, 'any') : job, EXAMPLES[kind]);
    if (!from.includes(state)) {
      const why = byLease && job.lease === null ? 'stale' : 'wrong';
      expect([state, committed]).toEqual([state, { kind: why, state }]);
      expect(await everything(kit.redis)).toEqual(before);
      continue;
    }
    expect([state, committed.kind]).toEqual([state, 'ok']);
    const now = await kit.store.jobs.read(job.id);
    if (now === null) throw new Error('the record is gone');
    expect(to === 'same' ? [state] : to).toContain(stateIn(now));
    expect([now.ver, now.step]).toEqual([job.ver + 1, job.step + (rowOf(kind).step === 'next' ? 1 : 0)]);
  }
});

test('when there is no record then no transition makes one', async () => {
  const kit = await startStore();
  const gone = await jobAt(kit, 'running/submitting');
  await kit.redis.flushall();
  for (const kind of KINDS) expect(await kit.store.transitions.commit(gone, EXAMPLES[kind])).toEqual({ kind: 'missing' });
  expect(await kit.redis.dbsize()).toBe(0);
});

test('when the delete of a job has begun then no transition is made of it any more', async () => {
  const kit = await startStore();
  for (const kind of KINDS) {
    const job = await jobAt(kit, 'failed');
    expect(await kit.store.erase.begin(job)).toBe(true);
    const before = await everything(kit.redis);
    expect(await kit.store.transitions.commit(job, EXAMPLES[kind])).toEqual({ kind: 'wrong', state: 'failed' });
    expect(await everything(kit.redis)).toEqual(before);
  }
});

test('when a call began after the job was read then who has no lease neither ends the job nor brings a result', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'queued');
  const queued = await job.read();
  await kit.store.transitions.startCall({ id: job.id, step: 1 }, { token: 'A', limitMs: 1000 }, NO_LIMITS);
  const before = await everything(kit.redis);
  for (const kind of ['finish', 'start_storing', 'cancel'] as const)
    expect(await kit.store.transitions.commit(queued, EXAMPLES[kind])).toEqual({ kind: 'wrong', state: 'running/submitting' });
  expect(await everything(kit.redis)).toEqual(before);
});

test('when a task was refunded and its job is submitted anew then nothing of how the first task was polled is left', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'generating');
  await job.commit(EXAMPLES.poll);
  await job.commit(EXAMPLES.resubmit);
  await kit.store.transitions.startCall({ id: job.id, step: 3 }, { token: 'B', limitMs: 1000 }, NO_LIMITS);
  await job.commit(EXAMPLES.task_accepted);
  expect((await job.read()).task).toMatchObject({ polls: 0, last_polled_at: null });
});

const batchOf = (job: Job) => ({ id: job.batch_id ?? '', tenant: job.tenant });

/** Rows that have functions of their own. Each answers whether it was done. */
const OWN: Readonly<Record<Exclude<TransitionName, Transition['kind']>, (kit: Started, job: Job | null) => Promise<boolean>>> = {
  create: async (kit) => (await kit.store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc() })).kind === 'ok',
  stage_line: async (kit) => {
    const batch = await openBatch(kit);
    return (await kit.store.batches.add(batch, 0, [{ jobId: newJobId(), line: 1, customId: 'a', doc: imageDoc() }])) === 'ok';
  },
  reveal: async (kit, job) => {
    if (job === null) return false;
    const { revealed } = await kit.store.batches.reveal(batchOf(job), [job.id], 30_000);
    return revealed.length === 1;
  },
  discard_line: async (kit, job) =>
    job !== null &&
    (await kit.store.batches.discard(batchOf(job).id, [job.id])) &&
    (await kit.redis.exists(`{gj}:job:${job.id}`)) === 0,
  start_call: async (kit, job) => {
    if (job === null) return false;
    const over = job.lease && { token: job.lease.token, attempts: job.attempts, attemptsUsed: 1 };
    const call = { token: randomUUID(), limitMs: 1000, ...(over ? { over } : {}) };
    return (await kit.store.transitions.startCall(job, call, NO_LIMITS)).kind === 'ok';
  },
  begin_erase: (kit, job) => kit.store.erase.begin(job as Job),
  erase: (kit, job) => kit.store.erase.asked(job as Job),
};

/** Opened while there is memory; a full Redis opens none. */
async function openBatch(kit: Started) {
  const batch = { id: newJobId().replace('job_', 'batch_'), tenant: 'acme' };
  await kit.redis.config('SET', 'maxmemory', '0');
  await kit.store.batches.open({ ...batch, doc: { expires_in_s: 3600, metadata: {} } as never, createdAt: kit.clock.now() });
  await kit.redis.config('SET', 'maxmemory', '1');
  return batch;
}

test.each(Object.keys(TRANSITIONS) as TransitionName[])(
  'when Redis is full then %s is done if the table calls it paid, and refused with nothing written if not',
  async (name) => {
    const kit = await startStore();
    const { from, paid } = rowOf(name);
    for (const state of from.length === 0 ? [null] : from) {
      const job = state === null ? null : await jobAt(kit, state);
      await kit.redis.config('SET', 'maxmemory', '1');
      const records = await kit.redis.keys('{gj}:job:*');
      const done =
        name in EXAMPLES
          ? kit.store.transitions.commit(job as Job, EXAMPLES[name as Transition['kind']]).then(({ kind }) => kind === 'ok')
          : OWN[name as keyof typeof OWN](kit, job);
      if (paid) expect([state, await done]).toEqual([state, true]);
      else {
        await expect(done).rejects.toThrow('OOM');
        expect(await kit.redis.keys('{gj}:job:*')).toEqual(records);
      }
      await kit.redis.config('SET', 'maxmemory', '0');
    }
  },
);
