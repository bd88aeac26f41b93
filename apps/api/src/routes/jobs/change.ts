import type { CancelJob, ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord, RETRY_MODES, type SignLink, viewJob } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { optionalJsonBody, SMALL_BODY } from '../../http/body.ts';
import { ownJob } from '../../http/named.ts';
import { comeBack, json, refusals } from '../../http/openapi/answers.ts';
import { CANCEL_REFUSALS, DELETE_REFUSALS, orProblem, RETRY_REFUSALS, ROOM_REFUSALS } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import type { DeleteJob } from '../../use-cases/delete-job.ts';
import type { RetryRoom } from '../../use-cases/tenant-limits.ts';
import { canceledJob, cancelingJob, reopenedJob } from './examples.ts';
import { address, ofOneJob, oneJob } from './one-job.ts';
import { Job } from './schemas.ts';

/** What a caller does to a job after it was accepted. */

type Jobs = Pick<JobStore['jobs'], 'read'>;

/** The body of `POST /v1/jobs/{id}/retry`; it may be left out. */
const RetryRequest = z.strictObject({
  mode: z.enum(RETRY_MODES).optional().describe('resume goes on with what was paid for; resubmit submits, and pays, anew'),
  run: z
    .int()
    .min(1)
    .optional()
    .describe(
      'the run that has ended: where a later one has begun, nothing is done, and the answer is the job as it is. Makes it safe to send a retry again',
    ),
});

const isLater = (job: JobRecord, run: number | undefined): boolean => run !== undefined && job.run > run;

export const cancelJob = route({
  method: 'post',
  path: '/v1/jobs/{id}/cancel',
  scope: 'jobs:write',
  operation: {
    operationId: 'cancelJob',
    summary: 'Cancel a job',
    description: 'Sent again, it is answered again. 409 when the job has ended otherwise.',
    requestParams: oneJob,
    responses: {
      '200': json(Job, 'Canceled', canceledJob),
      '202': {
        ...json(Job, 'A call or a store is open: it ends the job as canceled, or in the state it reaches', cancelingJob),
        headers: z.object({ 'Retry-After': comeBack }),
      },
      ...refusals(...ofOneJob, 'conflict'),
    },
  },
  handlers: (o: { jobs: Jobs; cancelJob: CancelJob; sign: SignLink }) => [
    async (request, response) => {
      const canceled = await o.cancelJob(await ownJob(o.jobs, request.params.id, response));
      // A cancel that is sent again, as its answer was lost, is answered as the first.
      const { job } =
        canceled.kind === 'ended' && canceled.job.status === 'canceled' ? canceled : orProblem(canceled, CANCEL_REFUSALS);
      if (!isTerminal(job.status)) response.status(202).set('Retry-After', '2');
      response.json(await viewJob(job, o.sign));
    },
  ],
});

export const retryJob = route({
  method: 'post',
  path: '/v1/jobs/{id}/retry',
  scope: 'jobs:write',
  operation: {
    operationId: 'retryJob',
    summary: 'Run a failed, expired or canceled job again',
    description:
      'Without a mode it goes on with what was paid for (`resume`) when outputs or a living task are there, else it submits anew (`resubmit`). After `submit_unknown` only an explicit `resubmit` submits again.',
    requestParams: oneJob,
    requestBody: {
      required: false,
      content: {
        'application/json': {
          schema: RetryRequest,
          examples: { again: { summary: 'Submit, and pay, anew', value: { mode: 'resubmit' } }, 'as it fits': { value: {} } },
        },
      },
    },
    responses: {
      '202': {
        ...json(Job, 'Reopened: `run` is one more', reopenedJob),
        headers: z.object({ Location: address, 'Retry-After': comeBack }),
      },
      ...refusals(
        'malformed_json',
        ...ofOneJob,
        'model_not_allowed',
        'conflict',
        'body_too_large',
        'unsupported_media_type',
        'invalid_request',
      ),
    },
  },
  handlers: (o: { jobs: Jobs; reopenJob: ReopenJob; retryRoom: RetryRoom; sign: SignLink }) => [
    ...optionalJsonBody(SMALL_BODY),
    async (request, response) => {
      const { mode, run } = validateBody(RetryRequest, request.body ?? {});
      const ended = await ownJob(o.jobs, request.params.id, response);
      if (!isLater(ended, run)) orProblem(await o.retryRoom(ended, mode), ROOM_REFUSALS);
      const reopened = await o.reopenJob(ended, mode, { run });
      const { job } =
        reopened.kind === 'other_run' && isLater(reopened.job, run) ? reopened : orProblem(reopened, RETRY_REFUSALS);
      response
        .status(202)
        .set({ Location: `/v1/jobs/${job.id}`, 'Retry-After': '2' })
        .json(await viewJob(job, o.sign));
    },
  ],
});

export const deleteJob = route({
  method: 'delete',
  path: '/v1/jobs/{id}',
  scope: 'jobs:write',
  operation: {
    operationId: 'deleteJob',
    summary: 'Erase an ended job with its input, its output and its stored objects',
    description: 'A webhook that is still pending goes out with id, status and `deleted: true`.',
    requestParams: oneJob,
    responses: { '204': { description: 'Erased, now or before' }, ...refusals(...ofOneJob, 'conflict') },
  },
  handlers: (o: { deleteJob: DeleteJob }) => [
    async (request, response) => {
      response.locals['jobId'] = request.params.id;
      orProblem(await o.deleteJob(request.params.id, principalOf(response).tenant), DELETE_REFUSALS);
      response.status(204).end();
    },
  ],
});
