import { messageOf } from '@grsai-jobs/jobs';
import { createConsumer } from '@grsai-jobs/queue';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseTask } from '../src/maintenance/pauses.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createProbes } from '../src/pauses/probes.ts';
import { createStorageHealth } from '../src/pauses/storage-health.ts';
import { createUnstoredWatch } from '../src/pauses/unstored-watch.ts';
import { acceptedJob, generatingJob, type Harness, startHarness } from './harness.ts';

/** S3 as the pauses see it: a probe that works or does not. */
function pausesOf(harness: Harness) {
  const s3 = { up: true };
  const objects = {
    probe: async () => {
      if (!s3.up) throw new Error('S3 is away');
    },
  };
  const control = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const waitsToBeStored = createUnstoredWatch(harness);
  const probes = createProbes({ grsai: harness.grsai, objects: objects as never, waitsToBeStored });
  const runTask = createPauseTask({ ...harness, waitsToBeStored }, control, probes);
  const reasons = async () => [...(await control.reasons()).keys()].sort();
  return { control, runTask, reasons, s3, storage: createStorageHealth(control, harness.clock, harness.log) };
}

test('storage: when S3 has failed for 60 s then no more tasks are submitted, and they are again when it is back', async () => {
  const harness = await startHarness();
  const { runTask, reasons, s3, storage } = pausesOf(harness);
  s3.up = false;
  storage.failed('away');
  await harness.clock.advance(59_000);
  storage.failed('away');
  expect(await reasons()).toEqual([]);
  await harness.clock.advance(1000);
  storage.failed('away');
  await expect.poll(reasons).toEqual(['storage']);
  expect((await harness.store.pauses.all())['poll']).toEqual([]);
  await harness.clock.advance(10 * 60_000);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  s3.up = true;
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('storage: when a store works in between then the failures before it do not count', async () => {
  const harness = await startHarness();
  const { reasons, storage } = pausesOf(harness);
  storage.failed('away');
  await harness.clock.advance(59_000);
  storage.stored();
  storage.failed('away');
  await harness.clock.advance(2000);
  storage.failed('away');
  expect(await reasons()).toEqual([]);
});

test('storage: when a paid result has waited for more than 10 min then submits pause until it is stored', async () => {
  const harness = await startHarness();
  const { runTask, reasons } = pausesOf(harness);
  const job = await generatingJob(harness);
  await harness.store.transitions.commit(await job.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: harness.clock.now() + 1e7 },
  });
  await harness.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'succeeded' });
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('storage: when a dozen results wait for their own hosts then submits go on, and one that waits for our store pauses them', async () => {
  const harness = await startHarness();
  const { runTask, reasons } = pausesOf(harness);
  const waits = async (error: { error_code: string; upstream_status?: number }) => {
    const job = await generatingJob(harness);
    const now = harness.clock.now();
    await harness.store.transitions.commit(await job.read(), {
      kind: 'start_storing',
      unstored: { links: [], dies_at: now + 1e7 },
    });
    const attempt = { run: 1, stage: 'store', number: 1, started_at: now, ended_at: now, outcome: 'retry' } as const;
    await harness.store.transitions.commit(await job.read(), {
      kind: 'retry_storing',
      waitMs: 0,
      attempt: { ...attempt, ...error },
    });
    return job;
  };
  for (let n = 0; n < 12; n += 1) await waits({ error_code: 'http', upstream_status: n % 2 === 0 ? 404 : 503 });
  await harness.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual([]);
  const ours = await waits({ error_code: 'storage_failed' });
  await harness.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await harness.store.transitions.commit(await ours.read(), { kind: 'finish', status: 'succeeded' });
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('auth and balance: when the probes say that the trouble is over then the queues open, and no probe costs a credit', async () => {
  const harness = await startHarness();
  const { control, runTask, reasons } = pausesOf(harness);
  harness.emulator.configure({ keys: ['sk-another-key'] });
  harness.emulator.setCredits(0);
  await control.pause('auth', 'apikey error');
  await control.pause('balance', 'no credits');
  await runTask();
  expect(await reasons()).toEqual(['auth', 'balance']);
  harness.emulator.configure({ keys: 'any' });
  await runTask();
  expect(await reasons()).toEqual(['balance']);
  harness.emulator.setCredits(5);
  await runTask();
  expect(await reasons()).toEqual([]);
  expect(harness.emulator.ledger.credits).toBe(5);
});

test('upstream: when the API answers again then one job at a time goes first, then all', async () => {
  const harness = await startHarness();
  const { control, runTask, reasons } = pausesOf(harness);
  await harness.emulator.nodes[0]?.stop();
  await control.pause('upstream', 'connection_failed');
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('paused');
  await harness.emulator.nodes[0]?.start();
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('half');
  await control.closeAgain('upstream', 'it was too early');
  expect((await control.reasons()).get('upstream')?.state).toBe('paused');
  await runTask();
  await harness.clock.advance(15_000);
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('upstream: when the one job that goes first is not answered yet then the others wait for that', async () => {
  const harness = await startHarness();
  const { control, runTask, reasons } = pausesOf(harness);
  await control.pause('upstream', 'timeout');
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('half');
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const consumer = createConsumer(
    'submit',
    async () => {
      asked.resolve();
      await answered.promise;
      return { kind: 'done' };
    },
    {
      ...{ redis: harness.redis, prefix: 'gj', concurrency: 20, lockMs: 15_000, stalledMs: 5000 },
      ...{ onError: () => undefined, onThrow: async () => undefined },
    },
  );
  onTestFinished(async () => {
    answered.resolve();
    await consumer.stop();
  });
  await harness.producer.enqueue(messageOf(await (await acceptedJob(harness)).read()));
  consumer.start();
  await asked.promise;
  await harness.clock.advance(15_000);
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('half');
  answered.resolve();
  await consumer.stop();
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('operator: when a person has paused a queue then no probe opens it', async () => {
  const harness = await startHarness();
  const { control, runTask, reasons } = pausesOf(harness);
  await harness.store.pauses.add('submit', { reason: 'operator', since: harness.clock.now(), detail: 'a rest', state: 'paused' });
  await control.pause('balance', 'no credits');
  await runTask();
  expect(await reasons()).toEqual(['operator']);
});
