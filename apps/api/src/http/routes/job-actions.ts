import type { CancelJob, ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, RETRY_MODES, type SignLink, viewJob } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import type { DeleteJob } from '../../use-cases/delete-job.ts';
import type { RetryRoom } from '../../use-cases/tenant-limits.ts';
import { type Auth, principalOf } from '../auth.ts';
import { optionalJsonBody } from '../body.ts';
import { ownJob } from '../named.ts';
import { CANCEL_REFUSALS, DELETE_REFUSALS, orProblem, RETRY_REFUSALS, ROOM_REFUSALS } from '../refusals.ts';
import { validateBody } from '../validate.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `POST /v1/jobs/{id}/retry`; it may be left out. */
export const RetryRequest = z.strictObject({
  mode: z.enum(RETRY_MODES).optional().describe('resume goes on with what was paid for; resubmit submits, and pays, anew'),
});

/** What a caller does to a job after it was accepted. */
export function jobActionRoutes(o: {
  auth: Auth;
  jobs: Pick<JobStore['jobs'], 'read'>;
  cancel: CancelJob;
  reopen: ReopenJob;
  retryRoom: RetryRoom;
  remove: DeleteJob;
  sign: SignLink;
}): Router {
  const router = Router();
  const write = o.auth.requireScope('jobs:write');

  router.post('/v1/jobs/:id/cancel', write, async (request: Request<{ id: string }>, response) => {
    const canceled = orProblem(await o.cancel(await ownJob(o.jobs, request.params.id, response)), CANCEL_REFUSALS);
    const job = canceled.record;
    if (!isTerminal(job.status)) response.status(202).set('Retry-After', '2');
    response.json(await viewJob(job, o.sign));
  });

  router.post(
    '/v1/jobs/:id/retry',
    write,
    ...optionalJsonBody<{ id: string }>(SMALL_BODY),
    async (request: Request<{ id: string }>, response) => {
      const { mode } = validateBody(RetryRequest, request.body ?? {});
      const ended = await ownJob(o.jobs, request.params.id, response);
      orProblem(await o.retryRoom(ended, mode), ROOM_REFUSALS);
      const { record: job } = orProblem(await o.reopen(ended, mode), RETRY_REFUSALS);
      response
        .status(202)
        .set({ Location: `/v1/jobs/${job.id}`, 'Retry-After': '2' })
        .json(await viewJob(job, o.sign));
    },
  );

  router.delete('/v1/jobs/:id', write, async (request: Request<{ id: string }>, response) => {
    response.locals['jobId'] = request.params.id;
    orProblem(await o.remove(request.params.id, principalOf(response).tenant), DELETE_REFUSALS);
    response.status(204).end();
  });

  return router;
}
