import type { JobStore } from '@grsai-jobs/job-store';
import type { SignLink, StoredImage } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import type { Auth } from '../auth.ts';
import { ownJob } from '../named.ts';
import { Problem } from '../problem.ts';

/** Where its images are: one that was lost leaves a gap. */
const noImage = (status: string, images: readonly StoredImage[]): string =>
  images.length === 0
    ? `The job is ${status} and has no images.`
    : `The job has ${images.length === 1 ? 'one image' : `${images.length} images`}: ${images.map(({ index }) => `/images/${index}`).join(', ')}.`;

/** A lasting address for an image of a result: each request is sent on to a link that was just signed. */
export function jobImageRoutes(o: { auth: Auth; jobs: Pick<JobStore['jobs'], 'read'>; sign: SignLink }): Router {
  const router = Router();
  router.get(
    '/v1/jobs/:id/images/:n',
    o.auth.requireScope('jobs:read'),
    async (request: Request<{ id: string; n: string }>, response) => {
      const job = await ownJob(o.jobs, request.params.id, response);
      const images = job.output?.kind === 'images' ? job.output.images : [];
      const image = images.find(({ index }) => String(index) === request.params.n);
      if (image === undefined) throw new Problem('not_found', noImage(job.status, images));
      const { url } = await o.sign(image.key, job.doc.output.url_ttl_s);
      response.set('Cache-Control', 'no-store').redirect(302, url);
    },
  );
  return router;
}
