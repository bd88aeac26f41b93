import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { ProblemCode } from '../problem.ts';
import { refusals } from './problems.ts';

/** What all routes of a kind share is said here once, and not by each of them. */

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Groups of the document, by the start of the path; the first that fits counts. */
const TAGS: readonly (readonly [start: string, tag: string, description: string])[] = [
  ['/v1/jobs', 'Jobs', 'One chat or image request each, from its acceptance to its stored result'],
  ['/v1/batches', 'Batches', 'Up to 50 000 jobs with one request'],
  ['/v1/models', 'Models', 'What upstream lists: prices, and what is closed or under maintenance'],
  ['/v1/webhook', 'Webhook secrets and deliveries', 'What receivers verify webhooks with, and what became of each webhook'],
  ['/admin/', 'Operators', 'All tenants: what failed and why, and what to do about it'],
  ['/', 'Service', 'Health and metrics'],
];

const tagOf = (path: string): string | undefined => TAGS.find(([start]) => path.startsWith(start))?.[1];

/** The groups that these paths are in, in the order in which they are shown. */
export function tagsOf(paths: ZodOpenApiPathsObject): { name: string; description: string }[] {
  const used = new Set(Object.keys(paths).map(tagOf));
  return TAGS.flatMap(([, name, description]) => (used.has(name) ? [{ name, description }] : []));
}

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/XRequestId' } };
const RATE_LIMIT = {
  'RateLimit-Policy': { $ref: '#/components/headers/RateLimitPolicy' },
  RateLimit: { $ref: '#/components/headers/RateLimit' },
};
const RETRY_AFTER = { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } };

/** The headers above, for `components.headers`. */
export const headers = {
  XRequestId: {
    description: 'Names this request in our logs; yours, if you sent one',
    required: true,
    schema: { type: 'string' },
    example: 'req_0b7c2a4e-5d6f-4a81-9c3e-7f1d2b3a4c5d',
  },
  RateLimitPolicy: {
    description: 'With `RATE_LIMIT_RPM`: `q` requests of this API key in `w` seconds (draft-ietf-httpapi-ratelimit-headers)',
    schema: { type: 'string' },
    example: '"default";q=600;w=60',
  },
  RateLimit: {
    description: 'With `RATE_LIMIT_RPM`: `r` requests are left, all of them come back in `t` seconds',
    schema: { type: 'string' },
    example: '"default";r=599;t=60',
  },
  RetryAfter: {
    description: 'Seconds until it is worth asking again',
    required: true,
    schema: { type: 'string' },
    example: '2',
  },
} as const;

/** Routes with an API key under `/v1` can be limited by the minute. */
const isLimited = (path: string): boolean => path.startsWith('/v1/');
/** Routes that make jobs: their bodies may be large, and what they make is counted. */
const LARGE = ['/v1/jobs', '/v1/batches'];

/** What a tenant is answered that asks for too much at once. */
const limitsOf = (path: string, hasBody: boolean): ProblemCode[] => {
  if (!/^\/(?:v1|admin)\//.test(path)) return [];
  const byMinute: ProblemCode[] = isLimited(path) ? ['rate_limited'] : [];
  return [
    'too_many_open_requests',
    ...byMinute,
    ...(path === '/v1/jobs/{id}/retry' ? (['tenant_quota_exceeded', 'tenant_queue_full'] as const) : []),
    ...(hasBody && LARGE.includes(path)
      ? (['too_many_bytes_in_flight', 'tenant_quota_exceeded', 'tenant_queue_full', 'budget_exceeded'] as const)
      : []),
  ];
};

function withRefusals(path: string, operation: ZodOpenApiOperationObject): ZodOpenApiOperationObject {
  const tag = tagOf(path);
  return {
    ...operation,
    tags: operation.tags ?? (tag === undefined ? [] : [tag]),
    responses: { ...operation.responses, ...refusals(...limitsOf(path, operation.requestBody !== undefined)) },
  };
}

/** Adds the group of each route and the refusals that any of its kind can have. */
export const withShared = (paths: ZodOpenApiPathsObject): ZodOpenApiPathsObject =>
  Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(METHODS.flatMap((method) => (item[method] ? [[method, withRefusals(path, item[method])]] : []))),
    ]),
  );

interface Document {
  paths?: Record<string, Record<string, { responses?: Record<string, { headers?: Record<string, unknown> }> }>>;
}

/** Adds the headers that every answer has, beside those of its own. */
export function addSharedHeaders<T extends object>(document: T): T {
  for (const [path, item] of Object.entries((document as Document).paths ?? {}))
    for (const { responses = {} } of Object.values(item))
      for (const [status, response] of Object.entries(responses))
        response.headers = {
          ...(status === '429' || status === '503' ? RETRY_AFTER : {}),
          ...response.headers,
          // A request without a valid key is not counted.
          ...(isLimited(path) && status !== '401' ? RATE_LIMIT : {}),
          ...REQUEST_ID,
        };
  return document;
}
