import type { JobStore } from '@grsai-jobs/job-store';
import { inputObjects, isBatchEnd, isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Logger, SyncedClock } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import { eachOf } from './each.ts';
import { inRounds } from './rounds.ts';

export const OLD_EVERY_MS = 10 * 60_000;
/** Each part of a round ends after this long, however much there is to erase. */
const PART_MS = 60_000;
/** A shutdown waits for no more than these. */
const AT_ONCE = 200;
/** Erased side by side: one after another some hundred go in a second, and as many may end. */
const SIDE_BY_SIDE = 20;
/** The oldest are asked for first, and seldom is one of them old. */
const FILE_BATCHES_AT_ONCE = 20;
const DAY_MS = 24 * 3600 * 1000;

interface Deps {
  store: Pick<JobStore, 'batches' | 'fileBatches' | 'sweeps' | 'jobs' | 'erase' | 'tenants'>;
  objects: Pick<ObjectStore, 'delete'>;
  clock: Pick<SyncedClock, 'now' | 'trouble'>;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'erased'>;
  shutdown: { readonly stopping: AbortSignal };
}

/**
 * Erases records whose job ended more than `RETENTION_DAYS` ago, with their deliveries. One with a pending delivery
 * stays until that is over (P4), and one of a batch that goes on until the results of that are stored (P3). What of its input stands
 * in the object store goes with it; the life of results is a rule of the bucket.
 * Nothing is erased while the clock of this machine and that of Redis differ. Ended batches go by the same time, and so do
 * deliveries that are gone from the lists, and files that became no batch.
 */
export function createOldRecords(d: Deps, retentionDays: number): () => Promise<void> {
  const keptMs = retentionDays * DAY_MS;
  const { batches, fileBatches, sweeps, jobs, erase, tenants } = d.store;

  const goesOn = () => !d.shutdown.stopping.aborted && d.clock.trouble() === undefined;

  /**
   * Slice by slice, until nothing is left but what stays; `slice` answers how many it read and how many of them stay. Answers whether there is
   * more than could be done in its time, and something was.
   */
  async function sweep(slice: (page: { skip: number; limit: number }) => Promise<{ looked: number; stay: number }>) {
    const until = d.clock.now() + PART_MS;
    let gone = 0;
    for (let skip = 0; goesOn(); ) {
      if (d.clock.now() >= until) return gone > 0;
      const { looked, stay } = await slice({ skip, limit: AT_ONCE });
      if (looked < AT_ONCE) return false;
      skip += stay;
      gone += looked - stay;
    }
    return false;
  }

  /** `check` answers whether the id stays. */
  async function each(ids: readonly string[], check: (id: string) => Promise<boolean>) {
    let stay = 0;
    const one = async (id: string) => {
      if (await check(id)) stay += 1;
    };
    const onThrow = async () => {
      stay += 1;
    };
    await eachOf(d, ids, one, { onThrow, concurrency: SIDE_BY_SIDE });
    return { looked: ids.length, stay };
  }

  async function oldBatch(id: string): Promise<boolean> {
    const batch = await batches.read(id);
    if (batch === null || !isBatchEnd(batch.status)) {
      await batches.forgetEnded(id);
      return false;
    }
    if (batch.webhook.state === 'pending' || !(await batches.eraseEnded(batch, keptMs))) return true;
    // Of one that was made of a file.
    await fileBatches.forget(batch);
    return false;
  }

  /** Of a tenant: what is known of files that became no batch, and of a batch that went while we died. Answers as `sweep` does. */
  async function oldFileBatches(tenant: string, before: number): Promise<boolean> {
    let after: string | undefined;
    let young = false;
    let gone = false;
    const forget = async (id: string) => {
      const record = young ? null : await fileBatches.read(id);
      young ||= record !== null && record.created_at >= before;
      if (young || (await batches.read(id)) !== null) return;
      await fileBatches.forget({ id, tenant });
      gone = true;
    };
    const until = d.clock.now() + PART_MS;
    while (!young && goesOn()) {
      if (d.clock.now() >= until) return gone;
      const ids = await fileBatches.ids(tenant, { after, order: 'asc', limit: FILE_BATCHES_AT_ONCE });
      await eachOf(d, ids, forget);
      if (ids.length < FILE_BATCHES_AT_ONCE) return false;
      after = ids.at(-1);
    }
    return false;
  }

  /** Before the record, which names them. Where the credentials may not delete they are left to the rule of the bucket. */
  async function deleteInputs({ id }: JobRecord, keys: readonly string[]): Promise<void> {
    try {
      await d.objects.delete(keys);
    } catch (err) {
      if (!(err instanceof ObjectStoreError && err.code === 'denied')) throw err;
      d.log.warn(
        { event: 'job.inputs_orphaned', err, job_id: id },
        'the credentials may not delete; the input of an old job stays in S3',
      );
    }
  }

  async function oldJob(id: string): Promise<boolean> {
    const record = await jobs.read(id);
    if (record === null || !isTerminal(record.status)) {
      await sweeps.forgetEnded(id);
      return false;
    }
    if (record.webhook.state === 'pending') return true;
    if (record.batch_id !== null && (await batches.isLive(record.batch_id))) return true;
    const inputs = inputObjects(record);
    if (inputs.length > 0) {
      // From here on nothing reopens it: its input is about to be gone.
      if (!(await erase.begin(record, keptMs))) return true;
      await deleteInputs(record, inputs);
    }
    if (!(await erase.old(record, keptMs))) return true;
    d.metrics.erased.inc();
    return false;
  }

  return inRounds(d, OLD_EVERY_MS, async () => {
    const before = d.clock.now() - keptMs;
    const left = [
      await sweep(async (page) => await each(await batches.endedBefore(before, page), oldBatch)),
      await sweep(async (page) => await each(await sweeps.endedBefore(before, page), oldJob)),
    ];
    await eachOf(d, await tenants.all(), async (tenant) => {
      left.push(await oldFileBatches(tenant, before));
      const deliveries = await sweep(async (page) => {
        const { looked, there } = await sweeps.goneDeliveries(tenant, before, page);
        return { looked, stay: there };
      });
      left.push(deliveries);
    });
    return left.includes(true);
  });
}
