import { type BatchSource, batchBody, type SendProgress } from './batch-body.ts';
import { canGzip, canStreamRequests } from './bytes.ts';
import { type CallOptions, within, withinStream } from './deadline.ts';
import { ConflictError } from './errors.ts';
import { newIdempotencyKey } from './idempotency-key.ts';
import { numberedLines } from './numbered-lines.ts';
import { listOf, metadataQuery, type Pages } from './pages.ts';
import { pathOf } from './paths.ts';
import { BATCH_ENDED } from './results.ts';
import { OUTAGE_MS } from './retry-policy.ts';
import type { Transport } from './transport.ts';
import type { AcceptedBatch, Batch, BatchLineError, BatchResult, RetriedBatch } from './types.ts';

export interface CreateBatchOptions extends CallOptions {
  /**
   * 1–255 visible ASCII characters. The same key, items and options make one batch, for 72 hours, so a process that died while it
   * sent goes on by the same call; a new key by default.
   */
  idempotencyKey?: string | undefined;
  /** `reject` (default): one bad item, and nothing is taken; `skip`: the others are. */
  on_invalid?: 'reject' | 'skip' | undefined;
  /** Is told of the end of the batch. */
  webhook_url?: string | undefined;
  webhook_events?: readonly string[] | undefined;
  /** Of items that name none. */
  priority?: 'low' | 'normal' | 'high' | undefined;
  /** Of items that name none, in seconds. */
  expires_in_s?: number | undefined;
  /** Of the batch. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Whether what is sent is packed; by default where the runtime can. The service takes no body that unpacks to 200 times its size. */
  gzip?: boolean | undefined;
  /** How far the items have been read. */
  onProgress?: ((progress: SendProgress) => void) | undefined;
}

export interface WaitForBatchOptions extends CallOptions {
  /** The batch, each time that its counts have changed. */
  onProgress?: ((batch: Batch) => void) | undefined;
  /** Milliseconds for which the service may be away without a break before the wait rejects (default 10 min). */
  outageMs?: number | undefined;
}

export interface ResultsOptions extends CallOptions {
  status?: BatchResult['status'] | readonly BatchResult['status'][] | undefined;
  /** The results of later lines alone. */
  after_line?: number | undefined;
  /** Milliseconds for which the service may be away without a break (default: 10 min once results have begun to come). */
  outageMs?: number | undefined;
}

export interface RetryFailedOptions extends CallOptions {
  /** Also jobs that may have been paid for: they are submitted, and paid, again (default false). */
  include_unknown?: boolean | undefined;
  /** Whether to wait until the batch has begun its next round (default true); a wait before that would see the end of the last. */
  begun?: boolean | undefined;
  /** The same key orders one retry, until the next one; a new key by default. */
  idempotencyKey?: string | undefined;
}

export interface Batches {
  /**
   * Sends many jobs, as their items come, packed where the runtime can. They are taken all together when this resolves, and none
   * of them when it rejects with a refusal. Sent again by itself under one Idempotency-Key where the answer was lost.
   */
  create(items: BatchSource, options?: CreateBatchOptions): Promise<AcceptedBatch>;
  get(id: string, options?: CallOptions): Promise<Batch>;
  /** The newest first. */
  list(filter?: { limit?: number | undefined; cursor?: string | undefined }, options?: CallOptions): Pages<Batch>;
  /** Asks until the batch has ended, over restarts of the service; resolves however it ended. */
  wait(id: string, options?: WaitForBatchOptions): Promise<Batch>;
  /** The jobs that have ended, by line; goes on where it was cut. While the batch runs, a job of an earlier line can still end. */
  results(id: string, options?: ResultsOptions): AsyncGenerator<BatchResult, void, undefined>;
  /** The same as lines of JSON without their ends, byte for byte as the service has them: what is read as JavaScript loses digits of numbers. */
  resultLines(id: string, options?: ResultsOptions): AsyncGenerator<string, void, undefined>;
  /** The lines that `on_invalid: 'skip'` left out. */
  errors(id: string, options?: CallOptions): AsyncGenerator<BatchLineError, void, undefined>;
  cancel(id: string, options?: CallOptions): Promise<Batch>;
  /**
   * Runs the failed jobs again. Resolves when the batch has begun its next round, which is what `wait` then waits for; rejects with
   * {@link ConflictError} (`retry_called_off`) when the retry is canceled before.
   */
  retryFailed(id: string, options?: RetryFailedOptions): Promise<RetriedBatch>;
}

/** The service gives the body ten minutes. */
const UPLOAD_MS = 660_000;
const FIRST_POLL_MS = 500;
const LAST_POLL_MS = 5_000;

export function createBatches(transport: Transport): Batches {
  const get = async (id: string, signal: AbortSignal, outageMs?: number) =>
    await transport.request<Batch>('GET', pathOf('batches', id), {
      signal,
      ...(outageMs === undefined ? {} : { patience: { outageMs } }),
    });

  const resultRows = (id: string, { status, after_line = 0, outageMs, ...call }: ResultsOptions) =>
    withinStream(call, (signal) =>
      numberedLines<BatchResult>(transport, `${pathOf('batches', id)}/results`, { status }, after_line, { signal, outageMs }),
    );

  return {
    create: async (items, { idempotencyKey, gzip = true, onProgress, metadata, signal, timeoutMs, ...query } = {}) =>
      await within({ signal, timeoutMs }, async (during) => {
        const key = newIdempotencyKey(idempotencyKey);
        const body = await batchBody(items, during, onProgress, { gzip: gzip && canGzip(), streams: canStreamRequests() });
        try {
          const { value } = await transport.request<AcceptedBatch>('POST', '/v1/batches', {
            signal: during,
            query: { ...query, ...metadataQuery(metadata) },
            body,
            headers: body.headers,
            idempotencyKey: key,
            tryMs: UPLOAD_MS,
          });
          return value;
        } finally {
          body.close();
        }
      }),
    get: async (id, call = {}) => await within(call, async (signal) => (await get(id, signal)).value),
    list: (filter = {}, call = {}) => listOf<Batch>(transport, '/v1/batches', { ...filter }, call),
    wait: async (id, { onProgress, outageMs = OUTAGE_MS, ...call } = {}) =>
      await within(call, async (signal) => {
        let counts = '';
        for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LAST_POLL_MS, pollMs * 1.5)) {
          const { value: batch, retryAfterMs = 0 } = await get(id, signal, outageMs);
          const now = JSON.stringify([batch.status, batch.counts]);
          if (now !== counts) onProgress?.(batch);
          counts = now;
          if (BATCH_ENDED.has(batch.status)) return batch;
          await transport.sleep(Math.max(retryAfterMs, pollMs * (0.75 + transport.random() / 2)), signal);
        }
      }),
    results: (id, options = {}) => each(resultRows(id, options), ({ value }) => value),
    resultLines: (id, options = {}) => each(resultRows(id, options), ({ text }) => text),
    errors: (id, call = {}) =>
      withinStream(call, (signal) =>
        each(
          numberedLines<BatchLineError>(transport, `${pathOf('batches', id)}/errors`, {}, 0, { signal }),
          ({ value }) => value,
        ),
      ),
    cancel: async (id, call = {}) =>
      await within(
        call,
        async (signal) => (await transport.request<Batch>('POST', `${pathOf('batches', id)}/cancel`, { signal })).value,
      ),
    retryFailed: async (id, { include_unknown = false, begun = true, idempotencyKey, ...call } = {}) =>
      await within(call, async (signal) => {
        const o = { signal, json: { include_unknown }, idempotencyKey: newIdempotencyKey(idempotencyKey) };
        const path = `${pathOf('batches', id)}/retry-failed`;
        const { value: retried } = await transport.request<RetriedBatch>('POST', path, o);
        let batch: Batch = retried;
        // The service reopens it behind its answer.
        while (begun && batch.round < retried.in_round) {
          await transport.sleep(FIRST_POLL_MS, signal);
          const now = await get(id, signal, OUTAGE_MS);
          batch = now.value;
          // While something is still to come of an ended batch it says when to come again.
          if (batch.round < retried.in_round && now.retryAfterMs === undefined) throw calledOff(id);
        }
        return { ...retried, ...batch };
      }),
  };
}

const calledOff = (id: string): ConflictError =>
  new ConflictError({
    code: 'retry_called_off',
    detail: `The retry of ${id} was over before a job ran again: it was canceled, or none of its failed jobs was left.`,
  });

async function* each<T, R>(rows: AsyncIterable<T>, map: (row: T) => R): AsyncGenerator<R, void, undefined> {
  for await (const row of rows) yield map(row);
}
