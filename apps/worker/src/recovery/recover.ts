import { holdSuspects } from '@grsai-jobs/job-actions';
import { type ClosedPrimary, type Durability, type JobStore, PATIENCE_MS } from '@grsai-jobs/job-store';
import type { Logger, Service, Timers } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import type { Journal, OwnCall } from '../runner/journal.ts';
import { type ReassertDeps, type Reasserted, reassert } from '../runner/reassert.ts';
import { type SettleDeps, settle } from '../runner/settle.ts';

export interface RecoverDeps extends SettleDeps, ReassertDeps {
  store: SettleDeps['store'] &
    ReassertDeps['store'] & {
      primary: Pick<JobStore['primary'], 'ask' | 'onChange'>;
      recovery: JobStore['recovery'];
      suspects: JobStore['suspects'];
      jobs: Pick<JobStore['jobs'], 'read' | 'each' | 'heads'>;
    };
  journal: Journal;
  durability: Durability;
  /** How this worker is announced. */
  workerId: () => string;
  metrics: WorkerMetrics;
  timers: Timers;
  log: Logger;
}

export interface Recovering extends Service {
  /** Something says that paid calls are closed, or may be: they are opened as soon as they can be. */
  noticed(): void;
}

const LOOK_EVERY_MS = 500;
const AT_ONCE = 20;

/**
 * Another server has become the primary, and may lack what was written last. No paid call begins there until each worker has told what it
 * knows: the leases of its calls, and what they brought. What a worker that stays silent may have begun is held for a decision.
 */
export function createRecovering(d: RecoverDeps): Recovering {
  const stopping = new AbortController();
  let knew = false;
  let running: Promise<void> | undefined;

  const look = (told: string | null, giveUpMs?: number) =>
    d.store.recovery.look({ knew, worker: { id: d.workerId(), told }, ...(giveUpMs === undefined ? {} : { giveUpMs }) });

  async function recover(): Promise<void> {
    let told: string | null = null;
    let giveUpMs: number | undefined;
    // It can be called otherwise without a connection being lost.
    await d.store.primary.ask();
    while (!stopping.signal.aborted) {
      const seen = await look(told, giveUpMs);
      if (seen.kind === 'open') return;
      if (seen.kind === 'opened') {
        d.log.info({ event: 'recovery.opened', since_ms: seen.sinceMs }, 'paid calls begin on the new primary');
        return;
      }
      if (seen.primary !== told) {
        // Yet another one has not been told what the one before was.
        await tellAll(d);
        told = seen.primary;
        giveUpMs = undefined;
      } else if (giveUpMs === undefined && seen.missing.length > 0) giveUpMs = await giveUp(d, seen);
      else await d.timers.sleep(LOOK_EVERY_MS, stopping.signal);
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await recover();
        return;
      } catch (err) {
        if (stopping.signal.aborted) return;
        d.log.warn({ event: 'recovery.failed', err }, 'a new primary could not be told yet what is known; trying again');
        await d.timers.sleep(LOOK_EVERY_MS, stopping.signal).catch(() => undefined);
      }
    }
  };
  const noticed = () => {
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  d.store.primary.onChange((now, before) => {
    knew = true;
    d.metrics.primaryChanges.inc();
    d.log.warn({ event: 'redis.primary_changed', now, before, calls: d.journal.calls().length }, 'another Redis is the primary');
    noticed();
  });
  return {
    name: 'recovery',
    noticed,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function tellAll(d: RecoverDeps): Promise<void> {
  const calls = [...d.journal.calls()];
  const counts: Record<Exclude<Reasserted, 'open'>, number> = { known: 0, told: 0, lost: 0 };
  const next = async (): Promise<void> => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) counts[await tellOne(d, call)] += 1;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  d.log.info({ event: 'recovery.told', ...counts }, 'the new primary was told of the paid calls of this worker');
}

async function tellOne(d: RecoverDeps, { job, brought }: OwnCall): Promise<Exclude<Reasserted, 'open'>> {
  const found = await reassert(d, job);
  // What is in flight yet is written by whoever waits for it. Of a call that has ended the record may have forgotten no more than its end.
  const told = brought !== null && (found === 'told' || found === 'open');
  if (told) await settle(d, job, brought);
  const result = told ? 'told' : found === 'open' ? 'known' : found;
  if (result === 'lost')
    d.log.error({ event: 'job.lost', job_id: job.id, batch_id: job.batch_id }, 'a failover has lost a job with a paid call');
  return result;
}

/**
 * Gives up workers that are missing, when it is time, and holds what they may have paid for. Answers after how long a look may open the primary
 * without them; `undefined`: not yet.
 */
async function giveUp(d: RecoverDeps, seen: ClosedPrimary): Promise<number | undefined> {
  const forgetful = await d.store.recovery.mayHaveForgotten(d.durability, seen);
  const patience = forgetful ? PATIENCE_MS.forgetful : PATIENCE_MS.sure;
  if (seen.sinceMs < patience) {
    await d.timers.sleep(LOOK_EVERY_MS);
    return undefined;
  }
  const suspects = forgetful ? await holdSuspects(d) : 0;
  d.log[suspects > 0 ? 'error' : 'warn'](
    { event: 'recovery.gave_up', missing: seen.missing, suspects },
    suspects > 0
      ? 'workers stay silent that may have paid for jobs which the new primary has queued: these wait for a decision'
      : 'workers stay silent, and what they know is on record',
  );
  return patience;
}
