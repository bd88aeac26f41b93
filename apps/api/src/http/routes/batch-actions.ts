import type { Batches } from '@grsai-jobs/job-store';
import { isBatchEnd, type SignLink, viewBatch } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import type { RetryFailed } from '../../use-cases/retry-failed.ts';
import type { Auth } from '../auth.ts';
import { optionalJsonBody } from '../body.ts';
import { ownBatch } from '../named.ts';
import { Problem } from '../problem.ts';
import { orProblem, RETRY_FAILED_REFUSALS } from '../refusals.ts';
import { validateBody } from '../validate.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `POST /v1/batches/{id}/retry-failed`; it may be left out. */
export const RetryFailedRequest = z.strictObject({
  include_unknown: z
    .boolean()
    .default(false)
    .describe('also jobs whose lost submit may have made, and charged, a task: they are submitted again'),
});

/** What a caller does to a batch; an operation carries it out after the 202. */
export function batchActionRoutes(o: {
  auth: Auth;
  batches: Pick<Batches, 'read' | 'cancel'>;
  retryFailed: RetryFailed;
  nudge: NudgeOperations;
  sign: SignLink;
}): Router {
  const router = Router();
  const write = o.auth.requireScope('jobs:write');

  router.post('/v1/batches/:id/cancel', write, async (request: Request<{ id: string }>, response) => {
    const batch = await ownBatch(o.batches, request.params.id, response);
    const answer = (await o.batches.cancel(batch.id)) ?? batch.status;
    const status = answer === 'called_off' ? batch.status : answer;
    if (isBatchEnd(answer)) throw new Problem('conflict', `The batch is ${status} already; there is nothing left to cancel.`);
    o.nudge();
    response
      .status(202)
      .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
      .json(await viewBatch({ ...batch, status }, o.sign));
  });

  router.post(
    '/v1/batches/:id/retry-failed',
    write,
    ...optionalJsonBody<{ id: string }>(SMALL_BODY),
    async (request: Request<{ id: string }>, response) => {
      const { include_unknown } = validateBody(RetryFailedRequest, request.body ?? {});
      const batch = await ownBatch(o.batches, request.params.id, response);
      const retried = orProblem(await o.retryFailed(batch, include_unknown), RETRY_FAILED_REFUSALS);
      const { retrying, left_out } = retried;
      response
        .status(202)
        .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
        .json({ ...(await viewBatch(batch, o.sign)), retrying, left_out });
    },
  );

  return router;
}
