import type { ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { RETRY_MODES, type SignLink, viewAdminJob, viewAdminJobDetail } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { deliveriesOfJob } from '../../use-cases/deliveries-of-job.ts';
import { Reason } from '../../validation/fields.ts';
import type { Audited } from '../audited.ts';
import type { Auth } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { cursorOf } from '../cursor.ts';
import { adminListQuery } from '../list-query.ts';
import { anyJob } from '../named.ts';
import { orProblem, RETRY_REFUSALS } from '../refusals.ts';
import { validateBody } from '../validate.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `POST /admin/v1/jobs/{id}/requeue`. */
export const RequeueRequest = z.strictObject({
  mode: z.enum(RETRY_MODES).optional().describe('resume goes on with what was paid for; resubmit submits, and pays, anew'),
  reason: Reason,
});

/** Jobs of all tenants. */
export function adminJobRoutes(o: {
  auth: Auth;
  store: Pick<JobStore, 'jobs' | 'list' | 'deliveries'>;
  reopen: ReopenJob;
  audited: Audited;
  sign: SignLink;
}): Router {
  const router = Router();
  const read = o.auth.requireScope('admin:read');

  router.get('/admin/v1/jobs', read, async (request, response) => {
    const { jobs, next } = await o.store.list.page(adminListQuery(request.query));
    const data = await Promise.all(jobs.map((job) => viewAdminJob(job, o.sign)));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/admin/v1/jobs/:id', read, async (request: Request<{ id: string }>, response) => {
    const job = await anyJob(o.store.jobs, request.params.id, response);
    const deliveries = await deliveriesOfJob(o.store.deliveries, job);
    response.json(await viewAdminJobDetail(job, deliveries, o.sign));
  });

  router.post(
    '/admin/v1/jobs/:id/requeue',
    o.auth.requireScope('admin:write'),
    ...jsonBody<{ id: string }>(SMALL_BODY),
    async (request: Request<{ id: string }>, response) => {
      const { mode, reason } = validateBody(RequeueRequest, request.body);
      const record = await anyJob(o.store.jobs, request.params.id, response);
      const job = await o.audited(response, { action: 'job.requeue', target: record.id, reason }, async () => {
        const reopened = orProblem(await o.reopen(record, mode), RETRY_REFUSALS);
        return { result: reopened.record, detail: `run ${reopened.record.run}, ${reopened.mode}` };
      });
      response
        .status(202)
        .set({ Location: `/admin/v1/jobs/${job.id}`, 'Retry-After': '2' })
        .json(await viewAdminJob(job, o.sign));
    },
  );

  return router;
}
