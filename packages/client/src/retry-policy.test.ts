import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConflictError, errorOf, type GrsaiJobsError, retryAfterMs, ServiceUnavailableError } from './errors.ts';
import { type Patience, retryInMs } from './retry-policy.ts';

const away = (retryAfterMs?: number) =>
  new ServiceUnavailableError({ code: 'unavailable', detail: 'away', retryable: true, retryAfterMs });
const ask = (
  error: GrsaiJobsError,
  more: { attempt?: number; downMs?: number; patience?: Patience; random?: () => number } = {},
) => retryInMs(error, { attempt: 1, downMs: 0, patience: { retries: 5 }, random: () => 1, ...more });

test('when tries fail one after another then the waits double up to 8 s, and after the last retry the error stands', () => {
  expect([1, 2, 3, 4, 5, 6].map((attempt) => ask(away(), { attempt }))).toEqual([500, 1000, 2000, 4000, 8000, undefined]);
  expect(ask(away(), { attempt: 100, patience: { retries: 1000 } })).toBe(8000);
});

test('when the patience is a time then it is tried again for so long, however often', () => {
  const patience = { outageMs: 600_000 };
  expect(ask(away(), { attempt: 1000, downMs: 599_999, patience })).toBe(8000);
  expect(ask(away(), { attempt: 2, downMs: 600_000, patience })).toBeUndefined();
});

test('when an upload under the same key still counts as open then it is tried for 90 s, unless there are no retries', () => {
  const open = new ConflictError({ code: 'idempotency_key_in_use', detail: 'open', retryable: true, retryAfterMs: 5_000 });
  expect(ask(open, { attempt: 12, downMs: 89_999, random: () => 0 })).toBe(5_000);
  expect(ask(open, { attempt: 12, downMs: 90_000 })).toBeUndefined();
  expect(ask(open, { attempt: 1, patience: { retries: 0 } })).toBeUndefined();
});

test('when there is jitter then a wait is anywhere between none and the whole, on top of Retry-After', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.nat({ max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, s, random) => {
        const waitMs = ask(away(s * 1000), { attempt, random: () => random });
        expect(waitMs).toBeCloseTo(s * 1000 + random * 500 * 2 ** (attempt - 1), 5);
      },
    ),
  );
});

test('when the service wants more than a minute then the error stands', () => {
  expect(ask(away(60_000))).toBe(60_500);
  expect(ask(away(61_000))).toBeUndefined();
});

test.each([
  [400, 'bad_request', 'InvalidRequestError', false],
  [401, 'unauthorized', 'AuthenticationError', false],
  [403, 'model_not_allowed', 'PermissionError', false],
  [404, 'not_found', 'NotFoundError', false],
  [405, 'method_not_allowed', 'InvalidRequestError', false],
  [408, 'request_timeout', 'ServiceUnavailableError', true],
  [409, 'conflict', 'ConflictError', false],
  [409, 'idempotency_key_in_use', 'ConflictError', true],
  [413, 'body_too_large', 'InvalidRequestError', false],
  [422, 'invalid_request', 'InvalidRequestError', false],
  [422, 'idempotency_key_reused', 'InvalidRequestError', false],
  [429, 'tenant_quota_exceeded', 'RateLimitError', true],
  [500, 'internal', 'ServiceUnavailableError', true],
  [503, 'unavailable', 'ServiceUnavailableError', true],
])('when the service answers %i %s then it is a %s, retryable: %s', async (status, code, name, retryable) => {
  const problem = { code, detail: 'What to do.', request_id: 'req_1', errors: [{ pointer: '/input', message: 'is missing' }] };
  const error = await errorOf(Response.json(problem, { status, headers: { 'retry-after': '7' } }));
  expect(error).toMatchObject({ name, code, status, retryable, requestId: 'req_1', detail: 'What to do.', retryAfterMs: 7000 });
  expect(error.errors).toEqual(problem.errors);
  expect(error.message).toBe(`What to do. (${status} ${code}, request req_1)\n  /input: is missing`);
  expect(retryInMs(error, { attempt: 1, downMs: 0, patience: { retries: 5 }, random: () => 0 })).toBe(
    retryable ? 7000 : undefined,
  );
});

test('when what stands before the service answers in HTML then the status decides, and the request id of its header is kept', async () => {
  const error = await errorOf(new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'x-request-id': 'proxy-1' } }));
  expect(error).toMatchObject({ name: 'ServiceUnavailableError', code: 'http_502', retryable: true, requestId: 'proxy-1' });
});

test('when the address is redirected then the error names where to, and that baseUrl may be wrong', async () => {
  const error = await errorOf(new Response(null, { status: 301, headers: { location: 'https://other.example/' } }));
  expect(error).toMatchObject({ name: 'InvalidRequestError', code: 'redirected', retryable: false });
  expect(error.detail).toContain('https://other.example/');
  expect(error.detail).toContain('baseUrl');
});

const NOW = Date.parse('2026-11-27T16:00:00Z');
test.each([
  ['7', undefined, 7_000],
  ['0', undefined, 0],
  ['Fri, 27 Nov 2026 16:00:30 GMT', undefined, 30_000],
  // By the clock of who sent it: ours may be wrong.
  ['Fri, 27 Nov 2026 18:00:30 GMT', 'Fri, 27 Nov 2026 18:00:10 GMT', 20_000],
  ['Friday, 27-Nov-26 16:00:30 GMT', undefined, 30_000],
  ['Fri, 27 Nov 2026 15:00:00 GMT', undefined, 0],
  ['Fri, 27 Nov 2026 16:00:30 GMT', 'now', 30_000],
  ['-7', undefined, undefined],
  ['1.5', undefined, undefined],
  ['soon', undefined, undefined],
  ['', undefined, undefined],
])('when Retry-After is %j and Date %j then the wait is %s ms', (after, date, ms) => {
  const headers = new Headers({ 'retry-after': after, ...(date === undefined ? {} : { date }) });
  expect(retryAfterMs(headers, NOW)).toBe(ms);
});
