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
  lineOf,
  NO_LIMITS,
  newJobId,
  type Started,
  startStore,
} from './harness.ts';

const STATES: readonly State[] = [
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
  const harness = await startStore();
  const { from, to } = rowOf(kind);
  for (const state of STATES) {
    await harness.redis.flushall();
    const job = await jobAt(harness, state);
    const before = await everything(harness.redis);
    const byLease = isByLease(kind, job);
    const stale = byLease ? heldBy(job, 'another') : { ...heldBy(job, 'any'), step: job.step + 1 };
    expect([state, await harness.store.transitions.commit(stale, EXAMPLES[kind])]).toEqual([state, { kind: 'stale', state }]);
    expect(await everything(harness.redis)).toEqual(before);

    const committed = await harness.store.transitions.commit(job.lease === null ? heldBy(job, 'any') : job, EXAMPLES[kind]);
    if (!from.includes(state)) {
      const why = byLease && job.lease === null ? 'stale' : 'wrong';
      expect([state, committed]).toEqual([state, { kind: why, state }]);
      expect(await everything(harness.redis)).toEqual(before);
      continue;
    }
    expect([state, committed.kind]).toEqual([state, 'ok']);
    const now = await harness.store.jobs.read(job.id);
    if (now === null) throw new Error('the record is gone');
    expect(to === 'same' ? [state] : to).toContain(stateIn(now));
    expect([now.ver, now.step]).toEqual([job.ver + 1, job.step + (rowOf(kind).step === 'next' ? 1 : 0)]);
  }
});

test('when there is no record then no transition makes one', async () => {
  const harness = await startStore();
  const gone = await jobAt(harness, 'running/submitting');
  await harness.redis.flushall();
  for (const kind of KINDS) expect(await harness.store.transitions.commit(gone, EXAMPLES[kind])).toEqual({ kind: 'missing' });
  expect(await harness.redis.dbsize()).toBe(0);
});

test('when the delete of a job has begun then no transition is made of it any more', async () => {
  const harness = await startStore();
  for (const kind of KINDS) {
    const job = await jobAt(harness, 'failed');
    expect(await harness.store.erase.begin(job)).toBe(true);
    const before = await everything(harness.redis);
    expect(await harness.store.transitions.commit(job, EXAMPLES[kind])).toEqual({ kind: 'wrong', state: 'failed' });
    expect(await everything(harness.redis)).toEqual(before);
  }
});

test('when a call began after the job was read then who has no lease neither ends the job nor brings a result', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  const queued = await job.read();
  await harness.store.transitions.startCall({ id: job.id, step: 1 }, { token: 'A', limitMs: 1000 }, NO_LIMITS);
  const before = await everything(harness.redis);
  for (const kind of ['finish', 'start_storing', 'cancel'] as const)
    expect(await harness.store.transitions.commit(queued, EXAMPLES[kind])).toEqual({
      kind: 'wrong',
      state: 'running/submitting',
    });
  expect(await everything(harness.redis)).toEqual(before);
});

test('when a task was refunded and its job is submitted anew then nothing of how the first task was polled is left', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating');
  await job.commit(EXAMPLES.poll);
  await job.commit(EXAMPLES.resubmit);
  await harness.store.transitions.startCall({ id: job.id, step: 3 }, { token: 'B', limitMs: 1000 }, NO_LIMITS);
  await job.commit(EXAMPLES.task_accepted);
  expect((await job.read()).task).toMatchObject({ polls: 0, last_polled_at: null });
});

const batchOf = (job: Job) => ({ id: job.batch_id ?? '', tenant: job.tenant });

/** Rows that have functions of their own. Each answers whether it was done. */
const OWN: Readonly<
  Record<Exclude<TransitionName, Transition['kind']>, (harness: Started, job: Job | null) => Promise<boolean>>
> = {
  create: async (harness) =>
    (await harness.store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc() })).kind === 'ok',
  stage_line: async (harness) => {
    const batch = await openBatch(harness);
    return (await harness.store.batches.add(batch, 0, [{ jobId: newJobId(), line: 1, customId: 'a', doc: imageDoc() }])) === 'ok';
  },
  park: async (harness, job) => {
    if (job === null) return false;
    const call = { token: randomUUID(), limitMs: 1000 };
    return (
      (await harness.store.transitions.startCall(job, call, { ...NO_LIMITS, maxInFlight: 1, callReserve: 1 })).kind === 'parked'
    );
  },
  let_in: async (harness, job) => {
    if (job === null) return false;
    await OWN.park(harness, job);
    await harness.redis.del('{gj}:inflight:#account');
    return (await harness.store.rooms.letIn('submit')).some(({ id, step }) => id === job.id && step === job.step + 1);
  },
  discard_line: async (harness, job) =>
    job !== null &&
    (await harness.store.batches.discard(batchOf(job).id, [job.id])) &&
    (await harness.redis.exists(`{gj}:job:${job.id}`)) === 0,
  start_call: async (harness, job) => {
    if (job === null) return false;
    const over = job.lease && { token: job.lease.token, attempts: job.attempts, attemptsUsed: 1 };
    const call = { token: randomUUID(), limitMs: 1000, ...(over ? { over } : {}) };
    return (await harness.store.transitions.startCall(job, call, NO_LIMITS)).kind === 'ok';
  },
  begin_erase: (harness, job) => harness.store.erase.begin(job as Job),
  erase: (harness, job) => harness.store.erase.asked(job as Job),
};

/** Opened while there is memory; a full Redis opens none. */
async function openBatch(harness: Started) {
  const batch = { id: newJobId().replace('job_', 'batch_'), tenant: 'acme' };
  await harness.redis.config('SET', 'maxmemory', '0');
  await harness.store.batches.open({
    ...batch,
    doc: { expires_in_s: 3600, metadata: {} } as never,
    createdAt: harness.clock.now(),
  });
  await harness.redis.config('SET', 'maxmemory', '1');
  return batch;
}

test.each(Object.keys(TRANSITIONS) as TransitionName[])(
  'when Redis is full then %s is done if the table calls it paid, and refused with nothing written if not',
  async (name) => {
    const harness = await startStore();
    const { from, paid } = rowOf(name);
    for (const state of from.length === 0 ? [null] : from) {
      const job = state === null ? null : name === 'discard_line' ? await lineOf(harness) : await jobAt(harness, state);
      await harness.redis.config('SET', 'maxmemory', '1');
      const records = await harness.redis.keys('{gj}:job:*');
      const done =
        name in EXAMPLES
          ? harness.store.transitions.commit(job as Job, EXAMPLES[name as Transition['kind']]).then(({ kind }) => kind === 'ok')
          : OWN[name as keyof typeof OWN](harness, job);
      if (paid) expect([state, await done]).toEqual([state, true]);
      else {
        await expect(done).rejects.toThrow('OOM');
        expect(await harness.redis.keys('{gj}:job:*')).toEqual(records);
      }
      await harness.redis.config('SET', 'maxmemory', '0');
    }
  },
);
