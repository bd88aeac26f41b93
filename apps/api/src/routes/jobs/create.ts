import { isTerminal, type JobRecord, JobRequest, type SignLink, viewJob, withoutNulls } from '@grsai-jobs/jobs';
import type { SliceQueue, Slices } from '@grsai-jobs/runtime';
import { anySignal } from 'any-signal';
import type { Response } from 'express';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { JOB_RATIO, jsonBody } from '../../http/body.ts';
import type { BodyBudget } from '../../http/body-budget.ts';
import { idempotencyKey as idempotencyKeyOf } from '../../http/idempotency-key.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import type { OpenRequests } from '../../http/open-requests.ts';
import { comeBack, idempotencyKey, json, refusals } from '../../http/openapi/answers.ts';
import { preferredWait } from '../../http/prefer.ts';
import { Problem } from '../../http/problem.ts';
import { JOB_REFUSALS, orProblem } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { sendJson } from '../../http/send-json.ts';
import { invalid } from '../../http/validate.ts';
import type { WarningsOf } from '../../use-cases/check-request.ts';
import type { CreateJob } from '../../use-cases/create-job.ts';
import type { WaitForEnd } from '../../use-cases/wait-for-end.ts';
import { tryJob } from '../../validation/job.ts';
import type { FieldError } from '../../validation/validate.ts';
import { chatJob, queuedJob } from './examples.ts';
import { address } from './one-job.ts';
import { Job } from './schemas.ts';

interface CreateJobDeps {
  createJob: CreateJob;
  waitForEnd: WaitForEnd;
  keyEnds: KeyEnds['keyEnds'];
  sign: SignLink;
  bodyLimit: number;
  budget: BodyBudget;
  slices: SliceQueue;
  /** Marks a request as one that stays open. */
  lasts: OpenRequests['lasts'];
  /** What only this service can know to be wrong with a valid request: a forbidden address, a size that a model lacks. */
  checkJob: (request: JobRequest) => FieldError[];
  warningsOf: WarningsOf;
}

const replayed = z.string().optional().describe('true when this Idempotency-Key had made the job before');
const waited = z.string().describe('the wait that was taken, as wait=30');

/** The first one is what most callers send first; each is sent to a running service by a test. */
const jobRequests = {
  chat: {
    summary: 'A chat',
    value: {
      type: 'chat',
      input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }], temperature: 0.2 },
      webhook: { url: 'https://caller.example/hooks' },
    },
  },
  image: {
    summary: 'An image, with all that can be said of a job',
    value: {
      type: 'image',
      input: {
        model: 'nano-banana-2',
        prompt: 'a paper lighthouse on a foggy desk',
        images: ['https://caller.example/sketch.png'],
        aspect_ratio: '4:3',
        image_size: '2K',
      },
      via: 'generate',
      webhook: { url: 'https://caller.example/hooks', events: ['job.succeeded', 'job.failed'] },
      metadata: { order: 'A-17' },
      priority: 'high',
      expires_in_s: 3600,
      max_attempts: 2,
      resubmit_failed: 'never',
      on_unknown_submit: 'fail',
      output: { url_ttl_s: 86_400 },
    },
  },
  'image with a synchronous call': {
    summary: 'An image by the call that waits for it',
    value: { type: 'image', input: { model: 'gpt-image-2', prompt: 'a paper lighthouse' }, via: 'generations', priority: 'low' },
  },
  'chat with an image': {
    summary: 'A question about an image',
    value: {
      type: 'chat',
      input: {
        model: 'gemini-3.1-pro',
        messages: [
          { role: 'system', content: 'Answer in one sentence.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is on this picture?' },
              { type: 'image_url', image_url: { url: 'https://caller.example/sketch.png' } },
            ],
          },
        ],
      },
    },
  },
};

export const createJob = route({
  method: 'post',
  path: '/v1/jobs',
  scope: 'jobs:write',
  operation: {
    operationId: 'createJob',
    summary: 'Send a job',
    requestParams: {
      header: z.object({
        'Idempotency-Key': idempotencyKey('order-A-17', 'the same key and body make one job, for 72 hours'),
        Prefer: z
          .string()
          .optional()
          .meta({ example: 'wait=30' })
          .describe('wait=30: the answer waits so many seconds, at most 60, for the end of the job; 60 without a number'),
      }),
    },
    requestBody: { required: true, content: { 'application/json': { schema: JobRequest, examples: jobRequests } } },
    responses: {
      '200': {
        ...json(Job, 'The job has ended within the preferred wait', chatJob),
        headers: z.object({ Location: address, 'Idempotent-Replayed': replayed, 'Preference-Applied': waited }),
      },
      '202': {
        ...json(Job, 'Accepted: the job will reach a terminal state', queuedJob),
        headers: z.object({
          Location: address,
          'Retry-After': comeBack,
          'Idempotent-Replayed': replayed,
          'Preference-Applied': waited.optional(),
        }),
      },
      ...refusals(
        'malformed_json',
        'bad_request',
        'unauthorized',
        'forbidden',
        'model_not_allowed',
        'not_found',
        'request_timeout',
        'body_too_large',
        'unsupported_media_type',
        'invalid_request',
        'idempotency_key_reused',
        'unavailable',
      ),
    },
  },
  handlers: (o: CreateJobDeps) => [
    ...jsonBody(o.bodyLimit, { budget: o.budget, ratio: JOB_RATIO, slices: o.slices }),
    async (request, response) => {
      const key = idempotencyKeyOf(request.headers['idempotency-key']);
      const waitS = preferredWait(request.headers['prefer']);
      const wanted = await validateJob(withoutNulls(request.body), o.slices.of(principalOf(response).tenant));
      const problems = o.checkJob(wanted);
      if (problems.length > 0) throw invalid(problems);
      const warnings = o.warningsOf(wanted);
      if (waitS !== undefined) o.lasts(response);
      const accepted = orProblem(
        await o.createJob(wanted, {
          tenant: principalOf(response).tenant,
          keyId: principalOf(response).key_id,
          requestId: response.locals['requestId'] as string,
          body: request.body,
          ...(key === undefined ? {} : { idempotencyKey: key }),
        }),
        JOB_REFUSALS,
      );
      const { record, replayed } = accepted;
      response.locals['jobId'] = record.id;
      response.setHeader('Location', `/v1/jobs/${record.id}`);
      if (replayed) response.set('Idempotent-Replayed', 'true');
      const job = waitS === undefined ? record : await afterWait(o, record, waitS, response);
      const isOpen = waitS === undefined || !isTerminal(job.status);
      if (isOpen) response.setHeader('Retry-After', '2');
      sendJson(response, isOpen ? 202 : 200, {
        ...(await viewJob(job, o.sign)),
        ...(warnings.length > 0 ? { warnings } : {}),
      });
    },
  ],
});

/** @throws Problem `invalid_request` */
async function validateJob(body: unknown, slices: Slices): Promise<JobRequest> {
  const read = await tryJob(JobRequest, body, slices);
  if ('errors' in read) throw invalid(read.errors);
  return read.data;
}

/** The job as it is when it has ended, or when the caller has waited for so long. */
async function afterWait(
  o: Pick<CreateJobDeps, 'waitForEnd' | 'keyEnds'>,
  job: JobRecord,
  seconds: number,
  response: Response,
): Promise<JobRecord> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  if (response.destroyed) gone.abort();
  response.set('Preference-Applied', `wait=${seconds}`);
  const ended = o.keyEnds(response);
  const noMore = anySignal([gone.signal, ended]);
  const now = await o.waitForEnd(job, seconds * 1000, noMore).finally(noMore.clear);
  if (ended.aborted)
    throw new Problem('unauthorized', 'This API key was revoked or expired while its request waited; the job goes on.');
  return now;
}
