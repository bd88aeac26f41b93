import type { Consumer } from '@grsai-jobs/queue';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { announceWorker } from '../src/queues/announce.ts';
import { createLiveSettings } from '../src/queues/live-settings.ts';
import { startHarness } from './harness.ts';

const configured = { call: 50, submit: 20, poll: 100, store: 16, deliver: 50 };

const consumer = (name: string, n: number): Consumer => ({
  name,
  start: () => undefined,
  hold: async () => undefined,
  stop: async () => undefined,
  open: () => 0,
  concurrency: () => n,
  setConcurrency: async (next) => {
    n = next;
  },
});

async function settingsOf(harness: Awaited<ReturnType<typeof startHarness>>, more: { everyMs?: number } = {}) {
  const control = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const submit = consumer('submit', configured.submit);
  const settings = createLiveSettings({
    settings: harness.store.queueSettings,
    control,
    consumers: [submit],
    configured,
    timers: harness.timers,
    log: harness.log,
    ...more,
  });
  onTestFinished(() => settings.stop());
  return { settings, submit };
}

test('when an operator has set a concurrency then a worker takes it at its start, and its own back when it is unset', async () => {
  const harness = await startHarness();
  await harness.store.queueSettings.change('submit', { concurrency: 3 });
  const { settings, submit } = await settingsOf(harness);
  await settings.apply();
  expect(submit.concurrency()).toBe(3);
  await harness.store.queueSettings.change('submit', { concurrency: null });
  await settings.apply();
  expect(submit.concurrency()).toBe(configured.submit);
});

test('when no message arrives then a worker looks by itself and is right all the same', async () => {
  const harness = await startHarness();
  const { submit } = await settingsOf(harness, { everyMs: 10 });
  await harness.store.queueSettings.change('submit', { concurrency: 7 });
  await waitFor(() => submit.concurrency() === 7, { what: 'the number' });
});

test('when settings change while they are read then they are read once more', async () => {
  const harness = await startHarness();
  const { settings, submit } = await settingsOf(harness);
  const applying = [];
  for (let n = 1; n <= 20; n += 1) {
    await harness.store.queueSettings.change('submit', { concurrency: n });
    applying.push(settings.apply());
  }
  await Promise.all(applying);
  expect(submit.concurrency()).toBe(20);
});

test('when a worker works then operators see it, and no more when it has stopped', async () => {
  const harness = await startHarness();
  const { submit } = await settingsOf(harness);
  const { workers } = harness.store;
  const announced = announceWorker({
    workers,
    consumers: [submit],
    configured,
    version: '0.1.0',
    clock: harness.clock,
    timers: harness.timers,
    newToken: harness.newToken,
    log: harness.log,
  });
  await waitFor(async () => (await workers.alive()).length === 1, { what: 'the worker' });
  expect(await workers.alive()).toMatchObject([
    { id: announced.id, pid: process.pid, queues: { submit: { concurrency: 20, configured: 20, open: 0 } } },
  ]);
  await announced.stop();
  expect(await workers.alive()).toEqual([]);
});
