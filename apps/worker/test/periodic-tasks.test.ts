import type { ObjectStore } from '@grsai-jobs/object-store';
import { createMaintainer } from '@grsai-jobs/queue';
import { expect, onTestFinished, test } from 'vitest';
import { createPeriodicTasks, type MaintenanceDeps, maintainConcurrency } from '../src/maintenance/periodic-tasks.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { acceptedJob, failJob, generatingJob, startHarness } from './harness.ts';

test('when periodic tasks hang in an upstream or an object store that is silent then lost entries are added again all the same', async () => {
  const harness = await startHarness();
  const late = await generatingJob(harness);
  await failJob(harness, late, 'upstream_timeout', 0);
  await harness.store.inputNotes.write({ jobId: 'job_gone', objects: ['in-0.png'] });
  const hangs: string[] = [];
  const hang = (what: string) => () => {
    hangs.push(what);
    return new Promise<never>(() => undefined);
  };
  const grsai = { ...harness.grsai, images: { result: hang('poll') } } as unknown as typeof harness.grsai;
  const objects = { delete: hang('delete'), put: hang('put') } as unknown as ObjectStore;
  const control = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const tasks = createPeriodicTasks({
    ...harness,
    grsai,
    objects,
    control,
    retentionDays: 1,
  } as unknown as MaintenanceDeps);
  let begun = 0;
  const counted = (run: () => Promise<void>) => () => {
    begun += 1;
    return run();
  };
  const maintain = createMaintainer(Object.fromEntries(tasks.map(({ name, run }) => [name, counted(run)])), {
    redis: harness.redis,
    prefix: 'gj',
    concurrency: maintainConcurrency(tasks),
    lockMs: 15_000,
    stalledMs: 5000,
    onError: () => undefined,
    onTaskFailed: () => undefined,
  });
  onTestFinished(() => void maintain.stop());
  await harness.clock.advance(61 * 60_000);
  maintain.start();
  const hanging = ['late-results', 'orphaned-inputs'].map((name) => ({ name, everyMs: 50 }));
  await harness.producer.schedule(hanging);
  await expect.poll(() => hangs).toEqual(expect.arrayContaining(['poll', 'delete']));
  await expect.poll(() => begun).toBeGreaterThan(2 * maintainConcurrency(tasks));

  const lost = await acceptedJob(harness);
  await harness.clock.advance(31_000);
  await harness.producer.schedule([...hanging, { name: 'repairs', everyMs: 100 }]);
  await expect.poll(async () => (await lost.read()).step).toBe(2);
  expect(hangs).toHaveLength(2);
});
