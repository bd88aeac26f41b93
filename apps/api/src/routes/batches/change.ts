import type { Batches } from '@grsai-jobs/job-store';
import { isBatchEnd, type SignLink, viewBatch } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { optionalJsonBody, SMALL_BODY } from '../../http/body.ts';
import { idempotencyKey as idempotencyKeyOf } from '../../http/idempotency-key.ts';
import { ownBatch } from '../../http/named.ts';
import { comeBack, idempotencyKey, json, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { orProblem, RETRY_FAILED_REFUSALS } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import type { RetryFailed } from '../../use-cases/retry-failed.ts';
import { cancelingBatch, retriedBatch } from './examples.ts';
import { address, ofOneBatch, oneBatch } from './one-batch.ts';
import { Batch, RetriedBatch } from './schemas.ts';

/** What a caller does to a batch; an operation carries it out after the 202. */

/** The body of `POST /v1/batches/{id}/retry-failed`; it may be left out. */
const RetryFailedRequest = z.strictObject({
  include_unknown: z
    .boolean()
    .default(false)
    .describe('also jobs whose lost submit may have made, and charged, a task: they are submitted again'),
});

export const cancelBatch = route({
  method: 'post',
  path: '/v1/batches/{id}/cancel',
  scope: 'jobs:write',
  operation: {
    operationId: 'cancelBatch',
    summary: 'Cancel what is alive of a batch',
    description:
      'Failed jobs that were still to be run again stay failed. Sent again, it is answered again. 409 when it has ended by itself.',
    requestParams: oneBatch,
    responses: {
      '202': {
        ...json(Batch, 'It is being canceled, job after job', cancelingBatch),
        headers: z.object({ Location: address, 'Retry-After': comeBack }),
      },
      ...refusals(...ofOneBatch, 'conflict'),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'read' | 'cancel'>; nudge: NudgeOperations; sign: SignLink }) => [
    async (request, response) => {
      const batch = await ownBatch(o.batches, request.params.id, response);
      const answer = (await o.batches.cancel(batch.id)) ?? batch.status;
      const status = answer === 'called_off' ? batch.status : answer;
      if (isBatchEnd(answer)) throw new Problem('conflict', `The batch is ${status} already; there is nothing left to cancel.`);
      o.nudge();
      response
        .status(202)
        .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
        .json(await viewBatch({ ...batch, status }, o.sign));
    },
  ],
});

export const retryFailedJobs = route({
  method: 'post',
  path: '/v1/batches/{id}/retry-failed',
  scope: 'jobs:write',
  operation: {
    operationId: 'retryFailedJobs',
    summary: 'Run the failed jobs of a batch again',
    description:
      'An ended batch is running again then, in its next round. 409 when there is nothing to run again, or it is under way.',
    requestParams: {
      ...oneBatch,
      header: z.object({
        'Idempotency-Key': idempotencyKey(
          'again-17',
          'the same key orders it once, and is answered the same, until the next retry',
        ),
      }),
    },
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
      ...refusals(
        'malformed_json',
        'bad_request',
        ...ofOneBatch,
        'conflict',
        'idempotency_key_reused',
        'body_too_large',
        'unsupported_media_type',
        'invalid_request',
      ),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'read'>; retryFailed: RetryFailed; sign: SignLink }) => [
    ...optionalJsonBody(SMALL_BODY),
    async (request, response) => {
      const key = idempotencyKeyOf(request.headers['idempotency-key']);
      const { include_unknown } = validateBody(RetryFailedRequest, request.body ?? {});
      const batch = await ownBatch(o.batches, request.params.id, response);
      const retried = orProblem(await o.retryFailed(batch, { includeUnknown: include_unknown, key }), RETRY_FAILED_REFUSALS);
      const { retrying, left_out, in_round } = retried;
      response
        .status(202)
        .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
        .json({ ...(await viewBatch(batch, o.sign)), retrying, left_out, in_round });
    },
  ],
});
