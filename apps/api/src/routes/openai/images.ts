import { LIMITS } from '@grsai-jobs/jobs';
import type { SliceQueue } from '@grsai-jobs/runtime';
import type { Response } from 'express';
import { principalOf } from '../../http/auth.ts';
import { JOB_RATIO, jsonBody } from '../../http/body.ts';
import type { BodyBudget } from '../../http/body-budget.ts';
import { readForm } from '../../http/multipart.ts';
import { served } from '../../http/route.ts';
import { endedJobs, type HeldJobsDeps } from './held-jobs.ts';
import { type ImageAnswerDeps, sendImages } from './image-answer.ts';
import { asSent, formPrint, type ImageOrder, readEditForm, readImageRequest } from './image-request.ts';

interface ImageDeps extends HeldJobsDeps, ImageAnswerDeps {
  bodyLimit: number;
  budget: BodyBudget;
  slices: SliceQueue;
}

const GENERATIONS = '/openai/v1/images/generations';
const EDITS = '/openai/v1/images/edits';

/** As many jobs as images were asked for; the answer is held until all of them have ended. */
async function answerImages(
  o: ImageDeps,
  order: ImageOrder,
  from: { route: string; body: unknown },
  response: Response,
): Promise<void> {
  if (order.ignored.length > 0) response.set('x-grsai-ignored', order.ignored.join(', '));
  const requests = Array.from({ length: order.n }, () => order.request);
  const jobs = await endedJobs(o, { ...from, requests, attach: order.attach, asSent }, response);
  if (jobs !== null) await sendImages(o, jobs, order.format, response);
}

export const createImages = served({
  method: 'post',
  path: GENERATIONS,
  scope: 'jobs:write',
  handlers: (o: ImageDeps) => [
    ...jsonBody(o.bodyLimit, { budget: o.budget, ratio: JOB_RATIO, slices: o.slices }),
    async (request, response) => {
      const body: unknown = request.body;
      const order = await readImageRequest(body, o.slices.of(principalOf(response).tenant));
      await answerImages(o, order, { route: `POST ${GENERATIONS}`, body }, response);
    },
  ],
});

/** The prompt is the largest field, of 32 000 characters in UTF-8. */
const FORM = { fields: 32, fieldBytes: 4 * LIMITS.prompt, files: LIMITS.inlineImages, fileBytes: LIMITS.inlineImageBytes };

export const editImages = served({
  method: 'post',
  path: EDITS,
  scope: 'jobs:write',
  handlers: (o: ImageDeps) => [
    async (request, response) => {
      const form = await readForm(request, response, { ...FORM, bytes: o.bodyLimit, budget: o.budget });
      const { body, pictures } = readEditForm(form);
      const order = await readImageRequest(body, o.slices.of(principalOf(response).tenant), pictures);
      await answerImages(o, order, { route: `POST ${EDITS}`, body: formPrint(form) }, response);
    },
  ],
});
