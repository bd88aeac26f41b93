import { randomUUID } from 'node:crypto';
import {
  isFailed,
  isTerminal,
  type JobRecord,
  messageOf,
  type State,
  stateIn,
  TRANSITIONS,
  type Transition,
  type TransitionName,
  type TransitionRow,
} from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StartedCall, TransitionResult } from '../src/index.ts';
import { ACCEPTED, attemptOf, heldBy, imageDoc, NO_LIMITS, newJobId, type Started, startStore, UNSTORED } from './harness.ts';

/**
 * Any order of what stages, callers and `maintain` do to one job, from fresh and from stale records, by two workers, with
 * repeats as a lost answer makes them. Whatever comes, the record changes only along the table of transitions, what is kept
 * beside it agrees with it, and what a commit answers is what the record holds.
 */
interface World {
  harness: Started;
  id: string;
  /** Records as they were read at some time; a stage works from one of them. */
  seen: JobRecord[];
  tokens: { A: string; B: string };
  /** Runs that ended, by what they ended as. */
  ended: Map<number, string>;
}

type Worker = 'A' | 'B';
interface Act {
  row: TransitionName;
  /** By a worker that believes to hold the lease. */
  held?: true;
  run(world: World, record: JobRecord, worker: Worker): Promise<StartedCall | TransitionResult | null>;
}

/** Each call has a token of its own; whoever says once more that it has begun says the same. */
function ofCall(w: World, worker: Worker): string {
  if (w.seen[0]?.lease?.token !== w.tokens[worker]) w.tokens[worker] = randomUUID();
  return w.tokens[worker];
}

const start = (w: World, { step }: JobRecord, token: string, over?: { token: string; attemptsUsed: number }) =>
  w.harness.store.transitions.startCall(
    { id: w.id, step },
    {
      token,
      limitMs: 1000,
      ...(over ? { over: { attempts: [{ run: 1, number: 1, ...attemptOf('submit') }], ...over } } : {}),
    },
    NO_LIMITS,
  );

const commit = (transition: Transition): Act => ({
  row: transition.kind,
  run: (w, record) => w.harness.store.transitions.commit(record, transition),
});

const held = (row: TransitionName, transition: (token: string) => Transition): Act => ({
  row,
  held: true,
  run: (w, record, worker) => {
    const token = w.tokens[worker];
    const byLease = record.stage === 'submitting' || TRANSITIONS[row].guard === 'lease';
    return w.harness.store.transitions.commit(byLease ? heldBy(record, token) : record, transition(token));
  },
});
const byHolder = (transition: Transition): Act => held(transition.kind, () => transition);

/** Failed work is charged as well, so that a settlement of each kind comes. */
const PRICE = { reserve: 1200, refunds: { error: false, violation: true }, isOld: false };
const TASK = { base: 'late', id: '2-t' };

const ACTS: Readonly<Record<string, Act>> = {
  startCall: { row: 'start_call', run: (w, record, worker) => start(w, record, ofCall(w, worker)) },
  takeOver: {
    row: 'start_call',
    run: async (w, record, worker) => {
      if (record.lease === null) return null;
      w.tokens[worker] = randomUUID();
      return await start(w, record, w.tokens[worker], { token: record.lease.token, attemptsUsed: record.attempts_used + 1 });
    },
  },
  release: byHolder({ kind: 'release', waitMs: 0, attempt: attemptOf('submit'), attemptsUsed: 1 }),
  releaseWithAnswer: byHolder({ kind: 'release', waitMs: 10, unstored: { completion: 'cut', dies_at: 1 } }),
  reportProgress: byHolder({ kind: 'report_progress', progress: 5 }),
  extendLease: byHolder({ kind: 'report_progress', progress: 6, leaseMs: 20_000 }),
  taskAccepted: byHolder(ACCEPTED),
  poll: commit({ kind: 'poll', progress: 50, polls: 1 }),
  failedPoll: commit({ kind: 'poll', progress: 20, polls: 2, attempt: attemptOf('poll') }),
  releaseUnknown: byHolder({ kind: 'release', waitMs: 0, attempt: attemptOf('submit', 'unknown') }),
  resubmit: commit({ kind: 'resubmit', waitMs: 0, attempt: attemptOf('poll', 'failed') }),
  resubmitRefunded: commit({ kind: 'resubmit', waitMs: 0, attempt: attemptOf('poll', 'failed'), callEnd: 'violation' }),
  reassert: {
    row: 'reassert_call',
    run: (w, record, worker) =>
      w.harness.store.transitions.commit(record, {
        kind: 'reassert_call',
        token: ofCall(w, worker),
        heldMs: 5,
        leftMs: 1000,
        attempts: record.attempts,
        attemptsUsed: 1,
        startedAt: 1,
        cost: record.cost,
      }),
  },
  startStoring: {
    row: 'start_storing',
    run: (w, record) =>
      w.harness.store.transitions.commit(record, {
        kind: 'start_storing',
        unstored: UNSTORED,
        ...(record.task ? { polls: 3 } : {}),
      }),
  },
  startStoringOfCall: byHolder({
    kind: 'start_storing',
    unstored: UNSTORED,
    attempt: attemptOf('call', 'succeeded'),
    task: TASK,
  }),
  retryStoring: commit({ kind: 'retry_storing', waitMs: 0, attempt: attemptOf('store'), unstored: { links: [], dies_at: 2 } }),
  succeed: commit({
    kind: 'finish',
    status: 'succeeded',
    output: { kind: 'images', images: [] },
    attempt: attemptOf('store', 'succeeded'),
  }),
  fail: byHolder({
    kind: 'finish',
    status: 'failed',
    keepLease: true,
    attempt: attemptOf('submit', 'unknown'),
    error: { code: 'submit_unknown', message: '', retryable: false, stage: 'submitting' },
  }),
  failWithTask: byHolder({ kind: 'finish', status: 'failed', task: TASK, latePollMs: 1000, unlessCanceling: true }),
  expire: commit({ kind: 'finish', status: 'expired', latePollMs: 0 }),
  cancel: commit({ kind: 'cancel' }),
  requestCancel: commit({ kind: 'request_cancel' }),
  retry: commit({ kind: 'reopen', to: 'queued' }),
  lateTask: held('reopen', (byLease) => ({
    kind: 'reopen',
    to: 'running/generating',
    byLease,
    late: true,
    task: TASK,
    aliveMs: 1e6,
  })),
  lateResult: commit({ kind: 'reopen', to: 'running/storing', late: true, unstored: UNSTORED }),
  recordTask: byHolder({ kind: 'record_task', task: TASK, latePollMs: 1000 }),
  requeue: commit({ kind: 'requeue' }),
  recordCrash: commit({ kind: 'record_crash', cause: 'thrown', waitMs: 0 }),
};

const COMMAND = fc.record({
  act: fc.nat(1e6),
  /** Of what the state allows, by the holder of the lease; else anything by anybody. */
  likely: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  worker: fc.constantFrom('A' as const, 'B' as const),
  /** How old the record is that the stage works from; 0 is fresh. */
  age: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  sleepMs: fc.constantFrom(0, 0, 0, 12_000),
  cut: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

/** Whether some row of the table leads from one state to the other. */
function inTable(from: State, to: State): boolean {
  return Object.values(TRANSITIONS as Readonly<Record<string, TransitionRow>>).some(
    (row) => row.from.includes(from) && (row.to === 'same' ? from === to : row.to.includes(to)),
  );
}

async function check(world: World, before: JobRecord): Promise<JobRecord> {
  const { harness, id } = world;
  const after = await harness.store.jobs.read(id);
  if (after === null) throw new Error('the record is gone');
  const [from, to] = [stateIn(before), stateIn(after)];
  if (from !== to) expect(`${from} → ${to}: ${inTable(from, to)}`).toBe(`${from} → ${to}: true`);
  expect(after.step).toBeGreaterThanOrEqual(before.step);
  if (after.run === before.run) expect(after.progress).toBeGreaterThanOrEqual(before.progress);
  if (isTerminal(after.status)) world.ended.set(after.run, after.status);

  const live = !isTerminal(after.status);
  const member = async (key: string) => (await harness.redis.zscore(key, id)) !== null;
  expect({
    due: await member('{gj}:due'),
    ended: await member('{gj}:ended'),
    failed: await member('{gj}:failed'),
    storing: await member('{gj}:storing'),
    queued: Number(await harness.redis.hget('{gj}:turns', '#queued')),
    inflight: await member('{gj}:inflight'),
  }).toEqual({
    due: live,
    ended: !live,
    failed: isFailed(after.status),
    storing: after.stage === 'storing' && live,
    queued: after.status === 'queued' ? 1 : 0,
    inflight: after.stage === 'submitting' || after.stage === 'generating',
  });
  // One pending event for each run that ended, and none besides.
  const unsent = (await harness.redis.keys('{gj}:delivery:*')).map((key) => key.slice('{gj}:delivery:'.length)).sort();
  const runs = [...world.ended].map(([run, status]) => `evt_${id.slice(4)}_${run}_job_${status}`).sort();
  expect(unsent).toEqual(runs);
  return after;
}

function chosen(w: World, now: JobRecord, o: { act: number; likely: boolean; worker: Worker }): { act: Act; worker: Worker } {
  const acts = Object.values(ACTS);
  const possible = acts.filter(({ row }) => (TRANSITIONS[row].from as readonly State[]).includes(stateIn(now)));
  const from = o.likely && possible.length > 0 ? possible : acts;
  const worker = o.likely && now.lease?.token === w.tokens.A ? 'A' : o.likely && now.lease?.token === w.tokens.B ? 'B' : o.worker;
  return { act: from[o.act % from.length] as Act, worker };
}

/** The record that somebody works from, of the given age; nobody who holds the lease knows one from before its call. */
function known({ seen, tokens }: World, { held }: Act, o: { age: number; worker: Worker }): JobRecord {
  const [now, record] = [seen[0], seen[Math.min(o.age, seen.length - 1)]] as [JobRecord, JobRecord];
  const token = tokens[o.worker];
  return held && now.lease?.token === token && record.lease?.token !== token ? now : record;
}

const withoutDue = (job: JobRecord): JobRecord => ({ ...job, due: null });

/** What was answered agrees with the record: it changed once if it was committed, else not at all. */
function checkAnswer(
  answer: Awaited<ReturnType<Act['run']>>,
  o: { from: JobRecord; before: JobRecord; now: JobRecord; token: string },
) {
  const { from, before, now, token } = o;
  const startedBefore = before.lease?.token === token && before.stage === 'submitting';
  const committed = answer?.kind === 'ok' && ('message' in answer || !startedBefore);
  expect(now.ver).toBe(before.ver + (committed ? 1 : 0));
  if (!committed) expect(now).toEqual(before);
  if (answer?.kind !== 'ok') return;
  if (!('message' in answer)) return expect(answer.job).toEqual(now);
  // From a record that was read before others changed it within its step, only what the script itself answers is known.
  const { step, turn, seq, ver } = now;
  if (from.ver === before.ver) expect(withoutDue(answer.job)).toEqual(withoutDue(now));
  else expect(answer.job).toMatchObject({ step, turn, seq, ver });
  if (answer.message) expect(answer.message).toEqual(messageOf(now, answer.message.delayMs));
}

test('whatever happens to a job in whatever order, it changes along the table, each commit answers what the record holds, all that is kept beside it agrees, and each run reports its end once', async () => {
  const harness = await startStore();
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 5, maxLength: 40 }), async (commands) => {
      await harness.redis.flushall();
      const id = newJobId();
      await harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc(), price: PRICE });
      const first = await harness.store.jobs.read(id);
      if (first === null) throw new Error('no record');
      const world: World = { harness, id, seen: [first], tokens: { A: randomUUID(), B: randomUUID() }, ended: new Map() };
      for (const { age, sleepMs, cut, ...command } of commands) {
        harness.clock.advance(sleepMs);
        const before = world.seen[0] as JobRecord;
        const lost = cut ? harness.proxy.cutAfterNextReply((command) => command.name.startsWith('eval')) : undefined;
        const { act, worker } = chosen(world, before, command);
        const record = known(world, act, { age, worker });
        const acted = act.run(world, record, worker);
        // Not every act sends a script; the cut then waits for the next one that does.
        lost?.catch(() => {});
        const answer = await acted;
        const now = await check(world, before);
        checkAnswer(answer, { from: record, before, now, token: world.tokens[worker] });
        world.seen.unshift(now);
      }
    }),
    { numRuns: 150 },
  );
});
