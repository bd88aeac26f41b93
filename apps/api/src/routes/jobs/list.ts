import type { JobStore, Rooms } from '@grsai-jobs/job-store';
import { LIMITS, type SignLink, viewJob } from '@grsai-jobs/jobs';
import { principalOf } from '../../http/auth.ts';
import { ListQuery, listQuery, writeCursor } from '../../http/list-query.ts';
import { json, listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { whyJobsWait } from '../../use-cases/why-waiting.ts';
import { failedJob, imageJob } from './examples.ts';
import { Job } from './schemas.ts';

const CURSOR = 'MTc5NTQyMDgwMDAwMC5qb2JfMDFLOVpWNVczTjhRMlI0VDZWOFgwWjJCNEQ';

export const listJobs = route({
  method: 'get',
  path: '/v1/jobs',
  scope: 'jobs:read',
  operation: {
    operationId: 'listJobs',
    summary: 'List jobs, the newest first',
    description: `Beside these parameters \`metadata.<key>=<value>\` filters by metadata, up to ${LIMITS.metadataPairs} times. At most 2000 records are read for one page, for at most 2 s: it can be shorter than \`limit\`, or empty, and still have a \`next_cursor\`.`,
    requestParams: { query: ListQuery },
    responses: {
      '200': json(listOf(Job), 'A page; `next_cursor` is null on the last one', {
        ...listExample(imageJob, failedJob),
        next_cursor: CURSOR,
      }),
      ...refusals('bad_request', 'unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: { jobList: JobStore['list']; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const query = listQuery(request.query);
      const { jobs, next } = await o.jobList.page({ tenant: principalOf(response).tenant, ...query });
      const why = await whyJobsWait(o.rooms, jobs);
      const data = await Promise.all(jobs.map((job) => viewJob(job, o.sign, why.get(job.id))));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});
