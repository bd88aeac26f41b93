import type { CancelJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobError, type JobRecord, type JobRequest, jobOf } from '@grsai-jobs/jobs';
import { redisTrouble } from '@grsai-jobs/redis';
import { anySignal } from 'any-signal';
import type { Response } from 'express';
import { principalOf } from '../../http/auth.ts';
import { idempotencyKey } from '../../http/idempotency-key.ts';
import type { KeyEnds } from '../../http/key-ends.ts';
import type { OpenRequests } from '../../http/open-requests.ts';
import { Problem } from '../../http/problem.ts';
import { JOB_REFUSALS, orProblem } from '../../http/refusals.ts';
import { invalid } from '../../http/validate.ts';
import type { CreateJob } from '../../use-cases/create-job.ts';
import type { HeldAnswer, HoldAnswer } from '../../use-cases/held-answers.ts';
import type { WaitForEnd } from '../../use-cases/wait-for-end.ts';
import type { FieldError } from '../../validation/validate.ts';
import { comesBack, mayHaveJobs, type OpenAiError, tellJobs } from './errors.ts';

/** What a route needs that is held until its jobs have ended. */
export interface HeldJobsDeps {
  createJob: CreateJob;
  holdAnswer: HoldAnswer;
  jobs: Pick<JobStore['jobs'], 'read'>;
  waitForEnd: WaitForEnd;
  keyEnds: KeyEnds['keyEnds'];
  /** Marks a request as one that stays open. */
  lasts: OpenRequests['lasts'];
  /** What only this service can know to be wrong with a valid request. */
  checkJob: (request: JobRequest) => FieldError[];
  cancelJob: CancelJob;
  forgetKey: JobStore['transitions']['forgetKey'];
  /** Has the entry of a job come now that waits for a time of its own. Never rejects. */
  wakeJob: (job: JobRecord) => Promise<void>;
  clock: { now(): number };
}

/** A request that becomes jobs. */
export interface Wanted {
  /** `POST /openai/v1/chat/completions`: what an Idempotency-Key belongs to. */
  route: string;
  requests: readonly JobRequest[];
  /** As sent, for its fingerprint. */
  body: unknown;
  /** Names a field of the job as its sender knows it. */
  asSent: (error: FieldError) => FieldError;
  /** A request that is sent again gets the answer of the earlier one. */
  attach: boolean;
}

/** The answer of a request, unless its key or its sender says that it is not to be joined with an earlier one. */
async function holdAnswer(
  o: HeldJobsDeps,
  wanted: Wanted,
  key: string | undefined,
  response: Response,
): Promise<HeldAnswer | null> {
  const { tenant, key_id: keyId } = principalOf(response);
  const [first] = wanted.requests;
  if (key !== undefined || !wanted.attach || first === undefined) return null;
  const answer = await o.holdAnswer({
    tenant,
    keyId,
    route: wanted.route,
    body: wanted.body,
    jobs: wanted.requests.length,
    again: Number(response.req.headers['x-stainless-retry-count'] ?? 0) >= 1,
    lifeMs: first.expires_in_s * 1000,
    leaves: first.type === 'chat' && first.webhook === undefined,
  });
  const settle = () => answer.settle(response.writableFinished ? 'delivered' : 'left');
  response.once('close', settle);
  if (response.closed || response.destroyed) await settle();
  return answer;
}

/** The jobs of an earlier request, whose caller lost its answer; those that its process has not come to are made now. */
async function claimedJobs(o: HeldJobsDeps, wanted: Wanted, ids: readonly string[], response: Response): Promise<JobRecord[]> {
  const found = await Promise.all(ids.map((id) => o.jobs.read(id)));
  if (found.every((job) => job === null)) throw new Problem('not_found', 'The job of this request was deleted.');
  if (found.includes(null)) return await createJobs(o, wanted, { key: undefined, ids, found }, response);
  const jobs = found.filter((job) => job !== null);
  // Nobody waited for it until now.
  await Promise.all(jobs.map((job) => (job.status === 'queued' ? o.wakeJob(job) : undefined)));
  return jobs;
}

/** Each job of a request has its own part of the key. */
const routeOf = ({ route }: Wanted, n: number): string => (n === 0 ? route : `${route}#${n}`);

/** Cancels the first jobs of a request. Its key stands for them no longer, so the same request makes all of them afresh. */
async function takeBack(o: HeldJobsDeps, wanted: Wanted, jobs: readonly JobRecord[], key: string | undefined): Promise<void> {
  await Promise.all(jobs.map((job) => o.cancelJob(jobOf(job))));
  // Not before they are canceled: nothing would find again those that run on.
  if (key === undefined) return;
  await Promise.all(jobs.map((job, n) => o.forgetKey(job.id, job.tenant, { route: routeOf(wanted, n), key })));
}

const isTakenBack = ({ status }: JobRecord): boolean => status === 'canceled' || status === 'canceling';

async function createJobs(
  o: HeldJobsDeps,
  wanted: Wanted,
  from: { key: string | undefined; ids: readonly string[] | undefined; found?: readonly (JobRecord | null)[] },
  response: Response,
): Promise<JobRecord[]> {
  const jobs: JobRecord[] = [];
  const stale: number[] = [];
  let fresh = false;
  const make = async (n: number, request: JobRequest) => {
    const id = from.ids?.[n];
    const made = await o.createJob(request, {
      tenant: principalOf(response).tenant,
      keyId: principalOf(response).key_id,
      requestId: response.locals['requestId'] as string,
      body: wanted.body,
      route: routeOf(wanted, n),
      origin: 'openai',
      ...(from.key === undefined ? {} : { idempotencyKey: from.key }),
      ...(id === undefined ? {} : { id }),
    });
    // Jobs belong together: when one cannot be made the others are not wanted. One that was made and deleted since says nothing of them.
    if (made.kind !== 'accepted' && made.kind !== 'gone') await takeBack(o, wanted, jobs, from.key);
    const job = orProblem(made, { ...JOB_REFUSALS, invalid_images: ({ errors }) => invalid(errors.map(wanted.asSent)) });
    jobs[n] = job.record;
    tellJobs(
      response,
      jobs.map(({ id: known }) => known),
    );
    return job;
  };
  for (const [n, request] of wanted.requests.entries()) {
    const known = from.found?.[n] ?? null;
    if (known !== null) jobs.push(known);
    else {
      const { record, replayed } = await make(n, request);
      if (replayed && isTakenBack(record)) stale.push(n);
      fresh ||= !replayed;
    }
  }
  // Some were never made: those before them were taken back, by a process that died before it had freed their keys.
  const { key } = from;
  if (fresh && key !== undefined)
    for (const n of stale) {
      const [job, request] = [jobs[n], wanted.requests[n]];
      if (job === undefined || request === undefined) continue;
      await o.forgetKey(job.id, job.tenant, { route: routeOf(wanted, n), key });
      await make(n, request);
    }
  return jobs;
}

/** Makes the jobs of a request, or finds those of the same request whose answer was lost. */
async function jobsOf(
  o: HeldJobsDeps,
  wanted: Wanted,
  response: Response,
): Promise<{ jobs: JobRecord[]; answer: HeldAnswer | null }> {
  const key = idempotencyKey(response.req.headers['idempotency-key']);
  for (const request of wanted.requests) {
    const problems = o.checkJob(request);
    if (problems.length > 0) throw invalid(problems.map(wanted.asSent));
  }
  o.lasts(response);
  const answer = await holdAnswer(o, wanted, key, response);
  if (answer?.claimed) tellJobs(response, answer.jobs);
  try {
    const ids = answer?.jobs;
    const jobs =
      answer?.claimed && ids ? await claimedJobs(o, wanted, ids, response) : await createJobs(o, wanted, { key, ids }, response);
    answer?.made();
    return { jobs, answer };
  } catch (error) {
    // A refusal says that no job was made; after anything else one may be there, for whoever sends the request again.
    await answer?.settle(error instanceof Problem ? 'dropped' : 'left');
    if (answer !== null && !(error instanceof Problem)) comesBack(response);
    const isKnown = error instanceof Problem || ['away', 'full'].includes(redisTrouble(error) ?? '');
    if (!isKnown && answer === null && key === undefined) mayHaveJobs(response);
    throw error;
  }
}

/** A job may outlast its time by what its last call takes. */
const BEYOND_EXPIRY_MS = 15 * 60_000;

/** The jobs of a request, whose caller waits. */
export interface HeldJobs {
  jobs: readonly JobRecord[];
  answer: HeldAnswer | null;
  /** Fires when the caller leaves. */
  gone: AbortSignal;
  /** Fires when the key that let the request in ends. */
  keyEnded: AbortSignal;
  /** How long the end of a job may take. */
  waitMs: (job: JobRecord) => number;
}

/**
 * Makes the jobs of a request, or finds them; `null` when its caller has left. The answer names them from the time they are there, and is none
 * that a client sends its request again for, unless it would get the same jobs by that.
 */
export async function holdJobs(o: HeldJobsDeps, wanted: Wanted, response: Response): Promise<HeldJobs | null> {
  const { jobs, answer } = await jobsOf(o, wanted, response);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  if (response.destroyed) return null;
  const waitMs = (job: JobRecord) => Math.max(0, job.expires_at - o.clock.now()) + BEYOND_EXPIRY_MS;
  return { jobs, answer, gone: gone.signal, keyEnded: o.keyEnds(response), waitMs };
}

/** Why a request whose caller is still there has no answer: its key has ended, or this process stops. */
export async function whyUnanswered({ answer, keyEnded }: HeldJobs, response: Response): Promise<Problem> {
  if (keyEnded.aborted)
    return new Problem('unauthorized', 'This API key was revoked or expired while its request waited; the job goes on.');
  // Whoever sends the request again gets this answer from another process.
  await answer?.settle('left');
  if (answer !== null) comesBack(response);
  return new Problem('unavailable', 'This process stops and cannot wait any longer; the job goes on. Read it under /v1/jobs.');
}

/**
 * The jobs of a request when all have ended; `null` when its caller has left.
 * @throws Problem when the key ends meanwhile, or this process stops
 */
export async function endedJobs(o: HeldJobsDeps, wanted: Wanted, response: Response): Promise<JobRecord[] | null> {
  const held = await holdJobs(o, wanted, response);
  if (held === null) return null;
  const noMore = anySignal([held.gone, held.keyEnded]);
  const ends = held.jobs.map((job) => o.waitForEnd(job, held.waitMs(job), noMore));
  const all = await Promise.all(ends).finally(noMore.clear);
  if (held.gone.aborted) return null;
  if (!held.keyEnded.aborted && all.every(({ status }) => isTerminal(status))) return all;
  throw await whyUnanswered(held, response);
}

/** Codes of jobs that OpenAI has a name for, with their status. */
const ENDS: Readonly<Partial<Record<JobError['code'], Pick<OpenAiError, 'status' | 'code'>>>> = {
  content_rejected: { status: 400, code: 'content_policy_violation' },
  model_unavailable: { status: 404, code: 'model_not_found' },
};

/** How a job that came to nothing is told. No status here is one that clients send a request again for: it may have been paid for. */
export function endError(job: Pick<JobRecord, 'id' | 'status' | 'error'>): OpenAiError {
  const { error } = job;
  if (error === null) return { status: 400, code: job.status, message: `The job ${job.id} was ${job.status}.` };
  return { ...(ENDS[error.code] ?? { status: 400, code: error.code }), message: error.message };
}

/** The answer of a job that succeeded is not to be had now. */
export const unreadable = (id: string): OpenAiError => ({
  status: 400,
  code: 'result_unavailable',
  message: `The answer is stored and cannot be read now. Read it with GET /v1/jobs/${id}.`,
});

/** What stands in the field `grsai` of an answer. */
export const grsaiOf = (jobs: readonly Pick<JobRecord, 'id' | 'run'>[]) => ({
  job_id: jobs[0]?.id,
  ...(jobs.length > 1 ? { job_ids: jobs.map(({ id }) => id) } : {}),
});
