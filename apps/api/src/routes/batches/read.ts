import type { Batches, Rooms } from '@grsai-jobs/job-store';
import { BATCH_ID, batchRow, isBatchEnd, type SignLink, TERMINAL, viewBatch } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import { oneOf, PageQuery, readCursor, single, writeCursor } from '../../http/list-query.ts';
import { ownBatch } from '../../http/named.ts';
import { comeBack, json, LINES, listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { sendNdjson } from '../../http/send-ndjson.ts';
import { validate } from '../../http/validate.ts';
import { batchRows } from '../../use-cases/batch-rows.ts';
import { whyBatchesWait } from '../../use-cases/why-waiting.ts';
import { completedBatch, errorLines, resultLines, runningBatch } from './examples.ts';
import { ofOneBatch, oneBatch } from './one-batch.ts';
import { Batch } from './schemas.ts';

/** What a caller reads of its batches. */

/** The query of `GET /v1/batches`. */
const BatchListQuery = z.strictObject(PageQuery);

/** The query of `GET /v1/batches/{id}/results`. */
const ResultsQuery = z.strictObject({
  status: oneOf(TERMINAL).optional().meta({ example: 'failed,expired' }).describe('one or more, separated by commas'),
  after_line: z
    .string()
    .regex(/^\d{1,6}$/, 'must be the number of a line')
    .transform(Number)
    .default(0)
    .meta({ example: '100' })
    .describe('only lines behind this one'),
});

/** An answer of lines. */
const ndjson = (description: string, example: string) => ({
  description,
  content: { 'application/x-ndjson': { schema: LINES, example } },
});

export const listBatches = route({
  method: 'get',
  path: '/v1/batches',
  scope: 'jobs:read',
  operation: {
    operationId: 'listBatches',
    summary: 'List batches, the newest first',
    requestParams: { query: BatchListQuery },
    responses: {
      '200': json(listOf(Batch), 'A page; `next_cursor` is null on the last one', listExample(runningBatch, completedBatch)),
      ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'page'>; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const { limit, cursor } = validate(BatchListQuery, Object.fromEntries(single(request.query)));
      const after = cursor === undefined ? null : readCursor(cursor);
      const { batches, next } = await o.batches.page({ tenant: principalOf(response).tenant, after, limit });
      const why = await whyBatchesWait(o.rooms, batches);
      const data = await Promise.all(batches.map((batch) => viewBatch(batch, o.sign, why.get(batch.id))));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});

export const readBatch = route({
  method: 'get',
  path: '/v1/batches/{id}',
  scope: 'jobs:read',
  operation: {
    operationId: 'getBatch',
    summary: 'Read a batch',
    requestParams: oneBatch,
    responses: {
      '200': {
        ...json(Batch, 'The batch', runningBatch, completedBatch),
        headers: z.object({ 'Retry-After': comeBack.optional() }),
      },
      ...refusals(...ofOneBatch),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'read' | 'isBeingRetried'>; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      // Asked first: a retry that is over by then has begun its round, or never will.
      const isRetried = BATCH_ID.test(request.params.id) && (await o.batches.isBeingRetried(request.params.id));
      const batch = await ownBatch(o.batches, request.params.id, response);
      if (isRetried || !isBatchEnd(batch.status)) response.set('Retry-After', '2');
      const why = await whyBatchesWait(o.rooms, [batch]);
      response.json(await viewBatch(batch, o.sign, why.get(batch.id)));
    },
  ],
});

export const readBatchResults = route({
  method: 'get',
  path: '/v1/batches/{id}/results',
  scope: 'jobs:read',
  operation: {
    operationId: 'listBatchResults',
    summary: 'Read the results of the jobs that have ended, by line',
    description:
      'While the batch is running too. A job that ends behind a line that you have read is not found by `after_line`: read again from the start when the batch has ended, or take `results_file`.',
    requestParams: { ...oneBatch, query: ResultsQuery },
    responses: {
      '200': ndjson('One `BatchResult` a line', resultLines),
      ...refusals(...ofOneBatch, 'invalid_request'),
    },
  },
  handlers: (o: {
    batches: Pick<Batches, 'read' | 'jobIds' | 'heads' | 'records' | 'positionBehind'>;
    sign: SignLink;
    keyEnds: KeyEnds['keyEnds'];
  }) => [
    async (request, response) => {
      const query = validate(ResultsQuery, Object.fromEntries(single(request.query)));
      const batch = await ownBatch(o.batches, request.params.id, response);
      const pages = batchRows(o.batches, batch, { afterLine: query.after_line, status: query.status ?? TERMINAL });
      await sendNdjson(
        response,
        mapped(pages, (job) => batchRow(job, o.sign)),
        o.keyEnds(response),
      );
    },
  ],
});

export const readBatchErrors = route({
  method: 'get',
  path: '/v1/batches/{id}/errors',
  scope: 'jobs:read',
  operation: {
    operationId: 'listBatchErrors',
    summary: 'Read which lines were left out, and why',
    requestParams: oneBatch,
    responses: {
      '200': ndjson('One `BatchLineError` a line', errorLines),
      ...refusals(...ofOneBatch),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'read' | 'errors'>; keyEnds: KeyEnds['keyEnds'] }) => [
    async (request, response) => {
      const batch = await ownBatch(o.batches, request.params.id, response);
      await sendNdjson(response, o.batches.errors(batch.id), o.keyEnds(response));
    },
  ],
});

/** Each page with each of its items changed. */
async function* mapped<T, U>(pages: AsyncIterable<readonly T[]>, change: (item: T) => Promise<U>): AsyncGenerator<U[]> {
  for await (const page of pages) yield await Promise.all(page.map(change));
}
