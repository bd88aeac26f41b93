import { type BulkVerdict, bulkVerdict, type CancelJob, type Meant, nextMeant, type ReopenJob } from '@grsai-jobs/job-actions';
import {
  type BulkAction,
  type BulkCursor,
  type BulkStatus,
  type JobStore,
  leftOf,
  type Operation,
  sumOf,
} from '@grsai-jobs/job-store';
import type { Job, RetryMode } from '@grsai-jobs/jobs';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { DoSlice, Sliced } from '../run-operations.ts';
import { type RedeliverDeps, redeliver } from './redeliver.ts';

export interface BulkDeps extends RedeliverDeps {
  store: Pick<JobStore, 'audit' | 'bulk' | 'deliveries' | 'jobs' | 'list' | 'usage'>;
  clock: Clock;
  log: Logger;
  shutdown: { readonly stopping: AbortSignal };
  cancelJob: CancelJob;
  reopenJob: ReopenJob;
  /** How many live jobs a tenant may have, and how many of them queued; 0 is no limit. */
  maxJobs: (tenant: string) => Promise<{ live: number; queued: number }>;
}

/** A slice lets other operations have their turn after this long. */
const SLICE_MS = 2000;
const COUNT_AT_ONCE = 2000;
const ACT_AT_ONCE = 100;
/** So much of an unused rate is made up for: a slice comes once a second. */
const BURST_MS = 2000;
const FULL_WAIT_MS = 5000;
/** The API writes the operation first and then what it is about. */
const NOT_THERE_YET_MS = 60_000;

/** What came of one job; `wait`: nothing, and it is tried again. */
type Came = 'done' | 'wait' | `skipped:${string}` | `failed:${string}`;

/** A job that somebody else changes meanwhile is judged anew so often. */
const TRIES = 8;

/**
 * Carries out what an operator ordered for many jobs: counts them, then acts on one after the other at the rate that was
 * asked for. Each job that is behind it is written down, so it goes on there after a crash or an abort.
 */
export function createBulkRun(d: BulkDeps): DoSlice {
  async function act(
    job: Job,
    verdict: Extract<BulkVerdict, { act: string }>,
    { before }: Pick<BulkAction, 'before'>,
  ): Promise<Came | 'changed'> {
    if (verdict.act === 'cancel') {
      const { kind } = await d.cancelJob(job);
      return kind === 'canceled' || kind === 'canceling' ? 'done' : kind === 'busy' ? 'failed:busy' : `skipped:${kind}`;
    }
    if (verdict.act === 'redeliver') return await redeliver(d, job, before);
    return await runAgain(job, verdict.act);
  }

  async function runAgain(job: Job, mode: RetryMode): Promise<Came | 'changed'> {
    // Left alone, and not waited for: a tenant with all its live jobs must not hold up the jobs of others.
    const refused = await d.store.usage.checkAgain(job.tenant, await d.maxJobs(job.tenant));
    if (refused !== null) return refused.kind === 'queue' ? 'skipped:tenant_queue_full' : 'skipped:tenant_quota_exceeded';
    const reopened = await d.reopenJob(job, mode, { asRead: true });
    if (reopened.kind === 'reopened') return 'done';
    if (reopened.kind === 'full') return 'wait';
    if (reopened.kind === 'busy') return 'changed';
    return reopened.kind === 'refused' ? `skipped:${reopened.plan.why}` : 'skipped:missing';
  }

  /** The verdict holds for the record that it was made of and for no newer one: who was frozen in between judges anew. */
  async function touch(action: BulkAction, id: string): Promise<Came> {
    for (let n = 0; n < TRIES; n += 1) {
      const job = await d.store.jobs.read(id);
      if (job === null) return 'skipped:missing';
      const verdict = bulkVerdict(job, action, d.clock.now());
      if ('skip' in verdict) return `skipped:${verdict.skip}`;
      const came = await act(job, verdict, action);
      if (came !== 'changed') return came;
    }
    return 'failed:busy';
  }

  async function count(action: BulkAction, until: number): Promise<Sliced> {
    let { at, steps } = action;
    while (d.clock.now() < until) {
      const { meant, next } = await nextMeant(d.store.list, action, at, COUNT_AT_ONCE);
      const phase = next === null ? 'act' : 'count';
      const counts = [['matched', meant.length]] as const;
      const status = await d.store.bulk.step({ id: action.id, steps }, { at: next, phase, credit: 0, counts });
      if (status !== 'running') return over(status);
      if (next === null) break;
      [at, steps] = [next, steps + 1];
    }
    return { done: false, cursor: null };
  }

  /** One job after the other; answers how the slice is to end, or `null` to go on with what is behind these. */
  async function actOnEach(action: BulkAction, meant: readonly Meant[], now: { steps: number; credit: number }, until: number) {
    for (const { id, at } of meant) {
      const time = d.clock.now();
      if (time >= until) return { done: false, cursor: null } as const;
      if (now.credit > time) return { done: false, cursor: null, waitMs: now.credit - time } as const;
      const came = await touch(action, id).catch((err: unknown): Came => {
        d.log.error({ event: 'bulk.item_failed', err, bulk_action: action.id, job_id: id }, 'one job of many; the others go on');
        return 'failed:error';
      });
      if (came === 'wait') return { done: false, cursor: null, waitMs: FULL_WAIT_MS } as const;
      // What is left alone costs nothing of the rate.
      if (!came.startsWith('skipped:')) now.credit = Math.max(now.credit, time - BURST_MS) + 60_000 / action.rate_per_min;
      const to = { at, phase: 'act', credit: Math.round(now.credit), counts: [[came, 1]] } as const;
      const status = await d.store.bulk.step({ id: action.id, steps: now.steps }, to);
      if (status !== 'running') return over(status);
      now.steps += 1;
    }
    return null;
  }

  async function actOn(action: BulkAction, until: number): Promise<Sliced> {
    const now = { steps: action.steps, credit: action.credit };
    let at: BulkCursor = action.at;
    while (d.clock.now() < until && !d.shutdown.stopping.aborted) {
      const { meant, next } = await nextMeant(d.store.list, action, at, ACT_AT_ONCE);
      const left = await actOnEach(action, meant, now, until);
      if (left !== null) return left;
      if (next === null) return await complete(action, now.steps);
      if (meant.length === 0) {
        const to = { at: next, phase: 'act', credit: now.credit, counts: [] } as const;
        const status = await d.store.bulk.step({ id: action.id, steps: now.steps }, to);
        if (status !== 'running') return over(status);
        now.steps += 1;
      }
      at = next;
    }
    return { done: false, cursor: null };
  }

  /** What was counted and then changed by others was never met: it counts as left alone, so that the counts add up. */
  async function noteMoved(id: string, steps: number): Promise<BulkStatus | 'stale'> {
    const action = await d.store.bulk.read(id);
    const changed = action === null ? 0 : leftOf(action);
    if (action === null || changed === 0) return 'running';
    const to = { at: action.at, phase: 'act', credit: action.credit, counts: [['skipped:moved_since', changed]] } as const;
    return await d.store.bulk.step({ id, steps }, to);
  }

  /** The line of the log comes first: it may come twice when the worker dies between the two, and is never left out. */
  async function complete({ id, key_id, key_name, reason }: BulkAction, steps: number): Promise<Sliced> {
    const status = await noteMoved(id, steps);
    if (status !== 'running') return over(status);
    const action = await d.store.bulk.read(id);
    const entry = { key_id, key_name, action: 'bulk.end', target: id, reason };
    await d.store.audit.note(entry, action === null ? '' : bulkSummary(action));
    await d.store.bulk.complete(id, d.clock.now());
    d.log.info({ event: 'bulk.completed', bulk_action: id, done: action?.done, matched: action?.matched }, 'bulk action done');
    return { done: true };
  }

  return async (operation: Operation) => {
    const id = operation.id.slice(operation.id.indexOf(':') + 1);
    const action = await d.store.bulk.read(id);
    if (action === null && d.clock.now() - operation.created_at < NOT_THERE_YET_MS)
      return { done: false, cursor: null, waitMs: 1000 };
    if (action?.status !== 'running') return { done: true };
    const until = d.clock.now() + SLICE_MS;
    return await (action.phase === 'count' ? count(action, until) : actOn(action, until));
  };
}

/** Aborted: the operation is over. Stale: the step was written by another worker, or by us and its answer was lost; what stands is read anew. */
const over = (status: BulkStatus | 'stale'): Sliced => (status === 'stale' ? { done: false, cursor: null } : { done: true });

const bulkSummary = ({ matched, done, skipped, failed }: BulkAction): string =>
  `${done} of ${matched} done, ${sumOf(skipped)} left alone, ${sumOf(failed)} failed`;
