import type { ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { JOB_ID, type JobRecord, RETRY_MODES, type SignLink, viewAdminJob, viewAdminJobDetail } from '@grsai-jobs/jobs';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { reopenedJob } from '../../use-cases/action-outcome.ts';
import { deliveriesOfJob } from '../../use-cases/deliveries-of-job.ts';
import { type Audited, Reason } from '../audited.ts';
import type { Auth } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { cursorOf } from '../cursor.ts';
import { adminListQuery } from '../list-query.ts';
import { noSuchJob } from '../own-job.ts';
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

  async function anyJob(id: string, response: Response): Promise<JobRecord> {
    response.locals['jobId'] = id;
    const record = JOB_ID.test(id) ? await o.store.jobs.read(id) : null;
    if (record === null) throw noSuchJob();
    return record;
  }

  router.get('/admin/v1/jobs', read, async (request, response) => {
    const { jobs, next } = await o.store.list.page(adminListQuery(request.query));
    const data = await Promise.all(jobs.map((job) => viewAdminJob(job, o.sign)));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/admin/v1/jobs/:id', read, async (request: Request<{ id: string }>, response) => {
    const job = await anyJob(request.params.id, response);
    const deliveries = await deliveriesOfJob(o.store.deliveries, job);
    response.json(await viewAdminJobDetail(job, deliveries, o.sign));
  });

  router.post(
    '/admin/v1/jobs/:id/requeue',
    o.auth.requireScope('admin:write'),
    ...jsonBody<{ id: string }>(SMALL_BODY),
    async (request: Request<{ id: string }>, response) => {
      const { mode, reason } = validateBody(RequeueRequest, request.body);
      const record = await anyJob(request.params.id, response);
      const job = await o.audited(response, { action: 'job.requeue', target: record.id, reason }, async () => {
        const reopened = await o.reopen(record, mode);
        const result = reopenedJob(reopened);
        return { result, detail: `run ${result.run}, ${reopened.kind === 'reopened' ? reopened.mode : ''}` };
      });
      response
        .status(202)
        .set({ Location: `/admin/v1/jobs/${job.id}`, 'Retry-After': '2' })
        .json(await viewAdminJob(job, o.sign));
    },
  );

  return router;
}
