import { messageOf } from '@grsai-jobs/jobs';
import type { Entry, Outcome } from '@grsai-jobs/queue';
import { expect, test } from 'vitest';
import { wakeBraked } from '../src/operations/wake-braked.ts';
import { createRefusalBrake } from '../src/pauses/brake.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

const MODEL = 'nano-banana-2';
const MINUTE = 60_000;

/** The submit stage of one worker; two of them share nothing but Redis. */
function workerOf(harness: Harness) {
  const pauses = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const brake = createRefusalBrake({
    brakes: harness.store.brakes,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const { submit: stage } = handlersOf({ ...harness, brake }, { pauses, upstream: createUpstreamHealth(pauses, harness.log) });
  return (entry: Entry): Promise<Outcome> => stage({ entry, stalled: false });
}

const job = (harness: Harness, tenant = 'acme', more: object = {}) => acceptedJob(harness, more, (same) => same, tenant);
type Job = Awaited<ReturnType<typeof job>>;
const jobs = async (harness: Harness, n: number, tenant?: string, more?: object): Promise<Job[]> =>
  await Promise.all(Array.from({ length: n }, () => job(harness, tenant, more)));
const entryOf = ({ id }: Job): Entry => ({ id, step: 1 });
const imageOf = (model: string) => ({ input: { model, prompt: 'a lighthouse' } });

/** Upstream refuses submits, of one model or of all, with a text that nobody knows. */
const refuseAll = (harness: Harness, text: string, model?: string) => {
  const fault = `F20:as=refused,text=${encodeURIComponent(text)}`;
  harness.emulator.script({ fault, on: 'submit', times: 10_000, ...(model ? { model } : {}) });
};
const isWell = (harness: Harness) => {
  harness.emulator.reset();
};
const asked = (harness: Harness) => harness.emulator.requests.filter(({ path }) => path.includes('generate')).length;
/** A brake has closed, and an operator opens it. */
async function openOne({ store, clock }: Harness): Promise<void> {
  for (let n = 0; n < 8; n += 1) {
    const refusal = { queue: 'submit', model: MODEL, tenant: 'acme', text: 'odd', raw: 'odd' } as const;
    await store.brakes.refused({ ...refusal, id: `call-${n}`, at: clock.now(), begun_at: clock.now() }, `call-${n}`);
  }
  expect((await store.brakes.open('submit', null)).opened).toHaveLength(1);
}
const pausesOf = async (harness: Harness) => (await harness.store.pauses.all())['submit'] ?? [];
const states = async (list: readonly Job[]) => {
  const counts: Record<string, number> = {};
  for (const each of list) {
    const { status, stage, error } = await each.read();
    const name = error?.code ?? stage ?? status;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

test.each(['此路不通', 'wrong phase of the moon (request 8f3a2b1c)', 'Ну уж нет'])(
  'when upstream refuses everything with %j then eight submits are made by two workers, the others wait without an attempt used up, and all run within 90 s once it is well',
  async (text) => {
    const harness = await startHarness();
    const workers = [workerOf(harness), workerOf(harness)];
    refuseAll(harness, text);
    const list = await jobs(harness, 30);
    for (const [i, each] of list.entries()) await workers[i % 2]?.(entryOf(each));
    expect(asked(harness)).toBe(8);
    expect(await states(list)).toEqual({ upstream_failed: 8, queued: 22 });
    const waiting = list.slice(8);
    for (const each of waiting)
      expect(await each.read()).toMatchObject({ attempts_used: 0, attempts: [], lease: null, error: null });
    expect(await pausesOf(harness)).toMatchObject([{ reason: 'upstream_refusal', model: MODEL, tenant: null, state: 'paused' }]);
    expect((await pausesOf(harness))[0]?.detail).toContain(text);

    // One a minute goes ahead, whoever it is; the job is not to blame.
    await harness.clock.advance(MINUTE);
    for (const each of waiting) await workers[0]?.(entryOf(each));
    expect(asked(harness)).toBe(9);
    expect(await states(list)).toEqual({ upstream_failed: 8, queued: 22 });
    expect((await waiting[0]?.read())?.attempts_used).toBe(0);

    isWell(harness);
    await harness.clock.advance(MINUTE);
    for (const each of waiting) await workers[1]?.(entryOf(each));
    expect(await pausesOf(harness)).toEqual([]);
    for (const each of waiting) if ((await each.read()).status === 'queued') await workers[0]?.(entryOf(each));
    expect(await states(list)).toEqual({ upstream_failed: 8, generating: 22 });
  },
);

test('when upstream refuses everything for a key that its own probe finds good then eight submits are made and no job fails', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'apikey error');
  const list = await jobs(harness, 20);
  for (const each of list) await work(entryOf(each));
  expect(harness.emulator.ledger.submits.filter(({ kind }) => kind !== 'chat')).toHaveLength(8);
  expect(await states(list)).toEqual({ queued: 20 });
  expect(await pausesOf(harness)).toMatchObject([{ reason: 'upstream_refusal', model: MODEL }]);
});

test('when several models are refused with one text then eight submits are made in all, and one that passes opens all', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'no channel for this group');
  const models = [MODEL, 'gpt-image-2', 'nano-banana-pro', 'nano-banana'];
  const list = (await Promise.all(models.map((model) => jobs(harness, 5, 'acme', imageOf(model))))).flat();
  for (let i = 0; i < 20; i += 1) await work(entryOf(list[(i * 5 + Math.floor(i / 4)) % 20] as Job));
  expect(asked(harness)).toBe(8);
  expect(await pausesOf(harness)).toMatchObject([{ reason: 'upstream_refusal', model: null, tenant: null }]);
  isWell(harness);
  await harness.clock.advance(MINUTE);
  for (const each of list) if ((await each.read()).status === 'queued') await work(entryOf(each));
  expect(await pausesOf(harness)).toEqual([]);
});

test('when one model is refused then jobs of others run, and an answer of theirs does not open it', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'closed for the season', MODEL);
  for (const each of await jobs(harness, 10)) await work(entryOf(each));
  const others = await jobs(harness, 5, 'acme', imageOf('gpt-image-2'));
  for (const each of others) expect(await work(entryOf(each))).toEqual({ kind: 'done' });
  expect(await states(others)).toEqual({ generating: 5 });
  expect(await pausesOf(harness)).toMatchObject([{ model: MODEL }]);
});

test('when the prompts of one tenant are refused then another runs on, and only that tenant waits', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  const good = await jobs(harness, 5, 'other');
  await work(entryOf(good[0] as Job));
  const own = await jobs(harness, 20);
  refuseAll(harness, 'we do not like this');
  for (const each of own) await work(entryOf(each));
  expect(asked(harness)).toBe(9);
  isWell(harness);
  for (const each of good.slice(1)) await work(entryOf(each));
  expect(await states(good)).toEqual({ generating: 5 });
  expect(await states(own)).toEqual({ upstream_failed: 8, queued: 12 });
  expect(await pausesOf(harness)).toMatchObject([{ model: MODEL, tenant: 'acme' }]);
});

test('when eight were refused and a job of another tenant waits then that one goes ahead', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'closed for the season');
  const own = await jobs(harness, 20);
  for (const each of own) await work(entryOf(each));
  const other = await job(harness, 'other');
  expect(await work(entryOf(other))).toMatchObject({ kind: 'wait' });
  isWell(harness);
  await harness.clock.advance(MINUTE + 1000);
  for (const each of own) await work(entryOf(each));
  expect(await states(own)).toEqual({ upstream_failed: 8, queued: 12 });
  await work(entryOf(other));
  expect(await states([other])).toEqual({ generating: 1 });
  for (const each of own.slice(8)) await work(entryOf(each));
  expect(await states(own)).toEqual({ upstream_failed: 8, generating: 12 });
});

test('when a job that waits is canceled or expires then it ends at once, and says what it waited for', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'closed for the season');
  for (const each of await jobs(harness, 8)) await work(entryOf(each));
  const [canceled, expired] = await jobs(harness, 2, 'acme', { expires_in_s: 60 });
  if (canceled === undefined || expired === undefined) throw new Error('no jobs');
  for (const each of [canceled, expired]) await work(entryOf(each));
  expect(await harness.store.transitions.commit(await canceled.read(), { kind: 'cancel' })).toMatchObject({ kind: 'ok' });
  expect(await work(entryOf(canceled))).toEqual({ kind: 'done' });
  await harness.clock.advance(61_000);
  expect(await work(entryOf(expired))).toEqual({ kind: 'done' });
  const { status, error } = await expired.read();
  expect(status).toBe('expired');
  expect(error).toMatchObject({ code: 'upstream_unavailable' });
  expect(error?.message).toContain('refused every call of its kind');
  expect(asked(harness)).toBe(8);
});

test('when unknown refusals and answers come by turns then each fails its own job only, and no brake closes', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  for (let i = 0; i < 20; i += 1) {
    if (i % 5 !== 4) harness.emulator.script({ fault: 'F20:as=refused,text=odd', on: 'submit' });
    const one = await job(harness);
    await work(entryOf(one));
    expect(await states([one])).toEqual(i % 5 === 4 ? { generating: 1 } : { upstream_failed: 1 });
  }
  expect(await pausesOf(harness)).toEqual([]);
});

test('when a brake has opened then entries that waited are due at once, and others are left alone', async () => {
  const harness = await startHarness();
  const work = workerOf(harness);
  refuseAll(harness, 'closed for the season');
  for (const each of await jobs(harness, 8)) await work(entryOf(each));
  const waiting = await job(harness);
  const backOff = await job(harness);
  await harness.producer.enqueue(messageOf(await waiting.read(), 600_000));
  await harness.producer.enqueue(messageOf(await backOff.read(), 600_000));
  await work(entryOf(waiting));
  await harness.store.brakes.open('submit', null);
  const work_ = await harness.store.operations.take(harness.clock.now());
  if (work_ === null) throw new Error('no operation');
  expect(await wakeBraked(harness)(work_)).toEqual({ done: true });
  expect((await harness.producer.counts()).submit).toMatchObject({ delayed: 1, prioritized: 1 });
  expect(await harness.store.brakes.waiting(1)).toEqual([]);
});

test('when entries that are woken have to wait for another brake then each is woken once, and all once more when that one opens', async () => {
  const harness = await startHarness();
  const braked = (from: number, to: number) => {
    const members = Array.from({ length: to - from }, (_, n) => [harness.clock.now(), `submit job_${from + n} 1`]);
    return harness.redis.zadd('{gj}:braked', ...members.flat());
  };
  /** Until it is over; those that were woken wait again at once. */
  const slices = async (): Promise<number> => {
    for (let n = 1; n <= 5; n += 1) {
      const operation = await harness.store.operations.take(harness.clock.now());
      if (operation === null) throw new Error('no operation');
      const sliced = await wakeBraked(harness)(operation);
      await harness.clock.advance(1000);
      await braked(0, 500);
      if (sliced.done) return n;
      await harness.store.operations.checkpoint(operation, sliced.cursor, 0);
      if (n === 1) await openOne(harness);
    }
    return Number.POSITIVE_INFINITY;
  };
  await openOne(harness);
  await braked(0, 600);
  // The second brake opens after the first slice: 600 wait then, of which the last are those that were woken.
  expect(await slices()).toBe(3);
});
