import type { Response } from 'express';
import type { Dialect } from '../../http/errors.ts';
import { headersOf, PROBLEMS, type Problem, type WriteProblem } from '../../http/problem.ts';

/** What is wrong, as OpenAI's clients read it. `code` is a code of ours unless OpenAI has one for it. */
export interface OpenAiError {
  status: number;
  message: string;
  code: string;
  /** The field of the body, as `messages[0].content`. */
  param?: string | null;
}

/** What a client makes an exception of, by status. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

const typeOf = (status: number): string => TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');

/** As it stands in a body: of an answer, or of a line of what a batch puts out. */
export const openAiBody = ({ status, message, code, param = null }: OpenAiError, more: object = {}) => ({
  error: { message, type: typeOf(status), code, param, ...more },
});

/** Where OpenAI has another code than we have. */
const CODES: Readonly<Record<string, string>> = { unauthorized: 'invalid_api_key' };

/**
 * Statuses that clients send a request again for in vain: LangChain repeats 422, `ai` repeats 409. What is wrong with a body is 400 at OpenAI too.
 */
const STATUSES: Readonly<Record<number, number>> = { 409: 400, 422: 400 };

/** `/messages/0/content` → `messages[0].content`. */
export const paramOf = (pointer: string): string | null => {
  const [, ...parts] = pointer.split('/');
  const text = parts.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`));
  return text.length === 0 ? null : text.join('').replace(/^\./, '');
};

/** Longer waits are ignored by the clients, which then come back at once. */
const LONGEST_RETRY_AFTER_S = 59;

/** Clients read this beside the status, and then send nothing again. */
const FINAL = { 'x-should-retry': 'false' } as const;

/** Statuses that no client repeats. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 413]);

/** Says of the jobs of a request that they exist: from then on nothing is answered that a client would send the request again for. */
export function tellJobs(response: Response, ids: readonly string[]): void {
  response.locals['madeJobs'] = true;
  response.locals['jobId'] = ids.join(',');
  response.set('x-grsai-job-id', ids.join(','));
}

/** Jobs of a request may exist, and nothing would find them for whoever sends it again. */
export function mayHaveJobs(response: Response): void {
  response.locals['madeJobs'] = true;
}

/** A client may send its request again after all: it gets the same jobs by that. */
export function comesBack(response: Response): void {
  response.locals['madeJobs'] = false;
}

/** The status that a client may see: once something may have been paid for, none that it repeats. */
const statusOf = (problem: Problem, response: Response): number => {
  const { status: own } = PROBLEMS[problem.code];
  const status = STATUSES[own] ?? own;
  return response.locals['madeJobs'] === true && !FINAL_STATUSES.has(status) ? 400 : status;
};

const writeOpenAi: WriteProblem = (problem, { requestId, response }) => {
  const status = statusOf(problem, response);
  const { 'Retry-After': retryAfter, ...headers } = headersOf(problem);
  const seconds = Math.min(Number(retryAfter), LONGEST_RETRY_AFTER_S);
  const final = response.locals['madeJobs'] === true;
  const [first] = problem.errors ?? [];
  const code = CODES[problem.code] ?? problem.code;
  return {
    status,
    headers: {
      ...headers,
      ...(retryAfter === undefined || final ? {} : { 'Retry-After': String(seconds) }),
      ...(final ? FINAL : {}),
    },
    type: 'application/json',
    body: openAiBody(
      { status, code, message: problem.message, param: first === undefined ? null : paramOf(first.pointer) },
      { request_id: requestId, ...(problem.errors ? { errors: problem.errors } : {}) },
    ),
  };
};

/** A problem of ours as the clients read it. */
export const asOpenAiError = (problem: Problem, response: Response): OpenAiError => ({
  status: statusOf(problem, response),
  code: CODES[problem.code] ?? problem.code,
  message: problem.message,
});

/** Answers a refusal that has no problem of ours. */
export function sendError(response: Response, error: OpenAiError, more: object = {}): void {
  response.locals['problemCode'] = error.code;
  response.status(error.status).json(openAiBody(error, { request_id: response.locals['requestId'], ...more }));
}

/** An error in the midst of a stream, of which the clients make an exception. */
export function errorInStream(response: Response, error: OpenAiError, more: object = {}): object {
  response.locals['problemCode'] = error.code;
  return openAiBody(error, { request_id: response.locals['requestId'], ...more });
}

/** Answers that a request came to nothing after it had made jobs: clients must not send it again. */
export function sendFinal(response: Response, error: OpenAiError, more: object = {}): void {
  response.set(FINAL);
  sendError(response, error, more);
}

const CHAT = 'use chat.completions: POST /openai/v1/chat/completions';

/** What clients ask for that there is not, by the beginning of the path behind `/openai/v1`. */
const HINTS: readonly (readonly [start: string, hint: string])[] = [
  ['/responses', `With the OpenAI SDK ${CHAT}; with @ai-sdk/openai name the model by openai.chat("…").`],
  ['/completions', `Instead ${CHAT}.`],
  ['/assistants', `Instead ${CHAT}.`],
  ['/threads', `Instead ${CHAT}.`],
  ['/conversations', `Instead ${CHAT}.`],
  ['/images/variations', 'Use images.edit: POST /openai/v1/images/edits.'],
  ['/embeddings', 'The upstream has no embeddings.'],
  ['/audio', 'The upstream has no audio.'],
  ['/moderations', 'The upstream has no moderations; a job that breaks its content policy fails with content_policy_violation.'],
];

const GENERAL =
  'docs/openai.md lists what there is: chat completions, images, files and batches, models; everything else is under /v1, see /docs.';

export const openAiDialect: Dialect = {
  under: '/openai/v1',
  write: writeOpenAi,
  hint(path) {
    const rest = path.toLowerCase().slice('/openai/v1'.length);
    return HINTS.find(([start]) => rest.startsWith(start))?.[1] ?? GENERAL;
  },
};
