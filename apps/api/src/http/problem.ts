import type { Response } from 'express';
import type { FieldError } from '../validation/validate.ts';
import type { BlankSecrets } from './blank-secrets.ts';
import { endEarly, owesBody, type UnreadBody } from './unread-body.ts';

/** Every kind of refusal that this API answers with: its status and title. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  bad_request: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'No valid API key' },
  budget_exceeded: { status: 402, title: 'The budget of the tenant is used up' },
  forbidden: { status: 403, title: 'The API key lacks a scope' },
  model_not_allowed: { status: 403, title: 'The tenant may not use this model' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  conflict: { status: 409, title: 'The state does not allow this' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_request: { status: 422, title: 'The request has invalid fields' },
  idempotency_key_in_use: { status: 409, title: 'A request with this Idempotency-Key is still open' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used for another request' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  tenant_quota_exceeded: { status: 429, title: 'A limit of the tenant is reached' },
  tenant_queue_full: { status: 429, title: 'The queue of the tenant is full' },
  too_many_bytes_in_flight: { status: 429, title: 'Too many bytes of bodies are open' },
  too_many_open_requests: { status: 429, title: 'Too many requests are open' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The service failed' },
  unavailable: { status: 503, title: 'The service cannot take this now' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** A limit of a tenant, and what it has. */
interface ReachedQuota {
  readonly name: 'redis' | 'stored' | 'live' | 'queued';
  readonly limit: number;
  readonly used: number;
}

/** A refusal with a reason that says what to do. Thrown anywhere below a route, answered as RFC 9457. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** How many lines of a batch are wrong; `errors` may not have room for all of them. */
  readonly invalidCount: number | undefined;
  /** Which limit of the tenant was reached. */
  readonly quota: ReachedQuota | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      errors?: readonly FieldError[];
      headers?: Readonly<Record<string, string>>;
      invalidCount?: number;
      quota?: ReachedQuota;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.invalidCount = more.invalidCount;
    this.quota = more.quota;
  }
}

/** The body of a refusal (RFC 9457). */
export function problemBody(problem: Problem, about: { instance: string; requestId: string }) {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: `urn:grsai-jobs:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    instance: about.instance,
    code: problem.code,
    request_id: about.requestId,
    ...(problem.invalidCount === undefined ? {} : { invalid_count: problem.invalidCount }),
    ...(problem.quota ? { quota: problem.quota } : {}),
    ...(problem.errors ? { errors: problem.errors } : {}),
  };
}

/** Seconds that a caller waits before it comes again when the service is away. */
const RETRY_AFTER_S = 2;

/** A refusal as it is answered. */
interface WrittenProblem {
  status: number;
  headers: Readonly<Record<string, string>>;
  type: string;
  body: object;
}

/** Says a refusal in the words of a protocol. */
export type WriteProblem = (
  problem: Problem,
  about: { instance: string; requestId: string; response: Response },
) => WrittenProblem;

/** The headers of a refusal: who answers 503 says when to come again. */
export const headersOf = ({ code, headers }: Problem): Readonly<Record<string, string>> =>
  PROBLEMS[code].status === 503 ? { 'Retry-After': String(RETRY_AFTER_S), ...headers } : headers;

/** As RFC 9457 says. */
const writeProblem: WriteProblem = (problem, about) => ({
  status: PROBLEMS[problem.code].status,
  headers: headersOf(problem),
  type: 'application/problem+json',
  body: problemBody(problem, about),
});

export function sendProblem(
  response: Response,
  problem: Problem,
  blank: BlankSecrets,
  o: { unread?: UnreadBody | undefined; write?: WriteProblem | undefined } = {},
): void {
  const [instance = ''] = response.req.originalUrl.split('?');
  const about = { instance: blank(instance), requestId: response.locals['requestId'] as string, response };
  const written = (o.write ?? writeProblem)(problem, about);
  const text = blank(JSON.stringify(written.body));
  response.status(written.status).set(written.headers).type(written.type);
  const send = () => {
    if (owesBody(response.req)) endEarly(response.req, response, text, o.unread);
    else response.send(text);
  };
  // What came together with the head is read by then: a whole request leaves its connection open.
  if (owesBody(response.req)) setImmediate(send);
  else send();
}
