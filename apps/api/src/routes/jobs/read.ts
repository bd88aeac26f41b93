import type { JobStore, Rooms } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord, type SignLink, viewJob, type Waiting } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import type { Response } from 'express';
import { z } from 'zod';
import { etagOf, hasLinks, matchesEtag } from '../../http/etag.ts';
import { ownJob } from '../../http/named.ts';
import { comeBack, json, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { sendWithInput } from '../../http/send-with-input.ts';
import type { OpenJobInput } from '../../use-cases/open-input.ts';
import { whyJobsWait } from '../../use-cases/why-waiting.ts';
import { chatJob, failedJob, imageJob, runningJob, waitingJob } from './examples.ts';
import { ofOneJob, oneJob } from './one-job.ts';
import { Job } from './schemas.ts';

interface ReadJobDeps {
  jobs: Pick<JobStore['jobs'], 'read'>;
  rooms: Pick<Rooms, 'why'>;
  sign: SignLink;
  /** When the credentials end that sign links now. */
  signsUntil: () => Promise<number | null>;
  openInput: OpenJobInput;
  clock: Clock;
}

export const readJob = route({
  method: 'get',
  path: '/v1/jobs/{id}',
  scope: 'jobs:read',
  operation: {
    operationId: 'getJob',
    summary: 'Read a job',
    requestParams: {
      ...oneJob,
      header: z.object({
        'If-None-Match': z.string().optional().meta({ example: '"3f-1"' }).describe('the ETag that you have'),
      }),
    },
    responses: {
      '200': {
        ...json(Job, 'The job', runningJob, waitingJob, imageJob, chatJob, failedJob),
        headers: z.object({ ETag: z.string().describe('for If-None-Match'), 'Retry-After': comeBack.optional() }),
      },
      '304': { description: 'Nothing has changed since the answer with this ETag' },
      ...refusals(...ofOneJob),
    },
  },
  handlers: (o: ReadJobDeps) => [
    async (request, response) => {
      const record = await ownJob(o.jobs, request.params.id, response);
      const now = o.clock.now();
      const waiting = (await whyJobsWait(o.rooms, [record])).get(record.id);
      const etag = etagOf(record, now, { signsUntil: hasLinks(record) ? await o.signsUntil() : null, waiting });
      response.set('ETag', etag);
      if (!isTerminal(record.status)) response.set('Retry-After', '2');
      if (matchesEtag(request.headers['if-none-match'], etag)) response.status(304).end();
      else await show(o, record, waiting, request.method === 'HEAD', response);
    },
  ],
});

/** With its input also where that is in the object store, unless it cannot be read now: such an answer is not to be kept. */
async function show(
  o: Pick<ReadJobDeps, 'sign' | 'openInput'>,
  record: JobRecord,
  waiting: Waiting | undefined,
  isHead: boolean,
  response: Response,
): Promise<void> {
  const view = await viewJob(record, o.sign, waiting);
  const input = record.doc.stored_input === undefined || isHead ? null : await o.openInput(record);
  if (input !== null) return await sendWithInput(response, view, input);
  if (record.doc.stored_input !== undefined) response.removeHeader('ETag');
  response.json(view);
}
