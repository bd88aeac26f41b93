import type { JobStore } from '@grsai-jobs/job-store';
import { type BatchRecord, type BatchResults, type BatchRound, isBatchEnd, objectFolder } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import { NotLasting } from '@grsai-jobs/redis';
import type { Logger, Timers } from '@grsai-jobs/runtime';
import type { Shutdown } from '../../runner/until-taken.ts';
import type { DoSlice } from '../run-operations.ts';
import { batchOf } from './slices.ts';

const ENDS_SOON_MS = 30_000;

/** A replica is back within this time, or the next slice writes another file. */
const LASTS_TRIES = 20;
const LASTS_WAIT_MS = 1000;

interface Deps {
  store: Pick<JobStore, 'batches' | 'erase'>;
  objects: Pick<ObjectStore, 'put' | 'get' | 'delete'>;
  /** In front of every key in the bucket. */
  keyPrefix: string;
  timers: Pick<Timers, 'sleep'>;
  shutdown: Pick<Shutdown, 'stopping'>;
  log: Logger;
}

/**
 * Jobs of a batch were erased at the wish of their tenant: what the results files of its rounds say of them goes too. The
 * other rows stay as they are, also of jobs whose record is gone by age. Done twice it finds nothing left to redact.
 */
export const redactErased =
  (d: Deps): DoSlice =>
  async (operation) => {
    const batch = await d.store.batches.read(batchOf(operation.order));
    if (batch === null) return { done: true };
    for (const [round, kept] of Object.entries(batch.past)) await redactRound(d, batch, Number(round), kept, operation.by);
    // A file that is being written at this moment may have been begun before the job was erased.
    const endsSoon = !isBatchEnd(batch.status) && batch.counts.queued + batch.counts.running === 0;
    return endsSoon ? { done: false, cursor: null, waitMs: ENDS_SOON_MS } : { done: true };
  };

async function redactRound(d: Deps, batch: BatchRecord, round: number, kept: BatchRound, by: string): Promise<void> {
  const erased = await erasedIn(d, kept.results);
  if (erased.size === 0) return;
  const key = `${objectFolder(d.keyPrefix, batch)}/results-${round}-${by.slice(0, 8)}.ndjson`;
  const stored = await d.objects.put(key, rowsWithout(d, kept.results, erased), { contentType: 'application/x-ndjson' });
  const results = { key, bytes: stored.bytes, sha256: stored.sha256 };
  const replaced = await replacedForGood(d, () => d.store.batches.replaceResults(batch, round, kept, results));
  const left = replaced ? kept.results.key : key;
  await d.objects
    .delete([left])
    .catch((err: unknown) =>
      d.log.error({ event: 'batch.file_orphaned', err, key: left }, 'results with erased jobs were not deleted'),
    );
  d.log.info({ event: 'batch.redacted', batch_id: batch.id, round, jobs: erased.size }, 'erased jobs were redacted from results');
}

/** The file of before is known to nobody else, and must not be deleted where a failover would bring it back. */
async function replacedForGood(d: Deps, replace: () => Promise<boolean>): Promise<boolean> {
  for (let n = 1; ; n += 1) {
    try {
      return await replace();
    } catch (err) {
      if (!(err instanceof NotLasting) || n === LASTS_TRIES) throw err;
      await d.timers.sleep(LASTS_WAIT_MS, d.shutdown.stopping);
    }
  }
}

const jobOf = (row: string): string => (JSON.parse(row) as { job_id: string }).job_id;

/** Jobs that the file names and that were erased. A file that is gone, by a rule of the bucket, names none. */
async function erasedIn(d: Deps, file: BatchResults): Promise<Set<string>> {
  const erased = new Set<string>();
  try {
    for await (const rows of rowsOf(d, file)) for (const id of await d.store.erase.askedOf(rows.map(jobOf))) erased.add(id);
  } catch (error) {
    if (!(error instanceof ObjectStoreError && error.code === 'not_found')) throw error;
  }
  return erased;
}

async function* rowsWithout(d: Deps, file: BatchResults, erased: ReadonlySet<string>): AsyncGenerator<Buffer> {
  for await (const rows of rowsOf(d, file)) {
    const left = rows.filter((row) => !erased.has(jobOf(row)));
    if (left.length > 0) yield Buffer.from(left.map((row) => `${row}\n`).join(''));
  }
}

/** @throws when the file is not as long as it was written: a row that was cut off is never taken for the last one. */
async function* rowsOf(d: Deps, { key, bytes }: BatchResults): AsyncGenerator<string[]> {
  const { body } = await d.objects.get(key);
  let read = 0;
  let rest = '';
  for await (const text of body.setEncoding('utf8') as AsyncIterable<string>) {
    read += Buffer.byteLength(text);
    const rows = (rest + text).split('\n');
    rest = rows.pop() ?? '';
    if (rows.length > 0) yield rows;
  }
  if (read !== bytes || rest !== '') throw new Error(`the results ${key} have ${read} bytes, and not ${bytes}`);
}
