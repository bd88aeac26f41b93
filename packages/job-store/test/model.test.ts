import { randomUUID } from 'node:crypto';
import { isFailed, isTerminal, type JobRecord, MOVES, type Move, type MoveName, type State, stateOf } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageDoc, NO_LIMITS, newJobId, type Started, startStore } from './kit.ts';

/**
 * Any order of what stages, callers and `maintain` do to one job, from fresh and from stale records, by two workers, with
 * repeats as a lost answer makes them. Whatever comes, the record moves only along the table of moves and what is kept
 * beside it agrees with it.
 */
interface World {
  kit: Started;
  id: string;
  /** Records as they were read at some time; a stage works from one of them. */
  seen: JobRecord[];
  tokens: { A: string; B: string };
  /** Runs that ended, by what they ended as. */
  ended: Map<number, string>;
}

type Act = (world: World, record: JobRecord, worker: 'A' | 'B') => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  begin: (w, record, worker) =>
    w.kit.store.moves.begin({ id: w.id, step: record.step }, { token: w.tokens[worker], limitMs: 1000 }, NO_LIMITS),
  takeover: async (w, record, worker) => {
    const by = record.sent?.by;
    if (by === undefined) return;
    w.tokens[worker] = randomUUID();
    await w.kit.store.moves.begin(
      { id: w.id, step: record.step },
      { token: w.tokens[worker], limitMs: 1000, over: { by, attempts: [], spent: 1 } },
      NO_LIMITS,
    );
  },
  refused: (w, record, worker) => w.kit.store.moves.refused(record, { by: w.tokens[worker], waitMs: 0, spent: 1, attempts: [] }),
  tell: (w, record, worker) => w.kit.store.moves.tell(record, { by: w.tokens[worker], progress: 5 }),
  accepted: (w, record, worker) =>
    w.kit.store.moves.accepted(record, {
      by: w.tokens[worker],
      token: randomUUID(),
      base: 'b',
      taskId: 't',
      firstLookMs: 0,
      aliveUntil: w.kit.clock.now() + 1e6,
      attempts: [],
    }),
  look: (w, record) => w.kit.store.moves.look(record, { progress: 50, polls: 1 }),
  again: (w, record) => w.kit.store.moves.again(record, { waitMs: 0, attempts: [] }),
  outputs: (w, record) => w.kit.store.moves.outputs(record, { pending: { links: [], dies_at: 1 } }),
  heldOutputs: (w, record, worker) =>
    w.kit.store.moves.outputs(record, { by: w.tokens[worker], pending: { links: [], dies_at: 1 } }),
  storeAgain: (w, record) => w.kit.store.moves.storeAgain(record, { waitMs: 0, attempts: [] }),
  succeed: (w, record) => w.kit.store.moves.end(record, { status: 'succeeded' }),
  fail: (w, record, worker) => w.kit.store.moves.end(record, { status: 'failed', by: w.tokens[worker], keepSent: true }),
  expire: (w, record) => w.kit.store.moves.end(record, { status: 'expired', lateLookAt: w.kit.clock.now() }),
  cancel: (w, record) => w.kit.store.moves.cancel(record),
  cancelOpen: (w, record) => w.kit.store.moves.cancelOpen(record),
  retry: (w, record) => w.kit.store.moves.reopen(record, { to: 'queued' }),
  lateTask: (w, record, worker) =>
    w.kit.store.moves.reopen(record, {
      to: 'running/generating',
      by: w.tokens[worker],
      late: true,
      aliveUntil: w.kit.clock.now() + 1e6,
    }),
  lateResult: (w, record) => w.kit.store.moves.reopen(record, { to: 'running/storing', late: true }),
  repair: (w, record) => w.kit.store.moves.repair(record),
  crash: (w, record) => w.kit.store.moves.crash(record, { kind: 'thrown', waitMs: 0 }),
};

const COMMAND = fc.record({
  act: fc.constantFrom(...Object.keys(ACTS)),
  worker: fc.constantFrom('A' as const, 'B' as const),
  /** How old the record is that the stage works from; 0 is fresh. */
  age: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  sleepMs: fc.constantFrom(0, 0, 0, 12_000),
  cut: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const states = (record: JobRecord): State => stateOf(record.status, record.stage);

/** Whether some row of the table of moves leads from one state to the other. */
function inTable(from: State, to: State): boolean {
  return Object.values(MOVES as Readonly<Record<MoveName, Move>>).some(
    (move) => move.from.includes(from) && (move.to === 'same' ? from === to : move.to.includes(to)),
  );
}

async function check(world: World, before: JobRecord): Promise<JobRecord> {
  const { kit, id } = world;
  const after = await kit.store.jobs.read(id);
  if (after === null) throw new Error('the record is gone');
  const [from, to] = [states(before), states(after)];
  if (from !== to) expect(`${from} → ${to}: ${inTable(from, to)}`).toBe(`${from} → ${to}: true`);
  expect(after.step).toBeGreaterThanOrEqual(before.step);
  if (after.run === before.run) expect(after.progress).toBeGreaterThanOrEqual(before.progress);
  if (isTerminal(after.status)) world.ended.set(after.run, after.status);

  const live = !isTerminal(after.status);
  const member = async (key: string) => (await kit.redis.zscore(key, id)) !== null;
  expect({
    due: await member('{gj}:due'),
    ended: await member('{gj}:ended'),
    failed: await member('{gj}:failed'),
    storing: await member('{gj}:storing'),
    queued: Number(await kit.redis.hget('{gj}:turns', '#queued')),
    inflight: await member('{gj}:inflight'),
  }).toEqual({
    due: live,
    ended: !live,
    failed: isFailed(after.status),
    storing: after.stage === 'storing' && live,
    queued: after.status === 'queued' ? 1 : 0,
    inflight: after.stage === 'submitting' || after.stage === 'generating',
  });
  // One owed event for each run that ended, and none besides.
  const unsent = (await kit.redis.keys('{gj}:delivery:*')).map((key) => key.slice('{gj}:delivery:'.length)).sort();
  const runs = [...world.ended].map(([run, status]) => `evt_${id.slice(4)}_${run}_job_${status}`).sort();
  expect(unsent).toEqual(runs);
  return after;
}

test('whatever happens to a job in whatever order, it moves along the table, all that is kept beside it agrees, and each run owes one event', async () => {
  const kit = await startStore();
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 5, maxLength: 40 }), async (commands) => {
      await kit.redis.flushall();
      const id = newJobId();
      await kit.store.moves.accept({ id, tenant: 'acme', doc: imageDoc() });
      const first = await kit.store.jobs.read(id);
      if (first === null) throw new Error('no record');
      const world: World = { kit, id, seen: [first], tokens: { A: randomUUID(), B: randomUUID() }, ended: new Map() };
      for (const { act, worker, age, sleepMs, cut } of commands) {
        kit.clock.advance(sleepMs);
        const before = world.seen[0] as JobRecord;
        const record = world.seen[Math.min(age, world.seen.length - 1)] as JobRecord;
        const lost = cut ? kit.proxy.cutAfterNextReply((command) => command.name.startsWith('eval')) : undefined;
        const acted = ACTS[act]?.(world, record, worker);
        // Not every act sends a script; the cut then waits for the next one that does.
        lost?.catch(() => {});
        await acted;
        world.seen.unshift(await check(world, before));
      }
    }),
    { numRuns: 150 },
  );
});
