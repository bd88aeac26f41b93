import type { Egress } from '@grsai-jobs/egress';
import type { GrsaiApi } from '@grsai-jobs/grsai';
import {
  type AccountLimits,
  BULK_OPERATION,
  type JobStore,
  LOOK_FOR_RESULTS,
  RECOVER_OPERATION,
  WAKE_OPERATION,
} from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { OPERATIONS_TASK, type Producer } from '@grsai-jobs/queue';
import type { SyncedClock } from '@grsai-jobs/runtime';
import { atMost } from '../operations/at-most.ts';
import { type BatchDeps, createBatchOperations } from '../operations/batch/index.ts';
import { type BulkDeps, createBulkRun } from '../operations/bulk/run.ts';
import { lookForResults } from '../operations/look-for-results.ts';
import { recoverDeliveries } from '../operations/recover-deliveries.ts';
import { createOperationsTask, OPERATIONS_CONCURRENCY, OPERATIONS_EVERY_MS } from '../operations/run-operations.ts';
import { wakeBraked } from '../operations/wake-braked.ts';
import type { PauseControl } from '../pauses/pause-control.ts';
import { createProbes } from '../pauses/probes.ts';
import { createUnstoredWatch } from '../pauses/unstored-watch.ts';
import type { SettleDeps } from '../runner/settle.ts';
import { CATALOGUE_EVERY_MS, createCatalogueTask } from './catalogue.ts';
import { createExpiredFiles, EXPIRED_FILES_EVERY_MS } from './expired-files.ts';
import { createLateResults, LATE_EVERY_MS } from './late-results.ts';
import { createLeftAnswers, LEFT_ANSWERS_EVERY_MS } from './left-answers.ts';
import { createOldRecords, OLD_EVERY_MS } from './old-records.ts';
import { createOrphanedInputs, ORPHANED_INPUTS_EVERY_MS } from './orphaned-inputs.ts';
import { createPauseTask, PAUSES_EVERY_MS } from './pauses.ts';
import { createPendingDeliveries, createRoomCheck, PENDING_EVERY_MS, ROOMS_EVERY_MS } from './pending-deliveries.ts';
import { createRepairs, REPAIR_EVERY_MS } from './repairs.ts';
import { createWaitingRooms, WAITING_ROOMS_EVERY_MS } from './waiting-rooms.ts';

/** What `maintain` runs again and again, on one worker at a time. */
export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<void>;
}

/** Entries of `maintain` that one worker runs at once: all that can be under way, and one that is passed over. */
export const maintainConcurrency = (tasks: readonly PeriodicTask[]): number => tasks.length + OPERATIONS_CONCURRENCY;

/** What all periodic tasks need together; each says itself what it takes. */
export type MaintenanceDeps = BatchDeps &
  BulkDeps &
  SettleDeps & {
    store: JobStore;
    producer: Producer;
    grsai: GrsaiApi;
    clock: SyncedClock;
    objects: ObjectStore;
    egress: Pick<Egress, 'download'>;
    control: PauseControl;
    limits: () => AccountLimits;
    /** Where the list of models is read; empty: nowhere. */
    catalogueAddresses: readonly string[];
    retentionDays: number;
  };

/** All periodic tasks of `maintain`. */
export function createPeriodicTasks(d: MaintenanceDeps): readonly PeriodicTask[] {
  const { grsai, objects, control } = d;
  const waitsToBeStored = createUnstoredWatch(d);
  const probes = createProbes({ grsai, objects, waitsToBeStored });
  const operations = {
    ...createBatchOperations(d),
    [BULK_OPERATION]: createBulkRun(d),
    [RECOVER_OPERATION]: recoverDeliveries(d),
    [WAKE_OPERATION]: wakeBraked(d),
    [LOOK_FOR_RESULTS]: lookForResults(d),
  };
  const tasks: readonly PeriodicTask[] = [
    { name: 'repairs', everyMs: REPAIR_EVERY_MS, run: createRepairs(d) },
    { name: 'waiting-rooms', everyMs: WAITING_ROOMS_EVERY_MS, run: createWaitingRooms(d) },
    { name: 'webhook-rooms', everyMs: ROOMS_EVERY_MS, run: createRoomCheck(d) },
    { name: 'pending-deliveries', everyMs: PENDING_EVERY_MS, run: createPendingDeliveries(d) },
    { name: 'pauses', everyMs: PAUSES_EVERY_MS, run: createPauseTask({ ...d, waitsToBeStored }, control, probes) },
    { name: 'left-answers', everyMs: LEFT_ANSWERS_EVERY_MS, run: createLeftAnswers(d) },
    { name: 'late-results', everyMs: LATE_EVERY_MS, run: createLateResults(d) },
    { name: 'orphaned-inputs', everyMs: ORPHANED_INPUTS_EVERY_MS, run: createOrphanedInputs(d) },
    { name: 'expired-files', everyMs: EXPIRED_FILES_EVERY_MS, run: createExpiredFiles(d) },
    { name: 'catalogue', everyMs: CATALOGUE_EVERY_MS, run: createCatalogueTask(d, d.catalogueAddresses) },
    { name: 'old-records', everyMs: OLD_EVERY_MS, run: createOldRecords(d, d.retentionDays) },
  ];
  return [
    ...tasks.map(({ name, everyMs, run }) => ({ name, everyMs, run: atMost(1, run) })),
    { name: OPERATIONS_TASK, everyMs: OPERATIONS_EVERY_MS, run: createOperationsTask(d, operations) },
  ];
}
