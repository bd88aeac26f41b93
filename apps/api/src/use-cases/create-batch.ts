import type { Batches, Claims, MemoryWatch, Usage } from '@grsai-jobs/job-store';
import {
  type BatchDoc,
  type BatchRecord,
  batchId,
  type JobRequest,
  LIMITS,
  NO_BATCH_COST,
  type QueueMessage,
} from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import { redisTrouble } from '@grsai-jobs/redis';
import type { Clock, Logger, SliceQueue, Slices, Timers } from '@grsai-jobs/runtime';
import { type BatchRefusal, BatchRefused, createBatchWriter, type WriterParts } from './batch-writer.ts';
import type { WarningsOf } from './check-request.ts';
import type { NudgeOperations } from './nudge-operations.ts';
import { createReadItem, type RawItem, type RawItems, type ReadItem, type ReadItemBy, type ReadItemParts } from './read-item.ts';
import { type BadLine, createBadLines, createLineWarnings, type WarnedLine } from './reported-lines.ts';
import { modelProblems, type TenantRulesOf } from './tenant-limits.ts';

/** What a bad line does: nothing is accepted, or the others are. */
export type OnInvalid = 'reject' | 'skip';

/** A batch as it comes in. */
export interface BatchUpload {
  tenant: string;
  /** The API key that sends it. */
  keyId: string;
  requestId: string;
  doc: BatchDoc;
  /** Left out: a new one. */
  id?: string;
  /** How an item becomes a job; left out: as `POST /v1/jobs` reads its body. */
  readItem?: ReadItemBy;
  items: RawItems;
  onInvalid: OnInvalid;
  /** `fingerprint` is asked for when the items have been read to their end. */
  idempotency?: { key: string; fingerprint: () => string };
}

/** What the batch is made with, its defaults filled in. */
export const batchDoc = (o: {
  webhook?: BatchDoc['webhook'];
  metadata: Record<string, string>;
  priority?: BatchDoc['priority'] | undefined;
  expires_in_s?: number | undefined;
}): BatchDoc => ({
  ...(o.webhook ? { webhook: o.webhook } : {}),
  metadata: o.metadata,
  priority: o.priority ?? 'normal',
  expires_in_s: o.expires_in_s ?? LIMITS.expiresInS.default,
  output: { url_ttl_s: LIMITS.urlTtlS.default },
});

interface AcceptedBatch {
  batch: BatchRecord;
  replayed: boolean;
  invalid: { count: number; errors: readonly BadLine[] };
  /** Of a batch that was read just now. */
  warnings?: { count: number; lines: readonly WarnedLine[] };
}

/** Rejects with what reading the items threw. */
export type CreateBatch = (upload: BatchUpload) => Promise<({ kind: 'accepted' } & AcceptedBatch) | BatchRefusal>;

const ROUTE = 'POST /v1/batches';
/** Well within the lease of a claim. */
const RENEW_MS = 20_000;

const NOTHING_INVALID = { count: 0, errors: [] };

export interface CreateBatchParts extends WriterParts, ReadItemParts {
  tenants: Pick<TenantRulesOf, 'rules' | 'allowance'>;
  batches: Pick<Batches, 'open' | 'add' | 'noteInvalid' | 'commit' | 'discardSoon' | 'read'>;
  claims: Claims;
  memory: Pick<MemoryWatch, 'tight'>;
  usage: Pick<Usage, 'check'>;
  producer: Pick<Producer, 'enqueueLetIn'>;
  nudge: NudgeOperations;
  warningsOf: WarningsOf;
  slices: SliceQueue;
  clock: Clock;
  timers: Pick<Timers, 'every'>;
  log: Logger;
}

/**
 * Reads a batch to its end and commits it with one script. Whatever goes wrong before that leaves nothing
 * that anyone sees: what was written is erased by `maintain`, and the Idempotency-Key is free again.
 */
export function createCreateBatch(o: CreateBatchParts): CreateBatch {
  type Batch = { id: string; tenant: string; keyId: string; createdAt: number };
  type Claim = { tenant: string; route: string; key: string; by: string };

  async function note(batch: Batch, lines: readonly BadLine[]): Promise<void> {
    if ((await o.batches.noteInvalid(batch, lines)) === 'gone') throw new BatchRefused({ kind: 'given_up' });
  }

  async function readItems(
    upload: BatchUpload,
    batch: Batch,
  ): Promise<Pick<AcceptedBatch, 'invalid' | 'warnings'> & { total: number }> {
    const skips = upload.onInvalid === 'skip';
    const slices = o.slices.of(upload.tenant);
    const rules = await o.tenants.rules(batch.tenant);
    const check = (request: JobRequest) => [...o.check(request), ...modelProblems(rules, request)];
    const read = upload.readItem?.({ check }, slices) ?? createReadItem({ check }, upload.doc, slices);
    const writer = createBatchWriter(o, batch);
    const bad = createBadLines(skips ? (lines) => note(batch, lines) : null);

    const warned = createLineWarnings();

    function keep(raw: RawItem, item: ReadItem): Promise<void> | undefined {
      if ('errors' in item) return bad.add({ line: raw.line, ...item });
      // Nothing more is written once it is known that all is refused, but each bad line is reported.
      if (!skips && bad.count() > 0) return;
      warned.add({ line: raw.line, custom_id: item.customId, warnings: o.warningsOf(item.request) });
      return writer.put({ line: raw.line, bytes: raw.bytes, ...item });
    }

    function take(raw: RawItem): Promise<void> | undefined {
      const item = read(raw);
      return item instanceof Promise ? item.then((each) => keep(raw, each)) : keep(raw, item);
    }

    try {
      await inSlices(upload.items, take, slices);
      if (!skips && bad.count() > 0) throw refuseItems(bad);
      const total = await writer.end();
      if (total === 0) throw refuseItems(bad);
      await bad.flush();
      return { total, invalid: bad.shown(), warnings: warned.shown() };
    } finally {
      await writer.settled();
    }
  }

  async function commit(upload: BatchUpload, batch: Batch, claim: Claim | null, counts: { total: number; invalid: number }) {
    const committed = await o.batches.commit(batch, {
      ...counts,
      queued: (await o.tenants.rules(batch.tenant)).maxQueued,
      expiresInS: upload.doc.expires_in_s,
      ...(claim && upload.idempotency ? { claim: { ...claim, fingerprint: upload.idempotency.fingerprint() } } : {}),
    });
    if (committed.kind === 'gone') throw new BatchRefused({ kind: 'given_up' });
    if (committed.kind !== 'ok') throw new BatchRefused(committed);
    await publish(batch, committed.letIn);
    o.nudge();
  }

  /** An entry that could not be added is added by a repair. */
  async function publish(batch: Batch, letIn: readonly QueueMessage[]): Promise<void> {
    if (letIn.length === 0) return;
    await o.producer.enqueueLetIn(letIn).catch((err: unknown) => {
      o.log.warn(
        { event: 'job.entry_missing', err, batch_id: batch.id, job_ids: letIn.map(({ id }) => id) },
        'the first lines of a batch have no queue entries; a periodic task adds them',
      );
    });
  }

  /** A batch that came to nothing. Where Redis does not answer, what is left is erased, and its key free, by itself. */
  async function giveUp(batch: Batch, claim: Claim | null): Promise<void> {
    const left = (err: unknown) =>
      o.log.warn(
        { event: 'batch.orphaned', err, batch_id: batch.id },
        'a batch that came to nothing is erased when its time is over',
      );
    await o.batches.discardSoon(batch).catch(left);
    if (claim) await o.claims.free(claim).catch(left);
  }

  async function accept(upload: BatchUpload, batch: Batch, claim: Claim | null): Promise<AcceptedBatch> {
    let committing = false;
    try {
      const refused = await o.usage.check(batch.tenant, await o.tenants.allowance(batch.tenant));
      if (refused !== null) throw new BatchRefused(refused);
      await o.batches.open({ ...batch, doc: upload.doc });
      const { total, invalid, warnings } = await readItems(upload, batch);
      committing = true;
      await commit(upload, batch, claim, { total, invalid: invalid.count });
      o.log.info(
        {
          event: 'batch.accepted',
          batch_id: batch.id,
          request_id: upload.requestId,
          tenant: batch.tenant,
          total,
          invalid: invalid.count,
        },
        'batch accepted',
      );
      return {
        batch: (await o.batches.read(batch.id).catch(() => null)) ?? fresh(upload, batch, total, invalid.count),
        replayed: false,
        invalid,
        ...(warnings ? { warnings } : {}),
      };
    } catch (error) {
      // It may be there; whoever sends it again with the same key gets the answer.
      if (committing && redisTrouble(error) === 'lost') throw error;
      await giveUp(batch, claim);
      throw error;
    }
  }

  /** Reads the body to its end, since only then it is known whether it is the same. */
  async function replay({ items, idempotency }: BatchUpload, made: { id: string; fingerprint: string }): Promise<AcceptedBatch> {
    for await (const _group of items);
    if (idempotency?.fingerprint() !== made.fingerprint) throw new BatchRefused({ kind: 'key_reused' });
    const batch = await o.batches.read(made.id);
    if (batch === null) throw new BatchRefused({ kind: 'gone', id: made.id });
    return { batch, replayed: true, invalid: { ...NOTHING_INVALID, count: batch.invalid } };
  }

  async function acceptOrReplay(upload: BatchUpload): Promise<AcceptedBatch> {
    if (o.memory.tight()) throw new BatchRefused({ kind: 'full' });
    const createdAt = o.clock.now();
    const batch = { id: upload.id ?? batchId(o.newUlid(createdAt)), tenant: upload.tenant, keyId: upload.keyId, createdAt };
    if (upload.idempotency === undefined) return await accept(upload, batch, null);
    const key = { tenant: upload.tenant, route: ROUTE, key: upload.idempotency.key };
    const claimed = await o.claims.claim(key);
    if (claimed.kind === 'replay') return await replay(upload, claimed);
    if (claimed.kind === 'open') throw new BatchRefused({ kind: 'key_in_use' });
    const claim = { ...key, by: claimed.by };
    const endRenewing = o.timers.every(RENEW_MS, () => void o.claims.renew(claim).catch(() => undefined));
    try {
      return await accept(upload, batch, claim);
    } finally {
      endRenewing();
    }
  }

  return async (upload) => {
    try {
      return { kind: 'accepted', ...(await acceptOrReplay(upload)) };
    } catch (error) {
      if (error instanceof BatchRefused) return error.refusal;
      throw error;
    }
  };
}

const refuseItems = (bad: ReturnType<typeof createBadLines>): BatchRefused =>
  new BatchRefused(
    bad.count() === 0 ? { kind: 'no_items' } : { kind: 'invalid_items', count: bad.count(), errors: bad.errors() },
  );

/** One item after another; other requests have their turn in between. Waits only where there is something to wait for. */
async function inSlices(items: RawItems, take: (item: RawItem) => Promise<void> | undefined, slices: Slices): Promise<void> {
  for await (const group of items) {
    for (const item of group) {
      const taking = take(item);
      if (taking !== undefined) await taking;
      if (slices.over()) await slices.next();
    }
  }
}

/** The batch as its commit has just left it, for when it cannot be read back. */
const fresh = (
  { doc }: BatchUpload,
  batch: { id: string; tenant: string; createdAt: number },
  total: number,
  invalid: number,
): BatchRecord => ({
  id: batch.id,
  tenant: batch.tenant,
  status: 'running',
  counts: { total, queued: total, running: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0 },
  unknown: 0,
  cost: NO_BATCH_COST,
  round: 1,
  doc,
  invalid,
  passed_over: 0,
  created_at: batch.createdAt,
  finished_at: null,
  expires_at: batch.createdAt + doc.expires_in_s * 1000,
  results: null,
  past: {},
  webhook: { state: 'none', last_delivery_id: null },
});
