import { Readable } from 'node:stream';
import type { JobStore } from '@grsai-jobs/job-store';
import { endpointNameOf, inGroups } from '@grsai-jobs/job-store';
import { type BatchRecord, batchRow, endOfBatch, eventId, isTerminal, objectFolder, type SignLink } from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { DoSlice } from '../run-operations.ts';
import { livingBatch, SLICE } from './slices.ts';

/** Rows that are in memory at once while the file is written. */
const ROWS_AT_ONCE = 50;

const RETRIED_WAIT_MS = 1000;

interface Deps {
  store: Pick<JobStore, 'batches'>;
  producer: Pick<Producer, 'enqueueDelivery'>;
  objects: Pick<ObjectStore, 'put' | 'delete'>;
  /** In front of every key in the bucket. */
  keyPrefix: string;
  signLink: SignLink;
  clock: Clock;
  log: Logger;
}

/**
 * The last job of a round has ended: its results are stored as one file, and then the batch ends with its pending delivery. Each worker that holds the operation writes a file of its own, so that one that was frozen never writes over the other's.
 */
export const finishBatch =
  (d: Deps): DoSlice =>
  async (operation) => {
    const batch = await livingBatch(d, operation.order, ['running', 'canceling']);
    if (batch === null || batch.counts.queued + batch.counts.running > 0) return { done: true };
    // What a retry has reopened may end before it has reopened the others; the round is over with the last of all.
    if (await d.store.batches.isBeingRetried(batch.id)) return { done: false, cursor: null, waitMs: RETRIED_WAIT_MS };
    const key = `${objectFolder(d.keyPrefix, batch)}/results-${batch.round}-${operation.by.slice(0, 8)}.ndjson`;
    const stored = await d.objects.put(key, Readable.from(rows(d, batch)), { contentType: 'application/x-ndjson' });
    const status = endOfBatch(batch, d.clock.now());
    const results = { key, bytes: stored.bytes, sha256: stored.sha256 };
    if (!(await d.store.batches.finish(batch, status, results, operation.by))) {
      // A job was reopened meanwhile; when it has ended the operation exists again, with another worker or none yet.
      await d.objects
        .delete([key])
        .catch((err: unknown) =>
          d.log.warn({ event: 'batch.file_orphaned', err, key }, 'a file that is no longer needed was not deleted'),
        );
      return { done: true };
    }
    d.log.info(
      { event: 'batch.ended', batch_id: batch.id, tenant: batch.tenant, status, round: batch.round, ...batch.counts },
      `batch ${status}`,
    );
    const type = `batch.${status}` as const;
    const { webhook } = batch.doc;
    if (webhook?.events.includes(type)) {
      const endpoint = endpointNameOf(batch.tenant, webhook.url);
      await d.producer.enqueueDelivery({ id: eventId(batch.id, batch.round, type), step: 1, endpoint });
    }
    return { done: true };
  };

async function* rows(d: Deps, batch: BatchRecord): AsyncGenerator<Buffer> {
  for (let at = 0; ; at += SLICE) {
    const ids = await d.store.batches.jobIds(batch.id, at, SLICE);
    const heads = (await d.store.batches.heads(ids)).filter(({ status }) => isTerminal(status));
    for (const group of inGroups(heads, ROWS_AT_ONCE)) {
      const records = await d.store.batches.records(group.map(({ id }) => id));
      const ended = records.filter(({ status }) => isTerminal(status));
      const lines = await Promise.all(ended.map(async (record) => `${JSON.stringify(await batchRow(record, d.signLink))}\n`));
      if (lines.length > 0) yield Buffer.from(lines.join(''));
    }
    if (ids.length < SLICE) return;
  }
}
