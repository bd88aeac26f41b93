import type { JobStore } from '@grsai-jobs/job-store';
import type { SignLink } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import type { Auth } from '../auth.ts';
import { ownJob } from '../own-job.ts';
import { Problem } from '../problem.ts';

const noImage = (status: string, count: number): string =>
  count === 0
    ? `The job is ${status} and has no images.`
    : `The job has ${count === 1 ? 'one image, at' : `${count} images, from`} /images/0${count === 1 ? '' : ` to /images/${count - 1}`}.`;

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
      if (image === undefined) throw new Problem('not_found', noImage(job.status, images.length));
      const { url } = await o.sign(image.key, job.doc.output.url_ttl_s);
      response.set('Cache-Control', 'no-store').redirect(302, url);
    },
  );
  return router;
}
