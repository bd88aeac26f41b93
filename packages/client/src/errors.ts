import type { FieldError, Job, Problem } from './types.ts';

/** What an error knows beside its message. */
export interface ErrorFacts {
  /** For programs: a code of docs/errors.md, or one of this client (`connection`, `timeout`, `job_canceled`, …). */
  code: string;
  /** Of the HTTP answer; undefined when there was none. */
  status?: number | undefined;
  /** Whether the same call may succeed later. */
  retryable?: boolean;
  /** What the operator of the service asks for. */
  requestId?: string | undefined;
  /** What is wrong, and what to do. */
  detail: string;
  /** The fields that are wrong. */
  errors?: readonly FieldError[] | undefined;
  /** Milliseconds after which the service wants to be asked again. */
  retryAfterMs?: number | undefined;
  /** The whole body of a refusal. */
  problem?: Partial<Problem> | undefined;
  cause?: unknown;
}

/** What all errors of this client have in common. */
export class GrsaiJobsError extends Error {
  override readonly name: string = 'GrsaiJobsError';
  readonly code: string;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly requestId: string | undefined;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number | undefined;
  readonly problem: Partial<Problem> | undefined;

  constructor(facts: ErrorFacts) {
    super(messageOf(facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.retryable = facts.retryable ?? false;
    this.requestId = facts.requestId;
    this.detail = facts.detail;
    this.errors = facts.errors ?? [];
    this.retryAfterMs = facts.retryAfterMs;
    this.problem = facts.problem;
  }
}

/** The detail, the first wrong fields, and the request id. */
function messageOf({ code, status, detail, errors = [], requestId }: ErrorFacts): string {
  const fields = errors.slice(0, 3).map(({ line, pointer, message }) => {
    const place = [line === undefined ? '' : `line ${line}`, pointer].filter(Boolean).join(' ');
    return `\n  ${place}: ${message}`;
  });
  const more = errors.length > fields.length ? `\n  and ${errors.length - fields.length} more` : '';
  const label = [status, code].filter((part) => part !== undefined).join(' ');
  return `${detail} (${label}${requestId === undefined ? '' : `, request ${requestId}`})${fields.join('')}${more}`;
}

/** 401: no API key, or one that is unknown, revoked or expired. */
export class AuthenticationError extends GrsaiJobsError {
  override readonly name = 'AuthenticationError';
}
/** 403: the key lacks a scope, or its tenant may not use the model. */
export class PermissionError extends GrsaiJobsError {
  override readonly name = 'PermissionError';
}
/** 404: the tenant of the key has nothing with this id. */
export class NotFoundError extends GrsaiJobsError {
  override readonly name = 'NotFoundError';
}
/** 409: the state of the job or batch does not allow this. */
export class ConflictError extends GrsaiJobsError {
  override readonly name = 'ConflictError';
}
/** Any other 4xx: what was sent is wrong; `errors` names the fields. */
export class InvalidRequestError extends GrsaiJobsError {
  override readonly name = 'InvalidRequestError';
}
/** 429: a limit of the tenant or its key; `retryAfterMs` says when to come again. */
export class RateLimitError extends GrsaiJobsError {
  override readonly name = 'RateLimitError';
}
/** 408 and 5xx: the service, or what stands before it, could not do it now. */
export class ServiceUnavailableError extends GrsaiJobsError {
  override readonly name = 'ServiceUnavailableError';
}
/** There was no answer, or only a part of one: it is not known whether the service has done what was asked. */
export class ConnectionError extends GrsaiJobsError {
  override readonly name = 'ConnectionError';
}
/** The time that was given is over. What the service was asked to do goes on there. */
export class TimeoutError extends GrsaiJobsError {
  override readonly name = 'TimeoutError';
}
/** A webhook is not from the service, too old, or not its raw body. */
export class WebhookVerificationError extends GrsaiJobsError {
  override readonly name = 'WebhookVerificationError';
}

/** A job ended as failed, expired or canceled; `job.error` says why. */
export class JobFailedError extends GrsaiJobsError {
  override readonly name = 'JobFailedError';
  readonly job: Job;

  constructor(job: Job) {
    super({
      code: job.error?.code ?? `job_${job.status}`,
      retryable: job.error?.retryable ?? false,
      detail: `${job.id} is ${job.status}${job.error ? `: ${job.error.message}` : '.'}`,
    });
    this.job = job;
  }
}

type Class = new (facts: ErrorFacts) => GrsaiJobsError;

const BY_STATUS: Readonly<Record<number, Class>> = {
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  408: ServiceUnavailableError,
  409: ConflictError,
  429: RateLimitError,
};

function classOf(status: number): Class {
  return BY_STATUS[status] ?? (status >= 500 ? ServiceUnavailableError : InvalidRequestError);
}

/** Whether the same request may be answered otherwise later (docs/errors.md). */
const mayPass = (status: number, code: string): boolean =>
  status === 408 || status === 429 || status >= 500 || code === 'idempotency_key_in_use';

/** The error for an answer that is no success. Reads its body. */
export async function errorOf(response: Response): Promise<GrsaiJobsError> {
  const { status, headers } = response;
  const problem = parse(await response.text().catch(() => ''));
  const location = headers.get('location');
  // An answer that its runtime hides (`opaqueredirect`) has the status 0.
  const redirect = status < 400 ? `It points to ${location ?? 'another place'}: is baseUrl the address of the API?` : undefined;
  const code = problem?.code ?? (redirect === undefined ? `http_${status}` : 'redirected');
  return new (classOf(status))({
    code,
    status,
    retryable: mayPass(status, code),
    requestId: problem?.request_id ?? headers.get('x-request-id') ?? undefined,
    detail: redirect ?? problem?.detail ?? problem?.title ?? `The service answered ${status}`,
    errors: problem?.errors,
    retryAfterMs: retryAfterMs(headers),
    problem,
  });
}

/**
 * `Retry-After` in milliseconds from now, or undefined: in seconds, as the service sends it, or a date, as what stands before it may
 * (RFC 9110, 10.2.3). A date is meant by the clock that sent it, which its `Date` tells.
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = dateOf(text);
  return at === undefined ? undefined : Math.max(0, at - (dateOf(headers.get('date') ?? '') ?? now));
}

/** A date of HTTP begins with the name of its day; `Date.parse` takes much else, a number for a year among it. */
function dateOf(text: string): number | undefined {
  const at = /^[A-Z][a-z]{2,8}[, ]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function parse(text: string): Partial<Problem> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    // What stands before the service answers in its own words.
    return undefined;
  }
}

/** The error for a request that got no whole answer. `fetch failed` says nothing; its cause does. */
export function connectionError(url: string, cause: unknown): ConnectionError {
  return new ConnectionError({
    code: 'connection',
    retryable: true,
    detail: `${url} could not be reached, or its answer was cut: ${reasonOf(cause)}`,
    cause,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  if (!(inner instanceof Error)) return error.message;
  return inner.message || ((inner as { code?: string }).code ?? error.message);
}
