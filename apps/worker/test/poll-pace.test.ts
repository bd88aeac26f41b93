import { durationBucket, UNKNOWN_DURATIONS } from '@grsai-jobs/jobs';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createLearnedPace } from '../src/stages/task/learned-pace.ts';
import { generatingJob, type Harness, handlersOf, startHarness } from './harness.ts';

const KIND = 'nano-banana-2';
const fail = (error: Error) => {
  throw error;
};

function startPace(harness: Harness) {
  const pace = createLearnedPace(harness.store.paces, fail, harness.timers);
  onTestFinished(() => pace.stop());
  return pace;
}

test('when a worker has seen tasks end then another one that starts later knows how long they take', async () => {
  const harness = await startHarness();
  const first = createLearnedPace(harness.store.paces, fail, harness.timers);
  for (let i = 0; i < 20; i += 1) first.learn(KIND, 60_000);
  await first.stop();
  const second = startPace(harness);
  const { p20 } = await waitFor(() => (second.durations(KIND) === UNKNOWN_DURATIONS ? undefined : second.durations(KIND)), {
    what: 'the pace to be read',
  });
  expect(p20).toBeGreaterThan(54_000);
  expect(second.durations('another')).toBe(UNKNOWN_DURATIONS);
});

test('when polls find a task running and then done then its duration is learned as the time midway', async () => {
  const harness = await startHarness();
  const pace = startPace(harness);
  const stage = handlersOf(harness, { pace }).poll;
  const { id, read } = await generatingJob(harness);
  const poll = async () => await stage({ entry: { id, step: (await read()).step }, stalled: false });
  await harness.clock.advance(500);
  expect(await poll()).toMatchObject({ kind: 'wait' });
  await harness.clock.advance(3500);
  expect(await poll()).toEqual({ kind: 'done' });
  expect((await read()).stage).toBe('storing');
  await pace.stop();
  const learned = (await harness.store.paces.all()).get(KIND);
  expect(learned).toEqual({ tasks: 1, weights: new Map([[durationBucket(2250), 1]]) });
});

test('when the durations of a kind are known then a task is polled by them, and given up at twice their p99', async () => {
  const harness = await startHarness();
  await harness.store.paces.learn(KIND, new Map([[durationBucket(2_000_000), 100]]));
  const pace = startPace(harness);
  await waitFor(() => pace.durations(KIND) !== UNKNOWN_DURATIONS, { what: 'the pace to be read' });
  const stage = handlersOf(harness, { pace }).poll;
  const { id, read } = await generatingJob(harness, '[[task-ms=7000000]]', { expires_in_s: 172_800 });
  const poll = async () => await stage({ entry: { id, step: (await read()).step }, stalled: false });
  await harness.clock.advance(60_000);
  const first = await poll();
  expect(first).toMatchObject({ kind: 'wait', ms: expect.any(Number) });
  expect(first.kind === 'wait' ? first.ms : 0).toBeGreaterThan(1_500_000);
  await harness.clock.advance(20 * 60_000);
  expect((await poll()).kind).toBe('wait');
  await harness.clock.advance(50 * 60_000);
  expect(await poll()).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'failed', error: { code: 'upstream_timeout' } });
});

test('when upstream does not know a task now and then, and knows it in between, then its run goes on; it does not when that is five times in a row', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness);
  let known = true;
  const result = async () => ({ id: '1-t', status: known ? 'running' : 'missing', outputs: [], urls: [], raw: '' });
  const grsai = { images: { result } } as unknown as Harness['grsai'];
  // A process with a memory of its own each time.
  const poll = async () => {
    await harness.clock.advance(15_000);
    return await handlersOf(harness, { grsai }).poll({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
  };
  for (let n = 0; n < 12; n += 1) {
    known = n % 2 === 1;
    expect((await poll()).kind).toBe('wait');
  }
  known = false;
  for (let n = 1; n < 5; n += 1) expect((await poll()).kind).toBe('wait');
  expect((await poll()).kind).toBe('done');
  expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'upstream_result_lost' } });
});

test('when a job that was given up is retried then its task is polled for as long again', async () => {
  const harness = await startHarness();
  const stage = handlersOf(harness, { pace: startPace(harness) }).poll;
  const { id, read } = await generatingJob(harness, '[[task-ms=2400000]]');
  const poll = async () => await stage({ entry: { id, step: (await read()).step }, stalled: false });
  await harness.clock.advance(15 * 60_000);
  expect(await poll()).toEqual({ kind: 'done' });
  const failed = await read();
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'upstream_timeout' } });
  await harness.store.transitions.commit(failed, { kind: 'reopen', to: 'running/generating' });
  expect((await poll()).kind).toBe('wait');
  await harness.clock.advance(15 * 60_000 - 1);
  expect((await poll()).kind).toBe('wait');
  await harness.clock.advance(1);
  expect(await poll()).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'failed', run: 2, error: { code: 'upstream_timeout' } });
});

test('when upstream asks for a wait that the paid result would not outlive then it is polled sooner', async () => {
  const harness = await startHarness();
  const stage = handlersOf(harness, { pace: startPace(harness) }).poll;
  const { id, read } = await generatingJob(harness);
  const poll = async () => await stage({ entry: { id, step: (await read()).step }, stalled: false });
  for (const [seconds, ms] of [
    [30, 30_000],
    [86_400, 5 * 60_000],
  ]) {
    harness.emulator.script({ fault: `F3:retry-after=${seconds}`, on: 'poll' });
    expect(await poll()).toEqual({ kind: 'wait', ms });
  }
});
