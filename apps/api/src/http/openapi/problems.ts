import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from '../problem.ts';

export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('what is wrong, and what to do'),
    instance: z.string().describe('the path that was asked for'),
    code: z.enum(Object.keys(PROBLEMS) as [string, ...string[]]).describe('for programs; docs/errors.md says what each means'),
    request_id: z.string(),
    invalid_count: z.int().optional().describe('of a batch: how many lines are wrong; `errors` has the first 1000 fields'),
    quota: z
      .object({ name: z.enum(['redis', 'stored', 'live', 'queued']), limit: z.int(), used: z.int() })
      .optional()
      .describe(
        'with `tenant_quota_exceeded`: bytes in the job store, bytes in the object store, or live jobs; with `tenant_queue_full`: queued jobs',
      ),
    errors: z
      .array(
        z.object({
          line: z.int().optional().describe('of a batch'),
          custom_id: z.string().nullable().optional().describe('of a batch'),
          pointer: z.string().describe('a JSON pointer into the body or the line, or /name of the query'),
          message: z.string(),
        }),
      )
      .optional()
      .describe('with `invalid_request`'),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457)' });

/** What `detail` says, for example; a code without a row here shows its title. */
const DETAILS: Readonly<Partial<Record<ProblemCode, string>>> = {
  malformed_json: 'The key "type" stands twice in one object.',
  bad_request: 'Idempotency-Key must be 1 to 255 visible ASCII characters.',
  unauthorized: 'This API key is not known or was revoked.',
  budget_exceeded:
    'Calls of this tenant have cost 1000000 credits in this month, with what is set aside, and its budget is 1000000. Nothing was accepted. It is free again at 2026-12-01T00:00:00.000Z; an operator can raise it.',
  forbidden: 'This API key lacks the scope jobs:write; it has jobs:read.',
  model_not_allowed:
    'This tenant may not use the model gpt-image-2; it may use nano-banana-2, gemini-3.1-pro. Nothing was accepted.',
  not_found: 'There is no job with this id.',
  method_not_allowed: '/v1/jobs takes GET, POST, not PUT.',
  conflict: 'The job is running; only a job that has ended can be deleted. Cancel it first.',
  body_too_large: 'The body is limited to 20971520 bytes, decoded. Send large images as URLs.',
  unsupported_media_type: 'Send the body as application/json, not "text/plain".',
  invalid_request: 'One field is not valid; /input/prompt: prompt must not be empty',
  idempotency_key_in_use: 'A request with this Idempotency-Key is being read. Send it again later.',
  idempotency_key_reused: 'This Idempotency-Key was used for a request with another body. Use a new key for a new request.',
  tenant_quota_exceeded:
    'This tenant has 200000 jobs that have not ended; its limit is 200000. Nothing was accepted. Wait until some have ended, or cancel some.',
  tenant_queue_full:
    'This tenant has 5000 jobs that wait for their turn, of 5000 that may. Nothing was accepted. Wait until some have begun, or cancel some.',
  request_timeout:
    'The body came too slowly: after 30 s at least 1024 bytes a second are asked for. Nothing was accepted; send it again.',
  too_many_bytes_in_flight:
    "The bodies of this tenant's open requests are limited to 67108864 bytes together, and nothing of this one was accepted. Send it again when others have been answered; send large images as URLs.",
  too_many_open_requests:
    'This tenant has 1000 requests open, which is as many as it may. Nothing was carried out. Send it again when others have been answered.',
  rate_limited: 'This API key has used its 600 requests of this minute, and this one was not carried out. Send it again in 12 s.',
  unavailable: 'The job store cannot be reached. Nothing was accepted; send the request again.',
};

const exampleOf = (code: ProblemCode) => ({
  summary: PROBLEMS[code].title,
  value: {
    type: `urn:grsai-jobs:problem:${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    detail: DETAILS[code] ?? `${PROBLEMS[code].title}.`,
    instance: '/v1/jobs',
    code,
    request_id: 'req_0b7c2a4e-5d6f-4a81-9c3e-7f1d2b3a4c5d',
    ...(code === 'tenant_quota_exceeded' ? { quota: { name: 'live' as const, limit: 200_000, used: 200_000 } } : {}),
    ...(code === 'tenant_queue_full' ? { quota: { name: 'queued' as const, limit: 5000, used: 5000 } } : {}),
    ...(code === 'invalid_request' ? { errors: [{ pointer: '/input/prompt', message: 'prompt must not be empty' }] } : {}),
  } satisfies z.output<typeof ProblemBody>,
});

const nameOf = (code: ProblemCode) => `problem_${code}`;

/** One example for each problem, for `components.examples`. */
export const problemExamples = Object.fromEntries(
  (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => [nameOf(code), exampleOf(code)]),
);

/** The answers of a route that refuse, by status, with an example for each code. */
export const refusals = (...codes: ProblemCode[]) =>
  Object.fromEntries(
    [...new Set(codes.map((code) => PROBLEMS[code].status))].map((status) => {
      const ofStatus = codes.filter((code) => PROBLEMS[code].status === status);
      return [
        String(status) as `${1 | 4 | 5}${string}`,
        {
          description: ofStatus.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join('; '),
          content: {
            'application/problem+json': {
              schema: ProblemBody,
              examples: Object.fromEntries(ofStatus.map((code) => [code, { $ref: `#/components/examples/${nameOf(code)}` }])),
            },
          },
        },
      ];
    }),
  );
