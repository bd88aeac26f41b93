import { expect, test } from 'vitest';
import { createPauseTask } from '../src/maintenance/pauses.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createProbes } from '../src/pauses/probes.ts';
import { createStorageHealth } from '../src/pauses/storage-health.ts';
import { createUnstoredWatch } from '../src/pauses/unstored.ts';
import { generatingJob, type Harness, startHarness } from './harness.ts';

/** S3 as the pauses see it: a probe that works or does not. */
function pausesOf(kit: Harness) {
  const s3 = { up: true };
  const objects = {
    probe: async () => {
      if (!s3.up) throw new Error('S3 is away');
    },
  };
  const control = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const waitsToBeStored = createUnstoredWatch(kit);
  const probes = createProbes({ grsai: kit.grsai, objects: objects as never, waitsToBeStored });
  const runTask = createPauseTask({ ...kit, waitsToBeStored }, control, probes);
  const reasons = async () => [...(await control.reasons()).keys()].sort();
  return { control, runTask, reasons, s3, storage: createStorageHealth(control, kit.clock, kit.log) };
}

test('storage: when S3 has failed for 60 s then no more tasks are submitted, and they are again when it is back', async () => {
  const kit = await startHarness();
  const { runTask, reasons, s3, storage } = pausesOf(kit);
  s3.up = false;
  storage.failed('away');
  await kit.clock.advance(59_000);
  storage.failed('away');
  expect(await reasons()).toEqual([]);
  await kit.clock.advance(1000);
  storage.failed('away');
  await expect.poll(reasons).toEqual(['storage']);
  expect((await kit.store.pauses.all())['poll']).toEqual([]);
  await kit.clock.advance(10 * 60_000);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  s3.up = true;
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('storage: when a store works in between then the failures before it do not count', async () => {
  const kit = await startHarness();
  const { reasons, storage } = pausesOf(kit);
  storage.failed('away');
  await kit.clock.advance(59_000);
  storage.stored();
  storage.failed('away');
  await kit.clock.advance(2000);
  storage.failed('away');
  expect(await reasons()).toEqual([]);
});

test('storage: when a paid result has waited for more than 10 min then submits pause until it is stored', async () => {
  const kit = await startHarness();
  const { runTask, reasons } = pausesOf(kit);
  const job = await generatingJob(kit);
  await kit.store.transitions.commit(await job.read(), {
    kind: 'start_storing',
    unstored: { links: [], dies_at: kit.clock.now() + 1e7 },
  });
  await kit.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await kit.store.transitions.commit(await job.read(), { kind: 'finish', status: 'succeeded' });
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('storage: when a dozen results wait for their own hosts then submits go on, and one that waits for our store pauses them', async () => {
  const kit = await startHarness();
  const { runTask, reasons } = pausesOf(kit);
  const waits = async (error: { error_code: string; upstream_status?: number }) => {
    const job = await generatingJob(kit);
    const now = kit.clock.now();
    await kit.store.transitions.commit(await job.read(), { kind: 'start_storing', unstored: { links: [], dies_at: now + 1e7 } });
    const attempt = { run: 1, stage: 'store', number: 1, started_at: now, ended_at: now, outcome: 'retry' } as const;
    await kit.store.transitions.commit(await job.read(), { kind: 'retry_storing', waitMs: 0, attempt: { ...attempt, ...error } });
    return job;
  };
  for (let n = 0; n < 12; n += 1) await waits({ error_code: 'http', upstream_status: n % 2 === 0 ? 404 : 503 });
  await kit.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual([]);
  const ours = await waits({ error_code: 'storage_failed' });
  await kit.clock.advance(10 * 60_000 + 1);
  await runTask();
  expect(await reasons()).toEqual(['storage']);
  await kit.store.transitions.commit(await ours.read(), { kind: 'finish', status: 'succeeded' });
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('auth and balance: when the probes say that the trouble is over then the queues open, and no probe costs a credit', async () => {
  const kit = await startHarness();
  const { control, runTask, reasons } = pausesOf(kit);
  kit.emulator.configure({ keys: ['sk-another-key'] });
  kit.emulator.setCredits(0);
  await control.pause('auth', 'apikey error');
  await control.pause('balance', 'no credits');
  await runTask();
  expect(await reasons()).toEqual(['auth', 'balance']);
  kit.emulator.configure({ keys: 'any' });
  await runTask();
  expect(await reasons()).toEqual(['balance']);
  kit.emulator.setCredits(5);
  await runTask();
  expect(await reasons()).toEqual([]);
  expect(kit.emulator.ledger.credits).toBe(5);
});

test('upstream: when the API answers again then one job at a time goes first, then all', async () => {
  const kit = await startHarness();
  const { control, runTask, reasons } = pausesOf(kit);
  await kit.emulator.nodes[0]?.stop();
  await control.pause('upstream', 'connection_failed');
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('paused');
  await kit.emulator.nodes[0]?.start();
  await runTask();
  expect((await control.reasons()).get('upstream')?.state).toBe('half');
  await control.closeAgain('upstream', 'it was too early');
  expect((await control.reasons()).get('upstream')?.state).toBe('paused');
  await runTask();
  await kit.clock.advance(15_000);
  await runTask();
  expect(await reasons()).toEqual([]);
});

test('operator: when a person has paused a queue then no probe opens it', async () => {
  const kit = await startHarness();
  const { control, runTask, reasons } = pausesOf(kit);
  await kit.store.pauses.add('submit', { reason: 'operator', since: kit.clock.now(), detail: 'a rest', state: 'paused' });
  await control.pause('balance', 'no credits');
  await runTask();
  expect(await reasons()).toEqual(['operator']);
});
