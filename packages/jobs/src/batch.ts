import { viewCost } from './cost/cost.ts';
import type { JobDoc } from './doc.ts';
import type { BatchEvent, JobEvent } from './events.ts';
import type { JobRecord } from './job/job.ts';
import { rfc3339 } from './rfc3339.ts';
import { linkView, resultView, type SignLink } from './view.ts';
import { viewWaiting, type Waiting } from './waiting.ts';

/** What callers see of a batch's way. `validating` is what nobody sees: its lines are still coming in. */
export const BATCH_STATUSES = ['running', 'canceling', 'completed', 'canceled', 'expired'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

export const BATCH_ENDS = ['completed', 'canceled', 'expired'] as const satisfies readonly BatchStatus[];
export type BatchEnd = (typeof BATCH_ENDS)[number];

export const isBatchEnd = (status: string): status is BatchEnd => (BATCH_ENDS as readonly string[]).includes(status);

/** Job statuses as a batch counts them; `canceling` counts as running. */
export const COUNTED = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired'] as const;

/** The six always add up to `total`. */
export type BatchCounts = Record<(typeof COUNTED)[number] | 'total', number>;

/** What a batch was made with, beside its lines. `priority` and `expires_in_s` are what its items have unless they say otherwise. */
export interface BatchDoc {
  webhook?: { url: string; events: (BatchEvent | JobEvent)[] } | undefined;
  metadata: Record<string, string>;
  priority: JobDoc['priority'];
  expires_in_s: number;
  output: { url_ttl_s: number };
}

/** The results of a round as one file in the object store. */
export interface BatchResults {
  key: string;
  bytes: number;
  sha256: string;
}

/** What is kept of a round. */
export interface BatchRound {
  status: BatchEnd;
  counts: BatchCounts;
  finished_at: number;
  results: BatchResults;
}

/** A batch in Redis. Times are milliseconds since 1970. */
export interface BatchRecord {
  id: string;
  tenant: string;
  status: BatchStatus | 'validating';
  counts: BatchCounts;
  /** Failed jobs of which nobody knows whether their submit made a task; part of `counts.failed`. */
  unknown: number;
  /** What its jobs have come to, in credits; `null`: none of them has come to it. */
  cost: { charged: number | null; refunded: number | null; reserved: number | null; isGuess: boolean };
  /** 1, and one more for each time that an ended batch is reopened. */
  round: number;
  doc: BatchDoc;
  /** Lines that were left out (`on_invalid=skip`). */
  invalid: number;
  /** Lines up to the last job that are none: left out, or blank. */
  passed_over: number;
  created_at: number;
  finished_at: number | null;
  expires_at: number;
  results: BatchResults | null;
  past: Record<number, BatchRound>;
  webhook: { state: JobRecord['webhook']['state']; last_delivery_id: string | null };
}

/** How a batch ends whose last live job has ended. Only the first round has a time of its own; a retry is not late. */
export function endOfBatch(batch: Pick<BatchRecord, 'status' | 'counts' | 'expires_at' | 'round'>, now: number): BatchEnd {
  if (batch.status === 'canceling') return 'canceled';
  return batch.round === 1 && batch.counts.expired > 0 && now >= batch.expires_at ? 'expired' : 'completed';
}

/** Of a batch whose calls have not begun. */
export const NO_BATCH_COST: BatchRecord['cost'] = { charged: null, refunded: null, reserved: null, isGuess: false };

/** `null`: no call of a job with a price has begun. */
function viewBatchCost({ status, cost: { reserved, ...cost } }: Pick<BatchRecord, 'status' | 'cost'>) {
  if (reserved === null) return null;
  return viewCost({ ...cost, reserved, isOpen: reserved > 0 && !isBatchEnd(status) });
}

/** A batch as callers see it. The link of the results file is signed afresh each time. */
export async function viewBatch(batch: BatchRecord, sign: SignLink, waiting?: Waiting | null) {
  const self = `/v1/batches/${batch.id}`;
  const ttlS = batch.doc.output.url_ttl_s;
  const { results } = batch;
  return {
    id: batch.id,
    object: 'batch' as const,
    status: batch.status,
    counts: batch.counts,
    waiting: viewWaiting(waiting),
    round: batch.round,
    cost: viewBatchCost(batch),
    invalid_count: batch.invalid,
    metadata: batch.doc.metadata,
    webhook: batch.doc.webhook
      ? { ...batch.doc.webhook, state: batch.webhook.state, last_delivery_id: batch.webhook.last_delivery_id }
      : { url: null, events: [], state: 'none' as const, last_delivery_id: null },
    results_file:
      results === null
        ? null
        : {
            ...(await linkView(results.key, ttlS, sign)),
            content_type: 'application/x-ndjson',
            bytes: results.bytes,
            sha256: results.sha256,
            key: results.key,
          },
    created_at: rfc3339(batch.created_at),
    finished_at: rfc3339(batch.finished_at),
    expires_at: rfc3339(batch.expires_at),
    links: {
      self,
      results: `${self}/results`,
      errors: `${self}/errors`,
      ...(isBatchEnd(batch.status) ? {} : { cancel: `${self}/cancel` }),
      retry_failed: `${self}/retry-failed`,
      jobs: `/v1/jobs?batch_id=${batch.id}`,
    },
  };
}

/** The same as operators see it, who read batches of all tenants and change none. */
export async function viewAdminBatch(batch: BatchRecord, sign: SignLink, waiting?: Waiting | null) {
  const { links: _ofTenant, ...view } = await viewBatch(batch, sign, waiting);
  const links = { self: `/admin/v1/batches/${batch.id}`, jobs: `/admin/v1/jobs?batch_id=${batch.id}` };
  return { ...view, tenant: batch.tenant, links };
}

export type BatchView = Awaited<ReturnType<typeof viewBatch>>;

/** A line of the results: what became of one line of the batch. */
export async function batchRow(job: JobRecord, sign: SignLink) {
  return {
    line: job.line,
    custom_id: job.custom_id,
    job_id: job.id,
    status: job.status,
    run: job.run,
    result: await resultView(job.output, job.doc.output.url_ttl_s, sign),
    error: job.error,
    finished_at: rfc3339(job.finished_at),
  };
}

export type BatchRow = Awaited<ReturnType<typeof batchRow>>;
