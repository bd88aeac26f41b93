import { BatchRequest, LIMITS } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { BatchQuery } from '../batch-query.ts';
import { RetryFailedRequest } from '../routes/batch-actions.ts';
import { BatchListQuery, ResultsQuery } from '../routes/batch-reads.ts';
import {
  acceptedBatch,
  acceptedInPart,
  batchForms,
  batchLines,
  cancelingBatch,
  completedBatch,
  errorLines,
  resultLines,
  retriedBatch,
  runningBatch,
} from './batch-examples.ts';
import { AcceptedBatch, Batch, RetriedBatch } from './batch-schemas.ts';
import { listExample } from './examples.ts';
import { idempotencyKey, json, listOf, refusals } from './schemas.ts';

const oneBatch = { path: z.object({ id: z.string().meta({ example: runningBatch.id }) }) };
/** Refusals of each route that reads or changes one batch. */
const ofOneBatch = ['unauthorized', 'forbidden', 'not_found', 'unavailable'] as const;
const address = z.string().describe('where the batch is');
const comeBack = z.string().describe('seconds until it is worth asking again');

/** An answer of lines. */
const ndjson = (description: string, example: string) => ({
  description,
  content: { 'application/x-ndjson': { schema: z.string(), example } },
});

/** The JSON form as it is told; each item is checked, with the defaults under it, as the body of `POST /v1/jobs`. */
const BatchForm = BatchRequest.extend({
  items: z
    .array(z.looseObject({ custom_id: z.string() }))
    .min(1)
    .max(LIMITS.batch.items)
    .describe('bodies of `POST /v1/jobs`, each with a `custom_id` of its own: 1 to 64 of A-Z a-z 0-9 _ -'),
}).meta({ id: 'BatchRequest' });

/** What callers do with batches. */
export const batchPaths: ZodOpenApiPathsObject = {
  '/v1/batches': {
    post: {
      operationId: 'createBatch',
      summary: `Send up to ${LIMITS.batch.lines} jobs as lines, or up to ${LIMITS.batch.items} as JSON`,
      description: `Each line is a body of \`POST /v1/jobs\` with a \`custom_id\`. A body of lines may be packed (gzip, br, deflate) and is read as a stream: at most ${LIMITS.batch.bytes} bytes unpacked, ${LIMITS.batch.lineBytes} in a line; blank lines are passed over. The batch's own fields then come from the query, \`metadata.<key>=<value>\` among them; with a JSON body only \`on_invalid\` does. Nothing is there before the whole body has come, and what breaks off leaves nothing.`,
      requestParams: {
        query: BatchQuery,
        header: z.object({
          'Idempotency-Key': idempotencyKey('batch-A-17', 'the same key, query and body make one batch, for 72 hours'),
        }),
      },
      requestBody: {
        required: true,
        content: {
          'application/x-ndjson': { schema: z.string(), example: batchLines },
          'application/json': { schema: BatchForm, examples: batchForms },
        },
      },
      responses: {
        '202': {
          ...json(AcceptedBatch, 'Accepted: each job of it will reach a terminal state', acceptedBatch, acceptedInPart),
          headers: z.object({
            Location: address,
            'Retry-After': comeBack,
            'Idempotent-Replayed': z.string().optional().describe('true when this Idempotency-Key had made the batch before'),
          }),
        },
        ...refusals(
          'malformed_json',
          'bad_request',
          'unauthorized',
          'forbidden',
          'idempotency_key_in_use',
          'request_timeout',
          'body_too_large',
          'unsupported_media_type',
          'invalid_request',
          'idempotency_key_reused',
          'unavailable',
        ),
      },
    },
    get: {
      operationId: 'listBatches',
      summary: 'List batches, the newest first',
      requestParams: { query: BatchListQuery },
      responses: {
        '200': json(listOf(Batch), 'A page; `next_cursor` is null on the last one', listExample(runningBatch, completedBatch)),
        ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
      },
    },
  },
  '/v1/batches/{id}': {
    get: {
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
  },
  '/v1/batches/{id}/results': {
    get: {
      operationId: 'listBatchResults',
      summary: 'Read the results of the jobs that have ended, by line',
      description:
        'While the batch is running too. A job that ends behind a line that you have read is not told of by `after_line`: read again from the start when the batch has ended, or take `results_file`.',
      requestParams: { ...oneBatch, query: ResultsQuery },
      responses: {
        '200': ndjson('One object a line: line, custom_id, job_id, status, run, result, error, finished_at', resultLines),
        ...refusals(...ofOneBatch, 'invalid_request'),
      },
    },
  },
  '/v1/batches/{id}/errors': {
    get: {
      operationId: 'listBatchErrors',
      summary: 'Read which lines were left out, and why',
      requestParams: oneBatch,
      responses: {
        '200': ndjson('One object a line: line, custom_id, errors[{pointer, message}]', errorLines),
        ...refusals(...ofOneBatch),
      },
    },
  },
  '/v1/batches/{id}/cancel': {
    post: {
      operationId: 'cancelBatch',
      summary: 'Cancel what is alive of a batch',
      description: 'Failed jobs that were still to be run again stay failed. 409 when it has ended.',
      requestParams: oneBatch,
      responses: {
        '202': {
          ...json(Batch, 'It is being canceled, job after job', cancelingBatch),
          headers: z.object({ Location: address, 'Retry-After': comeBack }),
        },
        ...refusals(...ofOneBatch, 'conflict'),
      },
    },
  },
  '/v1/batches/{id}/retry-failed': {
    post: {
      operationId: 'retryFailedJobs',
      summary: 'Run the failed jobs of a batch again',
      description:
        'An ended batch is running again then, in its next round. 409 when there is nothing to run again, or it is under way.',
      requestParams: oneBatch,
      requestBody: {
        required: false,
        content: {
          'application/json': {
            schema: RetryFailedRequest,
            examples: {
              'only what is known': { value: { include_unknown: false } },
              'and what may have been paid for': { value: { include_unknown: true } },
            },
          },
        },
      },
      responses: {
        '202': {
          ...json(RetriedBatch, 'They are being run again', retriedBatch),
          headers: z.object({ Location: address, 'Retry-After': comeBack }),
        },
        ...refusals('malformed_json', ...ofOneBatch, 'conflict', 'body_too_large', 'unsupported_media_type', 'invalid_request'),
      },
    },
  },
};
