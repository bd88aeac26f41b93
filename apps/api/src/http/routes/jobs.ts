import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord, JobRequest, type SignLink, viewJob, withoutNulls } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { type Request, type Response, Router } from 'express';
import type { AcceptJob } from '../../use-cases/accept-job.ts';
import { requestWarnings } from '../../use-cases/check-request.ts';
import type { OpenJobInput } from '../../use-cases/open-input.ts';
import type { WaitForEnd } from '../../use-cases/wait-for-end.ts';
import { tryJob } from '../../validation/job.ts';
import type { FieldError } from '../../validation/validate.ts';
import { type Auth, principalOf } from '../auth.ts';
import { JOB_RATIO, jsonBody } from '../body.ts';
import type { BodyBudget } from '../body-budget.ts';
import { etagOf, hasLinks, matchesEtag } from '../etag.ts';
import { idempotencyKey } from '../idempotency-key.ts';
import type { KeyEnds } from '../key-ends.ts';
import { ownJob } from '../named.ts';
import type { OpenRequests } from '../open-requests.ts';
import { preferredWait } from '../prefer.ts';
import { Problem } from '../problem.ts';
import { JOB_REFUSALS, orProblem } from '../refusals.ts';
import { sendWithInput } from '../send-with-input.ts';
import { invalid } from '../validate.ts';

export interface JobRoutes {
  auth: Auth;
  accept: AcceptJob;
  jobs: JobStore['jobs'];
  waitForEnd: WaitForEnd;
  keyEnds: KeyEnds['keyEnds'];
  sign: SignLink;
  /** When the credentials end that sign links now. */
  signsUntil: () => Promise<number | null>;
  clock: Clock;
  bodyLimit: number;
  openInput: OpenJobInput;
  budget: BodyBudget;
  /** Marks a request as one that stays open. */
  lasts: OpenRequests['lasts'];
  /** What only this service can know to be wrong with a valid request: a forbidden address, a size that a model lacks. */
  check: (request: JobRequest) => FieldError[];
}

/** @throws Problem `invalid_request` */
async function validateJob(body: unknown): Promise<JobRequest> {
  const read = await tryJob(JobRequest, body);
  if ('errors' in read) throw invalid(read.errors);
  return read.data;
}

export function jobRoutes(o: JobRoutes): Router {
  const router = Router();

  async function waited(job: JobRecord, seconds: number, response: Response): Promise<JobRecord> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    if (response.destroyed) gone.abort();
    response.set('Preference-Applied', `wait=${seconds}`);
    const ended = o.keyEnds(response);
    const now = await o.waitForEnd(job, seconds * 1000, AbortSignal.any([gone.signal, ended]));
    if (ended.aborted)
      throw new Problem('unauthorized', 'This API key was revoked or expired while its request waited; the job goes on.');
    return now;
  }

  router.post(
    '/v1/jobs',
    o.auth.requireScope('jobs:write'),
    ...jsonBody(o.bodyLimit, { budget: o.budget, ratio: JOB_RATIO }),
    async (request, response) => {
      const key = idempotencyKey(request.headers['idempotency-key']);
      const waitS = preferredWait(request.headers['prefer']);
      const wanted = await validateJob(withoutNulls(request.body));
      const problems = o.check(wanted);
      if (problems.length > 0) throw invalid(problems);
      const warnings = requestWarnings(wanted);
      if (waitS !== undefined) o.lasts(response);
      const accepted = orProblem(
        await o.accept(wanted, {
          tenant: principalOf(response).tenant,
          requestId: response.locals['requestId'] as string,
          body: request.body,
          ...(key === undefined ? {} : { idempotencyKey: key }),
        }),
        JOB_REFUSALS,
      );
      const { record, replayed } = accepted;
      response.locals['jobId'] = record.id;
      response.set('Location', `/v1/jobs/${record.id}`);
      if (replayed) response.set('Idempotent-Replayed', 'true');
      const job = waitS === undefined ? record : await waited(record, waitS, response);
      if (waitS === undefined || !isTerminal(job.status)) response.status(202).set('Retry-After', '2');
      response.json({ ...(await viewJob(job, o.sign)), ...(warnings.length > 0 ? { warnings } : {}) });
    },
  );

  router.get('/v1/jobs/:id', o.auth.requireScope('jobs:read'), async (request: Request<{ id: string }>, response) => {
    const record = await ownJob(o.jobs, request.params.id, response);
    const now = o.clock.now();
    const etag = etagOf(record, now, hasLinks(record) ? await o.signsUntil() : null);
    response.set('ETag', etag);
    if (!isTerminal(record.status)) response.set('Retry-After', '2');
    if (matchesEtag(request.headers['if-none-match'], etag)) response.status(304).end();
    else await show(record, request.method === 'HEAD', response);
  });

  /** With its input also where that is in the object store, unless it cannot be read now: such an answer is not to be kept. */
  async function show(record: JobRecord, isHead: boolean, response: Response): Promise<void> {
    const view = await viewJob(record, o.sign);
    const input = record.doc.stored_input === undefined || isHead ? null : await o.openInput(record);
    if (input !== null) return await sendWithInput(response, view, input);
    if (record.doc.stored_input !== undefined) response.removeHeader('ETag');
    response.json(view);
  }

  return router;
}
