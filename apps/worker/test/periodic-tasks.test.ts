import type { ObjectStore } from '@grsai-jobs/object-store';
import { createMaintainer } from '@grsai-jobs/queue';
import { expect, onTestFinished, test } from 'vitest';
import { createPeriodicTasks, type MaintenanceDeps, maintainConcurrency } from '../src/maintenance/periodic-tasks.ts';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { acceptedJob, failJob, generatingJob, startHarness } from './harness.ts';

test('when periodic tasks hang in an upstream or an object store that is silent then lost entries are added again all the same', async () => {
  const kit = await startHarness();
  const late = await generatingJob(kit);
  await failJob(kit, late, 'upstream_timeout', 0);
  await kit.store.inputNotes.write({ jobId: 'job_gone', objects: ['in-0.png'] });
  const hangs: string[] = [];
  const hang = (what: string) => () => {
    hangs.push(what);
    return new Promise<never>(() => undefined);
  };
  const grsai = { ...kit.grsai, images: { result: hang('poll') } } as unknown as typeof kit.grsai;
  const objects = { delete: hang('delete'), put: hang('put') } as unknown as ObjectStore;
  const control = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const tasks = createPeriodicTasks({
    ...kit,
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
    redis: kit.redis,
    prefix: 'gj',
    concurrency: maintainConcurrency(tasks),
    lockMs: 15_000,
    stalledMs: 5000,
    onError: () => undefined,
    onTaskFailed: () => undefined,
  });
  onTestFinished(() => void maintain.stop());
  await kit.clock.advance(61 * 60_000);
  maintain.start();
  const hanging = ['late-results', 'orphaned-inputs'].map((name) => ({ name, everyMs: 50 }));
  await kit.producer.schedule(hanging);
  await expect.poll(() => hangs).toEqual(expect.arrayContaining(['poll', 'delete']));
  await expect.poll(() => begun, { timeout: 5000 }).toBeGreaterThan(2 * maintainConcurrency(tasks));

  const lost = await acceptedJob(kit);
  await kit.clock.advance(31_000);
  await kit.producer.schedule([...hanging, { name: 'repairs', everyMs: 100 }]);
  await expect.poll(async () => (await lost.read()).step, { timeout: 5000 }).toBe(2);
  expect(hangs).toHaveLength(2);
});
