import type { JobStore } from '@grsai-jobs/job-store';
import type { SignLink, StoredImage } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { ownJob } from '../../http/named.ts';
import { refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { id, ofOneJob } from './one-job.ts';

/** Where its images are: one that was lost leaves a gap. */
const noImage = (status: string, images: readonly StoredImage[]): string =>
  images.length === 0
    ? `The job is ${status} and has no images.`
    : `The job has ${images.length === 1 ? 'one image' : `${images.length} images`}: ${images.map(({ index }) => `/images/${index}`).join(', ')}.`;

/** A lasting address for an image of a result: each request is sent on to a link that was just signed. */
export const readJobImage = route({
  method: 'get',
  path: '/v1/jobs/{id}/images/{n}',
  scope: 'jobs:read',
  operation: {
    operationId: 'getJobImage',
    summary: 'An image of the result, by way of a fresh link',
    requestParams: { path: z.object({ id, n: z.string().meta({ example: '0' }).describe('the index of the image, from 0') }) },
    responses: {
      '302': { description: 'The image is at `Location` for `url_ttl_s` seconds', headers: z.object({ Location: z.string() }) },
      ...refusals(...ofOneJob),
    },
  },
  handlers: (o: { jobs: Pick<JobStore['jobs'], 'read'>; sign: SignLink }) => [
    async (request, response) => {
      const job = await ownJob(o.jobs, request.params.id, response);
      const images = job.output?.kind === 'images' ? job.output.images : [];
      const image = images.find(({ index }) => String(index) === request.params.n);
      if (image === undefined) throw new Problem('not_found', noImage(job.status, images));
      const { url } = await o.sign(image.key, job.doc.output.url_ttl_s);
      response.set('Cache-Control', 'no-store').redirect(302, url);
    },
  ],
});
