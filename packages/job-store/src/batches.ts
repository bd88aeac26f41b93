import { randomUUID } from 'node:crypto';
import {
  BATCH_EVENTS,
  type BatchDoc,
  type BatchEnd,
  type BatchRecord,
  type BatchResults,
  type BatchRound,
  eventId,
  isBatchEnd,
  type JobDoc,
  type JobRecord,
  type Status,
} from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { decodeBatch, newBatchFields } from './batch-codec.ts';
import { unpackDoc } from './doc-codec.ts';
import type { Keys } from './keys.ts';
import { createNewestFirst, type ListPlace } from './newest-first.ts';
import { pipelined } from './pipelined.ts';
import { decodeRecord, ownFields, sharedFields } from './record-codec.ts';
import type { RunScript } from './scripts.ts';
import { workId } from './works.ts';

/** A batch that has had no new line and no commit for this long is erased (design §6). */
const ERASE_AFTER_MS = 10 * 60_000;
/** Longer than a job can live (design §3). */
const IDEMPOTENCY_TTL_MS = 72 * 3600 * 1000;
/** Kind of the long work that reopens the failed jobs of a batch. */
const RETRY_WORK = 'batch-retry-failed';
/** Errors that are read in one go. */
const ERRORS_AT_ONCE = 1000;

/** The fields of a batch's job that differ from line to line, in the order in which they are sent. */
const OWN = ['q', 'exp', 'doc', 'cid', 'ln', 'pr'] as const;

/** A line that is to become a job. */
export interface NewLine {
  jobId: string;
  /** From 1. */
  line: number;
  customId: string;
  doc: JobDoc;
}

/** A line that was left out, and why. */
export interface LineError {
  line: number;
  custom_id: string | null;
  errors: readonly { pointer: string; message: string }[];
}

/** A job of a batch that still has to get its first entry. */
export interface Revealed {
  id: string;
  batch_id: string;
  turn: number;
  queue: 'call' | 'submit';
  priority: JobDoc['priority'];
}

/** The few fields of a batch's job that say whether it is worth reading. */
export interface LineHead {
  id: string;
  status: Status;
  line: number;
  finished_at: number | null;
  /** About what the record takes; for `inGroups`. */
  bytes: number;
}

/** What is coming in, and what of that is being erased, is seen by nobody. */
const isThere = (status: string | undefined): boolean => status !== undefined && status !== 'validating' && status !== 'erasing';

export type Batches = ReturnType<typeof createBatches>;

/**
 * Batches and the jobs in them. The counts are kept by the moves of the jobs (`lua/move.lua`, `lua/begin.lua`), so they
 * always add up to `total`; what touches many jobs goes in chunks, as long work (`works`).
 */
export function createBatches(redis: Redis, run: RunScript, keys: Keys, clock: { now(): number }) {
  const newestFirst = createNewestFirst(redis);
  const eraseWork = (id: string) => keys.work(workId('batch-erase', id));

  async function heads(ids: readonly string[]): Promise<LineHead[]> {
    const [replies, sizes] = await Promise.all([
      pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.job(id), 'st', 'ln', 'fin')),
      pipelined(redis, ids, (pipeline, id) => pipeline.hstrlen(keys.job(id), 'doc')),
    ]);
    return ids.flatMap((id, i) => {
      const [status, line, fin] = replies[i] as (string | null)[];
      const finished_at = fin ? Number(fin) : null;
      return status ? [{ id, status: status as Status, line: Number(line), finished_at, bytes: Number(sizes[i]) }] : [];
    });
  }

  return {
    /** A batch whose lines are coming in; nobody sees it. */
    async open(batch: { id: string; tenant: string; doc: BatchDoc; createdAt: number }): Promise<void> {
      const fields = Object.entries(newBatchFields(batch)).flat();
      const args = [batch.id, clock.now() + ERASE_AFTER_MS, ...fields];
      await run('batch-open', [keys.batch(batch.id), keys.works, eraseWork(batch.id)], args);
    },

    /**
     * Some lines become records that nobody sees yet. `from`: lines that were added before. At most 500 at a time, and
     * about a MiB, since one script writes them. `gone`: the batch was erased meanwhile.
     */
    async add(batch: { id: string; tenant: string }, from: number, lines: readonly NewLine[]): Promise<'ok' | 'gone'> {
      const createdAt = clock.now();
      const shared = { ...sharedFields({ tenant: batch.tenant, createdAt }), st: 'validating', batch: batch.id };
      const order = {
        id: batch.id,
        from,
        last: lines.at(-1)?.line ?? 0,
        erase_at: createdAt + ERASE_AFTER_MS,
        shared: Object.entries(shared).flat().map(String),
        own: OWN,
      };
      const args = lines.flatMap(({ jobId, line, customId, doc }) => {
        const { q, exp, doc: text } = ownFields({ doc, createdAt });
        return [jobId, q, exp, text, customId, line, doc.priority === 'normal' ? '' : doc.priority];
      });
      const reply = await run(
        'batch-add',
        [keys.batch(batch.id), keys.batchJobs(batch.id), keys.works, ...lines.map(({ jobId }) => keys.job(jobId))],
        [JSON.stringify(order), ...args],
      );
      return reply === 1 ? 'ok' : 'gone';
    },

    /** Lines that are left out, in the order of the body, a few hundred at a time. `gone`: the batch was erased meanwhile. */
    async noteInvalid(batch: { id: string }, errors: readonly LineError[]): Promise<'ok' | 'gone'> {
      if (errors.length === 0) return 'ok';
      const texts = errors.map((each) => JSON.stringify(each));
      return (await run('batch-note', [keys.batch(batch.id), keys.batchErrors(batch.id)], texts)) === 1 ? 'ok' : 'gone';
    },

    /** The end of the body: the batch is there. `gone`: it was erased meanwhile, or its claim is another's by now. */
    async commit(
      batch: { id: string; tenant: string },
      o: {
        total: number;
        invalid: number;
        /** Of its lines that say nothing else: what waits then expires at once, also of those that came last. */
        expiresInS: number;
        claim?: { route: string; key: string; by: string; fingerprint: string };
      },
    ): Promise<'ok' | 'gone'> {
      const now = clock.now();
      const order = {
        id: batch.id,
        now,
        total: o.total,
        invalid: o.invalid,
        exp: now + o.expiresInS * 1000,
        claim: o.claim && { by: o.claim.by, fingerprint: o.claim.fingerprint, ttl_ms: IDEMPOTENCY_TTL_MS },
      };
      const reply = await run(
        'batch-commit',
        [
          keys.batch(batch.id),
          keys.works,
          eraseWork(batch.id),
          keys.work(workId('batch-open', batch.id)),
          keys.work(workId('batch-expire', batch.id)),
          keys.tenantBatches(batch.tenant),
          keys.batchJobs(batch.id),
          o.claim ? keys.idempotency(batch.tenant, o.claim.route, o.claim.key) : keys.batch(batch.id),
        ],
        [JSON.stringify(order)],
      );
      return reply === 1 ? 'ok' : 'gone';
    },

    /** The request came to nothing: what was written of it is erased soon. */
    async discard(batch: { id: string }): Promise<void> {
      await run('batch-discard', [keys.works], [workId('batch-erase', batch.id), clock.now()]);
    },

    /** `null` also for a batch whose lines are still coming in. */
    async read(id: string): Promise<BatchRecord | null> {
      const fields = await redis.hgetall(keys.batch(id));
      return isThere(fields['st']) ? decodeBatch(id, fields) : null;
    },

    /** A tenant's batches, the newest first. */
    async page(o: {
      tenant: string;
      after: ListPlace | null;
      limit: number;
    }): Promise<{ batches: BatchRecord[]; next: ListPlace | null }> {
      const indexes = [keys.tenantBatches(o.tenant)];
      const { places, next } = await newestFirst.page({ indexes, behind: o.after, limit: o.limit });
      const ids = places.map(({ id }) => id);
      const found = await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.batch(id)));
      const batches = ids.flatMap((id, i) => {
        const fields = found[i] as Record<string, string>;
        return fields['st'] ? [decodeBatch(id, fields)] : [];
      });
      return { batches, next };
    },

    /** Ids of the jobs from place `from` on, in the order of their lines. */
    jobIds: (id: string, from: number, count: number): Promise<string[]> =>
      redis.lrange(keys.batchJobs(id), from, from + count - 1),

    /** Where each of these jobs stands; those that were deleted are left out. */
    heads,

    /** Whole records of these jobs; those that were deleted are left out. */
    async records(ids: readonly string[]): Promise<JobRecord[]> {
      const found = await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.job(id)));
      return ids.flatMap((id, i) => {
        const fields = found[i] as Record<string, string>;
        return fields['st'] && fields['st'] !== 'validating' ? [decodeRecord(id, fields)] : [];
      });
    },

    /** The place from which all lines behind `line` are found: lines that are no jobs only make it earlier. */
    placeBehind: (batch: Pick<BatchRecord, 'passed_over'>, line: number): number => Math.max(0, line - batch.passed_over),

    /** Lines that were left out, in chunks. */
    async *errors(id: string): AsyncGenerator<LineError[]> {
      for (let from = 0; ; from += ERRORS_AT_ONCE) {
        const texts = await redis.lrange(keys.batchErrors(id), from, from + ERRORS_AT_ONCE - 1);
        if (texts.length > 0) yield texts.map((text) => JSON.parse(text) as LineError);
        if (texts.length < ERRORS_AT_ONCE) return;
      }
    },

    /**
     * Some jobs of a committed batch take their turns and places in the lists; at most 500 at a time, since one script does
     * it. Answers those that need an entry, and whether the batch was being canceled by then: they are to be canceled instead.
     */
    async reveal(
      batch: Pick<BatchRecord, 'id' | 'tenant'>,
      ids: readonly string[],
      dueMs: number,
    ): Promise<{ canceling: boolean; revealed: Revealed[] }> {
      const order = { due: clock.now() + dueMs, tenant: batch.tenant };
      const [status, rows] = (await run(
        'batch-reveal',
        [keys.batch(batch.id), keys.due, keys.turns, keys.tenantJobs(batch.tenant), ...ids.map((id) => keys.job(id))],
        [JSON.stringify(order), ...ids],
      )) as [string | null, [string, Revealed['queue'], Revealed['priority']][]];
      const revealed = ids.flatMap((id, i) => {
        const [turn, queue, priority] = rows[i] ?? [];
        return turn === undefined || queue === undefined || priority === undefined
          ? []
          : [{ id, batch_id: batch.id, turn: Number(turn), queue, priority }];
      });
      return { canceling: status === 'canceling', revealed };
    },

    /**
     * Starts canceling the batch; its jobs are canceled by long work, and failed ones that are not reopened yet stay as they
     * are. Answers the status that it has then; `called_off`: it has ended, and the retry that was to come does not.
     */
    async cancel(id: string): Promise<BatchRecord['status'] | 'called_off' | null> {
      const works = ['batch-cancel', 'batch-finish', RETRY_WORK].map((kind) => keys.work(workId(kind, id)));
      const status = await run('batch-cancel', [keys.batch(id), keys.works, ...works], [id, clock.now()]);
      return status as BatchRecord['status'] | 'called_off' | null;
    },

    /** Has the jobs that have failed by now reopened, by long work. `false`: that is under way already. */
    async retryFailed(id: string, o: { includeUnknown: boolean }): Promise<boolean> {
      const now = clock.now();
      const work = workId(RETRY_WORK, id);
      // A cancel of before is not meant; one that comes from here on is.
      await redis.hdel(keys.batch(id), 'cx');
      const order = JSON.stringify({ batch_id: id, include_unknown: o.includeUnknown, before: now });
      return (await run('work-add', [keys.work(work), keys.works], [work, RETRY_WORK, order, now, ''])) === 1;
    },

    /** Whether a cancel was asked for since the last retry of its failed jobs; by no clock, as processes have their own. */
    isCalledOff: async (id: string): Promise<boolean> => (await redis.hexists(keys.batch(id), 'cx')) === 1,

    /** Whether failed jobs of it are still to be reopened. */
    isRetried: async (id: string): Promise<boolean> => (await redis.exists(keys.work(workId(RETRY_WORK, id)))) === 1,

    /**
     * The end of a round, with its owed webhook. `by`: who had the work that wrote the results. `false`: the round is over
     * already, or goes on, or a job has ended anew since that work was taken.
     */
    async finish(batch: BatchRecord, status: BatchEnd, results: BatchResults, by?: string): Promise<boolean> {
      const now = clock.now();
      const type = `batch.${status}` as const;
      const { webhook } = batch.doc;
      const delivery = webhook?.events.includes(type)
        ? { id: eventId(batch.id, batch.round, type), type, url: webhook.url }
        : undefined;
      const order = {
        id: batch.id,
        token: randomUUID(),
        now,
        tenant: batch.tenant,
        round: batch.round,
        by,
        canceling: batch.status === 'canceling',
        status,
        delivery,
      };
      const round: BatchRound = { status, counts: batch.counts, finished_at: now, results };
      const reply = await run(
        'batch-finish',
        [
          keys.batch(batch.id),
          delivery ? keys.delivery(delivery.id) : keys.batch(batch.id),
          keys.tenantDeliveries(batch.tenant),
          keys.dueDeliveries,
          keys.endedBatches,
          keys.work(workId('batch-finish', batch.id)),
        ],
        [JSON.stringify(order), JSON.stringify(results), JSON.stringify(round)],
      );
      return reply === 1;
    },

    /** Another results file takes the place of that of a round. `false`: the round has another one by now. */
    async replaceResults(batch: Pick<BatchRecord, 'id'>, round: number, before: BatchRound, results: BatchResults) {
      const kept: BatchRound = { ...before, results };
      const args = [round, before.results.key, JSON.stringify(kept), JSON.stringify(results)];
      return (await run('batch-replace', [keys.batch(batch.id)], args)) === 1;
    },

    /**
     * Erases some jobs of a batch that was never committed; from the first call on, which may name none, it cannot be.
     * `false`: it was committed.
     */
    erase: async (id: string, ids: readonly string[]): Promise<boolean> =>
      (await run('batch-erase', [keys.batch(id), ...ids.map((each) => keys.job(each))], [])) === 1,

    /** Large inputs of jobs that nobody sees, so that they can be erased with them. */
    async docs(ids: readonly string[]): Promise<JobDoc[]> {
      const texts = await pipelined(redis, ids, (pipeline, id) => pipeline.hget(keys.job(id), 'doc'));
      return texts.flatMap((text) => (typeof text === 'string' ? [unpackDoc(text)] : []));
    },

    /** Forgets a batch that was never committed; its jobs have a life of their own. */
    async forget(batch: { id: string }): Promise<void> {
      await redis.del(keys.batch(batch.id), keys.batchJobs(batch.id), keys.batchErrors(batch.id));
    },

    /**
     * Erases an ended batch, its places in the lists and its webhooks but those still owed: they go out without the batch.
     * Its jobs have a life of their own. `false`: it was reopened since it was read, or is gone.
     */
    async eraseEnded(batch: Pick<BatchRecord, 'id' | 'tenant' | 'round'>): Promise<boolean> {
      const events = Array.from({ length: batch.round }, (_, i) => i + 1).flatMap((round) =>
        BATCH_EVENTS.map((type) => eventId(batch.id, round, type)),
      );
      const reply = await run(
        'batch-forget',
        [
          keys.batch(batch.id),
          keys.batchJobs(batch.id),
          keys.batchErrors(batch.id),
          keys.tenantBatches(batch.tenant),
          keys.endedBatches,
          keys.tenantDeliveries(batch.tenant),
          keys.dueDeliveries,
          ...events.map((id) => keys.delivery(id)),
        ],
        [batch.id, batch.round, ...events],
      );
      return reply === 1;
    },

    /** Whether there is such a batch and it has not ended. */
    isLive: async (id: string): Promise<boolean> => {
      const status = (await redis.hget(keys.batch(id), 'st')) ?? undefined;
      return isThere(status) && !isBatchEnd(status ?? '');
    },

    /** Batches that ended before `time`, the oldest first but `skip` of them. */
    endedBefore: (time: number, o: { skip: number; limit: number }): Promise<string[]> =>
      redis.zrange(keys.endedBatches, '-inf', String(time), 'BYSCORE', 'LIMIT', o.skip, o.limit),

    async forgetEnded(id: string): Promise<void> {
      await redis.zrem(keys.endedBatches, id);
    },
  };
}
