import { type BatchRecord, isBatchEnd, type Job, type Status } from '@grsai-jobs/jobs';
import { type Cursor, createNewestFirst, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import { docBytes } from '../job/doc-bytes.ts';
import { readFields } from '../job/read.ts';
import { decodeRecord } from '../job/record-codec.ts';
import type { Keys } from '../layout/keys.ts';
import { decodeBatch } from './codec.ts';
import { isThere } from './hidden.ts';
import type { LineError } from './intake.ts';

/** Errors that are read in one go. */
const ERRORS_AT_ONCE = 1000;

/** The few fields of a batch's job that say whether it is worth reading. */
export interface LineHead {
  id: string;
  status: Status;
  line: number;
  finished_at: number | null;
  /** About what the record takes; for `inGroups`. */
  bytes: number;
}

/** Reading batches and the jobs in them, many at a time. */
export function createBatchReads(
  redis: Redis,
  run: RunScript,
  keys: Keys,
  clock: { now(): number },
  tenants: { all(): Promise<readonly string[]> },
) {
  const newestFirst = createNewestFirst(redis, clock);

  async function heads(ids: readonly string[]): Promise<LineHead[]> {
    const [replies, bytes] = await Promise.all([
      pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.job(id), 'st', 'ln', 'fin')),
      docBytes(redis, keys, ids),
    ]);
    return ids.flatMap((id, i) => {
      const [status, line, fin] = replies[i] as (string | null)[];
      const finished_at = fin ? Number(fin) : null;
      return status ? [{ id, status: status as Status, line: Number(line), finished_at, bytes: bytes[i] ?? 0 }] : [];
    });
  }

  return {
    /** `null` also for a batch whose lines are still coming in. */
    async read(id: string): Promise<BatchRecord | null> {
      const fields = await redis.hgetall(keys.batch(id));
      return isThere(fields['st']) ? decodeBatch(id, fields) : null;
    },

    /** Batches of one tenant, or of all (`null`), the newest first. */
    async page(o: {
      tenant: string | null;
      after: Cursor | null;
      limit: number;
    }): Promise<{ batches: BatchRecord[]; next: Cursor | null }> {
      const indexes = (o.tenant === null ? await tenants.all() : [o.tenant]).map(keys.tenantBatches);
      const { cursors, next } = await newestFirst.page({ indexes, behind: o.after, limit: o.limit });
      const ids = cursors.map(({ id }) => id);
      const found = await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.batch(id)));
      const batches = ids.flatMap((id, i) => {
        const fields = found[i] as Record<string, string>;
        return fields['st'] ? [decodeBatch(id, fields)] : [];
      });
      return { batches, next };
    },

    /** Ids of the jobs from position `from` on, in the order of their lines. */
    jobIds: (id: string, from: number, count: number): Promise<string[]> =>
      redis.lrange(keys.batchJobs(id), from, from + count - 1),

    /** Where each of these jobs stands; those that were deleted are left out. */
    heads,

    /** Whole records of these jobs; those that were deleted are left out. */
    async records(ids: readonly string[]): Promise<Job[]> {
      const found = await readFields(run, keys, ids);
      return ids.flatMap((id, i) => {
        const fields = found[i] ?? {};
        return fields['st'] ? [decodeRecord(id, fields)] : [];
      });
    },

    /** The position from which all lines behind `line` are found: lines that are no jobs only make it earlier. */
    positionBehind: (batch: Pick<BatchRecord, 'passed_over'>, line: number): number => Math.max(0, line - batch.passed_over),

    /** Lines that were left out, in chunks. */
    async *errors(id: string): AsyncGenerator<LineError[]> {
      for (let from = 0; ; from += ERRORS_AT_ONCE) {
        const texts = await redis.lrange(keys.batchErrors(id), from, from + ERRORS_AT_ONCE - 1);
        if (texts.length > 0) yield texts.map((text) => JSON.parse(text) as LineError);
        if (texts.length < ERRORS_AT_ONCE) return;
      }
    },

    /** Whether there is such a batch and it has not ended. */
    isLive: async (id: string): Promise<boolean> => {
      const status = (await redis.hget(keys.batch(id), 'st')) ?? undefined;
      return isThere(status) && !isBatchEnd(status ?? '');
    },
  };
}
