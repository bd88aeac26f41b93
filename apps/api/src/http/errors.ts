import { NotLasting, redisTrouble } from '@grsai-jobs/redis';
import type { Logger } from '@grsai-jobs/runtime';
import type { ErrorRequestHandler, Request } from 'express';
import { type BlankSecrets, createBlankSecrets } from './blank-secrets.ts';
import { Problem, type ProblemCode, sendProblem, type WriteProblem } from './problem.ts';
import type { UnreadBody } from './unread-body.ts';

/** How the routes under a path answer refusals, where that is not as RFC 9457 says. */
export interface Dialect {
  /** `/openai/v1`. */
  readonly under: string;
  readonly write: WriteProblem;
  /** What somebody may have meant who asked for a path that there is not. */
  readonly hint: (path: string) => string;
}

/** The dialect of a path, in letters of any case, as the routes are found. */
export const dialectOf = (path: string, dialects: readonly Dialect[] = []): Dialect | undefined =>
  dialects.find(({ under }) => `${path.toLowerCase()}/`.startsWith(`${under}/`));

/** Errors of express by their status. */
function expressProblem(error: { status?: unknown; expose?: unknown; message?: unknown }): Problem | null {
  const CODES: Readonly<Record<number, ProblemCode>> = {
    400: 'bad_request',
    404: 'not_found',
    413: 'body_too_large',
    415: 'unsupported_media_type',
  };
  const { status } = error;
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  if (error instanceof URIError) return new Problem('bad_request', 'The path holds a % that is no percent-encoding of UTF-8.');
  return new Problem(CODES[status] ?? 'bad_request', error.expose ? String(error.message) : 'The request cannot be read.');
}

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

const whenAway = (request: Request): string =>
  `The job store cannot be reached. ${isRead(request) ? 'Send' : 'Nothing was accepted; send'} the request again.`;

/** What is lost with an answer, and what a caller can do to learn what became of its request. */
function whenLost(request: Request, error: unknown): string {
  const { method, path } = request;
  if (isRead(request)) return 'The job store did not answer. Send the request again.';
  const why =
    error instanceof NotLasting ? 'No replica of the job store has confirmed it' : 'The answer of the job store was lost';
  const may = `${why}, so the request may have been`;
  if (method === 'POST' && (path === '/v1/jobs' || path === '/v1/batches'))
    return `${may} accepted. Send it again with the same Idempotency-Key: that answers with it, and makes no second ${path === '/v1/jobs' ? 'job' : 'batch'}.`;
  if (path.startsWith('/admin/')) return `${may} carried out. Look whether it was before you send it again.`;
  return `${may} carried out. Read the job to see, or send the request again.`;
}

/** Turns whatever was thrown below a route into one problem; what nobody meant to throw is logged and answers 500. */
function problemOf(error: unknown, request: Request): Problem {
  if (error instanceof Problem) return error;
  const trouble = redisTrouble(error);
  if (trouble === 'away') return new Problem('unavailable', whenAway(request));
  if (trouble === 'full')
    return new Problem('unavailable', 'The job store is full. Nothing was accepted; send the request again later.');
  if (trouble === 'lost') return new Problem('unavailable', whenLost(request, error));
  if (typeof error === 'object' && error !== null)
    return expressProblem(error) ?? new Problem('internal', 'The service failed; the request id shows us where.');
  return new Problem('internal', 'The service failed; the request id shows us where.');
}

export function errorHandler(
  log: Logger,
  o: { unread?: UnreadBody | undefined; blank?: BlankSecrets; dialects?: readonly Dialect[] } = {},
): ErrorRequestHandler {
  const blank = o.blank ?? createBlankSecrets();
  return (error: unknown, request, response, next) => {
    const problem = problemOf(error, request);
    response.locals['problemCode'] = problem.code;
    if (problem.code === 'internal')
      log.error({ err: error, request_id: response.locals['requestId'] as string }, 'request failed');
    if (response.headersSent) {
      next(error);
      return;
    }
    sendProblem(response, problem, blank, { unread: o.unread, write: dialectOf(request.path, o.dialects)?.write });
  };
}
