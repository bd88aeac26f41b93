import type { ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore, Rooms } from '@grsai-jobs/job-store';
import {
  type Delivery,
  dottedEventId,
  eventId,
  JOB_EVENTS,
  type JobRecord,
  RETRY_MODES,
  type SignLink,
  viewAdminJob,
  viewAdminJobDetail,
} from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { AdminListQuery, adminListQuery, writeCursor } from '../../http/list-query.ts';
import { anyJob } from '../../http/named.ts';
import { json, listOf, refusals } from '../../http/openapi/answers.ts';
import { orProblem, RETRY_REFUSALS } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import { whyJobsWait } from '../../use-cases/why-waiting.ts';
import { Reason } from '../../validation/fields.ts';
import { failedAdminJob, jobDetail, page, requeuedJob } from './examples.ts';
import { always, body, ofBody } from './operation.ts';
import { AdminJob, AdminJobDetail } from './schemas.ts';

/** Jobs of all tenants. */

type Jobs = Pick<JobStore['jobs'], 'read'>;
type Deliveries = Pick<JobStore['deliveries'], 'read'>;

const oneJob = { path: z.object({ id: z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }) }) };

/** The body of `POST /admin/v1/jobs/{id}/requeue`. */
const RequeueRequest = z.strictObject({
  mode: z.enum(RETRY_MODES).optional().describe('resume goes on with what was paid for; resubmit submits, and pays, anew'),
  reason: Reason,
});

export const listAllJobs = route({
  method: 'get',
  path: '/admin/v1/jobs',
  scope: 'admin:read',
  operation: {
    operationId: 'listAllJobs',
    summary: 'Jobs of all tenants, the newest first',
    description: 'The parameters of `GET /v1/jobs`, `tenant`, and `signature` of a group of failures.',
    requestParams: { query: AdminListQuery },
    responses: {
      '200': json(listOf(AdminJob), 'A page; `next_cursor` is null on the last one', page(failedAdminJob)),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { jobList: JobStore['list']; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const { jobs, next } = await o.jobList.page(adminListQuery(request.query));
      const why = await whyJobsWait(o.rooms, jobs);
      const data = await Promise.all(jobs.map((job) => viewAdminJob(job, o.sign, why.get(job.id))));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});

/** Deliveries of runs older than the newest ten are not looked for. */
const RUNS_SHOWN = 10;

/** The webhooks of a job, the oldest first. Their ids are made from the job, so no list is searched. */
async function deliveriesOfJob(deliveries: Deliveries, job: JobRecord): Promise<Delivery[]> {
  const events = JOB_EVENTS.filter((type) => job.doc.webhook?.events.includes(type));
  const runs = Array.from({ length: Math.min(job.run, RUNS_SHOWN) }, (_, i) => job.run - i);
  const ids = runs.flatMap((run) => events.map((type) => eventId(job.id, run, type))).flatMap((id) => [id, dottedEventId(id)]);
  const found = await Promise.all(ids.map((id) => deliveries.read(id)));
  return found.flatMap((each) => each?.delivery ?? []).sort((a, b) => a.created_at - b.created_at);
}

export const readAnyJob = route({
  method: 'get',
  path: '/admin/v1/jobs/{id}',
  scope: 'admin:read',
  operation: {
    operationId: 'getAnyJob',
    summary: 'A job of any tenant with past runs, webhooks and a timeline',
    requestParams: oneJob,
    responses: { '200': json(AdminJobDetail, 'The job', jobDetail), ...refusals('not_found', ...always) },
  },
  handlers: (o: { jobs: Jobs; deliveries: Deliveries; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const job = await anyJob(o.jobs, request.params.id, response);
      const [deliveries, why] = await Promise.all([deliveriesOfJob(o.deliveries, job), whyJobsWait(o.rooms, [job])]);
      response.json(await viewAdminJobDetail(job, deliveries, o.sign, why.get(job.id)));
    },
  ],
});

export const requeueJob = route({
  method: 'post',
  path: '/admin/v1/jobs/{id}/requeue',
  scope: 'admin:write',
  operation: {
    operationId: 'requeueJob',
    summary: 'Run a failed, expired or canceled job of any tenant again',
    description: 'By the rules of `POST /v1/jobs/{id}/retry`.',
    requestParams: oneJob,
    requestBody: body(
      RequeueRequest,
      { mode: 'resubmit', reason: 'upstream is well again' },
      { reason: 'the bucket is writable again' },
    ),
    responses: {
      '202': {
        ...json(AdminJob, 'Reopened: `run` is one more', requeuedJob),
        headers: z.object({
          Location: z.string().describe('where the job is'),
          'Retry-After': z.string().describe('seconds until it is worth asking again'),
        }),
      },
      ...refusals('not_found', 'conflict', ...ofBody, ...always),
    },
  },
  handlers: (o: { jobs: Jobs; reopenJob: ReopenJob; audited: Audited; sign: SignLink }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { mode, reason } = validateBody(RequeueRequest, request.body);
      const record = await anyJob(o.jobs, request.params.id, response);
      const job = await o.audited(response, { action: 'job.requeue', target: record.id, reason }, async () => {
        const reopened = orProblem(await o.reopenJob(record, mode), RETRY_REFUSALS);
        return { result: reopened.job, detail: `run ${reopened.job.run}, ${reopened.mode}` };
      });
      response
        .status(202)
        .set({ Location: `/admin/v1/jobs/${job.id}`, 'Retry-After': '2' })
        .json(await viewAdminJob(job, o.sign));
    },
  ],
});
