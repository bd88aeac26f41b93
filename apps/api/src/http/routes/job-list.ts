import type { JobStore } from '@grsai-jobs/job-store';
import { type SignLink, viewJob } from '@grsai-jobs/jobs';
import { Router } from 'express';
import { type Auth, principalOf } from '../auth.ts';
import { cursorOf } from '../cursor.ts';
import { listQuery } from '../list-query.ts';

/** The tenant's jobs, the newest first. */
export function jobListRoutes(o: { auth: Auth; list: JobStore['list']; sign: SignLink }): Router {
  const router = Router();
  router.get('/v1/jobs', o.auth.requireScope('jobs:read'), async (request, response) => {
    const query = listQuery(request.query);
    const { jobs, next } = await o.list.page({ tenant: principalOf(response).tenant, ...query });
    const data = await Promise.all(jobs.map((job) => viewJob(job, o.sign)));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });
  return router;
}
