import type { JobStore, Operation } from '@grsai-jobs/job-store';
import { MAX_CRASHES } from '@grsai-jobs/jobs';
import type { Clock, Logger, Timers } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import { atMost } from './at-most.ts';

/** An operation whose worker was not nudged is found within this time. */
export const OPERATIONS_EVERY_MS = 1000;
/** A run of the task ends after this long, however much is to be done, so that others get its slot. */
const RUN_MS = 8000;
/** Runs of one worker at a time: a slice may hang in an object store that is away. */
export const OPERATIONS_CONCURRENCY = 3;
const AFTER_ERROR_MS = 10_000;
/** An operation with which workers died is tried again so seldom: by then another version may run it. */
const SET_ASIDE_MS = 3600_000;
/** A third of the lease. */
const RENEW_EVERY_MS = 10_000;

/** How a slice left its operation: to go on from `cursor` (after `waitMs`), or done for good. */
export type Sliced = { done: true } | { done: false; cursor: unknown; waitMs?: number };

/**
 * Runs one slice, in a few seconds at most. It may run twice when its worker dies, so each part of it must be harmless the
 * second time.
 */
export type DoSlice = (operation: Operation) => Promise<Sliced>;

interface Deps {
  store: Pick<JobStore, 'operations'>;
  clock: Clock;
  timers: Pick<Timers, 'every'>;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'crashes'>;
  shutdown: { readonly stopping: AbortSignal };
}

/**
 * Goes on with operations, a slice of each in turn, so that a large one keeps no small one waiting. Safe in several workers:
 * each operation is leased to one.
 */
export function createOperationsTask(d: Deps, kinds: Readonly<Record<string, DoSlice>>): () => Promise<void> {
  const { operations } = d.store;

  async function slice(operation: Operation): Promise<void> {
    const doSlice = kinds[operation.kind];
    if (doSlice === undefined)
      throw new Error(`this worker knows no operation of the kind ${operation.kind}; is it older than the API?`);
    const endRenewing = d.timers.every(RENEW_EVERY_MS, () => {
      operations.renewLease(operation).catch(() => undefined);
    });
    const sliced = await doSlice(operation).finally(endRenewing);
    if (sliced.done) await operations.done(operation);
    else await operations.checkpoint(operation, sliced.cursor, sliced.waitMs ?? 0);
  }

  /** Whatever it is that ends workers, it must not end all of them, nor keep other operations from running. */
  async function isSetAside(operation: Operation): Promise<boolean> {
    if (operation.lost === 0) return false;
    d.metrics.crashes.inc({ kind: 'stalled', stage: 'maintain' });
    if (operation.lost < MAX_CRASHES) return false;
    await operations.setAside(operation, SET_ASIDE_MS);
    d.log.error(
      { event: 'operation.crashed', operation: operation.id, lost: operation.lost, again_in_ms: SET_ASIDE_MS },
      'workers died while they ran this operation: it is set aside',
    );
    return true;
  }

  async function goOn(): Promise<void> {
    const started = d.clock.now();
    while (d.clock.now() - started < RUN_MS && !d.shutdown.stopping.aborted) {
      const operation = await operations.take(d.clock.now());
      if (operation === null) return;
      if (await isSetAside(operation)) continue;
      try {
        await slice(operation);
      } catch (err) {
        d.log.error(
          { event: 'operation.failed', err, operation: operation.id },
          'a slice of an operation failed; it is tried again',
        );
        await operations.checkpoint(operation, operation.cursor, AFTER_ERROR_MS);
      }
    }
  }

  return atMost(OPERATIONS_CONCURRENCY, goOn);
}
