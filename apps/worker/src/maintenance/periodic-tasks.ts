import type { Egress } from '@grsai-jobs/egress';
import type { Grsai } from '@grsai-jobs/grsai';
import { BULK_OPERATION, RECOVER_OPERATION, WAKE_OPERATION } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { OPERATIONS_TASK } from '@grsai-jobs/queue';
import { createBatchOperations } from '../operations/batch/index.ts';
import type { BatchKit } from '../operations/batch/kit.ts';
import { createBulkRun } from '../operations/bulk/run.ts';
import { recoverDeliveries } from '../operations/recover-deliveries.ts';
import { createOperationsTask, OPERATIONS_CONCURRENCY, OPERATIONS_EVERY_MS } from '../operations/run-operations.ts';
import { wakeBraked } from '../operations/wake-braked.ts';
import type { PauseControl } from '../pauses/pause-control.ts';
import { createProbes } from '../pauses/probes.ts';
import { createUnstoredWatch } from '../pauses/unstored.ts';
import { atMost } from './at-most.ts';
import { createLateResults, LATE_EVERY_MS } from './late-results.ts';
import { createOldRecords, OLD_EVERY_MS } from './old-records.ts';
import { createLeftInputs, LEFT_INPUTS_EVERY_MS } from './orphaned-inputs.ts';
import { createPauseRound, PAUSES_EVERY_MS } from './pauses.ts';
import { createOwedDeliveries, createRoomLook, OWED_EVERY_MS, ROOMS_EVERY_MS } from './pending-deliveries.ts';
import { createRepairs, REPAIR_EVERY_MS } from './repairs.ts';

/** What `maintain` does again and again, over all workers one at a time. */
export interface Round {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<void>;
}

/** Entries of `maintain` that one worker runs at once: all that can be under way, and one that is passed over. */
export const maintainPlaces = (rounds: readonly Round[]): number => rounds.length + OPERATIONS_CONCURRENCY;

/** All rounds of `maintain`. */
export function createRounds(o: {
  kit: BatchKit;
  grsai: Grsai;
  objects: ObjectStore;
  egress: Egress;
  control: PauseControl;
  retentionDays: number;
}): readonly Round[] {
  const { kit, grsai, objects, egress, control } = o;
  const waitsToBeStored = createUnstoredWatch(kit);
  const probes = createProbes({ grsai, objects, waitsToBeStored });
  const works = {
    ...createBatchOperations(kit),
    [BULK_OPERATION]: createBulkRun(kit),
    [RECOVER_OPERATION]: recoverDeliveries(kit),
    [WAKE_OPERATION]: wakeBraked(kit),
  };
  const rounds: readonly Round[] = [
    { name: 'repairs', everyMs: REPAIR_EVERY_MS, run: createRepairs(kit) },
    { name: 'webhook-rooms', everyMs: ROOMS_EVERY_MS, run: createRoomLook(kit) },
    { name: 'owed-deliveries', everyMs: OWED_EVERY_MS, run: createOwedDeliveries(kit) },
    { name: 'pauses', everyMs: PAUSES_EVERY_MS, run: createPauseRound({ ...kit, waitsToBeStored }, control, probes) },
    { name: 'late-results', everyMs: LATE_EVERY_MS, run: createLateResults({ ...kit, grsai, egress }) },
    { name: 'left-inputs', everyMs: LEFT_INPUTS_EVERY_MS, run: createLeftInputs({ ...kit, objects }) },
    { name: 'old-records', everyMs: OLD_EVERY_MS, run: createOldRecords(kit, o.retentionDays) },
  ];
  return [
    ...rounds.map(({ name, everyMs, run }) => ({ name, everyMs, run: atMost(1, run) })),
    { name: OPERATIONS_TASK, everyMs: OPERATIONS_EVERY_MS, run: createOperationsTask(kit, works) },
  ];
}
