import { goodImage, invalidJob, NO_JOB, type Row, refused } from './row.ts';

const missing = (method: string, path: string): Row => ({
  what: `${method} ${path}`,
  status: 404,
  code: 'not_found',
  method,
  path,
});
const query = (text: string, pointer: string): Row => ({
  ...invalidJob(`a list with ${text}`, pointer, ''),
  method: 'GET',
  path: `/v1/jobs?${text}`,
});
const cursor = (text: string): Row => ({
  what: `the cursor ${text}`,
  status: 400,
  code: 'bad_request',
  method: 'GET',
  path: `/v1/jobs?cursor=${text}`,
});
const sealed = (place: string) => Buffer.from(place).toString('base64url');

/** Keys, headers, methods, paths, queries and cursors. */
export const REQUEST_ROWS: readonly Row[] = [
  ...['', 'Bearer', 'Bearer ', 'Bearer gj_nobody', 'Basic YTpi', 'gj_nobody', 'Bearer a b', `Bearer gj_${'x'.repeat(4000)}`].map(
    (value) => refused(401, 'unauthorized', `the key "${value.slice(0, 20)}"`, { authorization: value }),
  ),
  {
    what: 'a key without the scope',
    status: 403,
    code: 'forbidden',
    path: '/admin/v1/keys',
    body: { tenant: 'a', name: 'n', scopes: ['jobs:read'] },
  },
  ...['a b', 'k\u00e9', 'a\tb'].map((key) =>
    refused(400, 'bad_request', `the idempotency key ${JSON.stringify(key)}`, { 'idempotency-key': key }),
  ),
  refused(400, 'bad_request', 'an empty idempotency key', { 'idempotency-key': '' }),

  {
    what: 'a condition that an asset does not meet',
    status: 400,
    code: 'bad_request',
    method: 'GET',
    path: '/docs/assets/standalone.esm.js',
    headers: { 'if-match': '"none"' },
  },

  ...(
    [
      ['PUT', '/v1/jobs'],
      ['DELETE', '/v1/jobs'],
      ['PATCH', '/v1/jobs'],
      ['POST', NO_JOB],
      ['PUT', NO_JOB],
      ['GET', `${NO_JOB}/cancel`],
      ['DELETE', `${NO_JOB}/events`],
      ['POST', `${NO_JOB}/images/0`],
      ['POST', '/livez'],
    ] as const
  ).map(
    ([method, path]): Row => ({
      what: `${method} ${path}`,
      status: 405,
      code: 'method_not_allowed',
      method,
      path,
      ...(method === 'PUT' ? { body: goodImage() } : {}),
    }),
  ),

  missing('GET', '/v2/jobs'),
  missing('POST', '/jobs'),
  missing('GET', '/v1'),
  missing('GET', '/v1/jobs/..%2f..%2fetc'),
  missing('GET', '/v1/jobs/JOB_01ARZ3NDEKTSV4RRFFQ69G5FAV'),
  missing('GET', '/v1/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FA'),
  missing('GET', '/v1/jobs/job_01arz3ndektsv4rrffq69g5fav'),
  missing('GET', '/v1/jobs/job_*'),
  missing('GET', '/v1/jobs/%00'),
  missing('GET', `/v1/jobs/${'x'.repeat(4000)}`),
  missing('GET', `/v1/jobs/${encodeURIComponent('job_01ARZ3NDEKTSV4RRFFQ69G5FAV\n')}`),
  missing('GET', `${NO_JOB}/images`),
  missing('POST', `${NO_JOB}/cancel`),
  missing('POST', `${NO_JOB}/retry`),
  missing('GET', `${NO_JOB}/events`),
  missing('GET', `${NO_JOB}/images/0`),
  missing('DELETE', NO_JOB),
  { what: 'broken percent-encoding', status: 400, code: 'bad_request', method: 'GET', path: '/v1/jobs/%E0%A4%A' },
  { what: 'a lone percent sign', status: 400, code: 'bad_request', method: 'GET', path: '/v1/jobs/%' },

  query('limit=0', '/limit'),
  query('limit=-1', '/limit'),
  query('limit=1.5', '/limit'),
  query('limit=ten', '/limit'),
  query('limit=', '/limit'),
  query('limit=1e1', '/limit'),
  query('limit=1&limit=2', '/limit'),
  query('status=done', '/status/0'),
  query('status=', '/status/0'),
  query('status=queued,,failed', '/status/1'),
  query('status[]=queued', '/status[]'),
  query('type=video', '/type'),
  query('error_code=oops', '/error_code/0'),
  query('created_after=yesterday', '/created_after'),
  query('created_after=1764000000', '/created_after'),
  query('created_before=2026-02-30T00:00:00Z', '/created_before'),
  query('metadata.=x', '/metadata.'),
  query('model=', '/model'),
  query('batch_id=', '/batch_id'),
  query('order=asc', '/order'),
  query('tenant=rival', '/tenant'),
  query('__proto__=x', '/__proto__'),
  query('constructor=x', '/constructor'),

  ...['x', '!!!', 'LTEuam9iX0E', '%00', 'MTc', '%F0%9F%98%80'].map(cursor),
  cursor(sealed('1.2.3')),
  cursor(sealed('1.5.job_A')),
  cursor(sealed('1.job A')),
  cursor(`${sealed('1.job_A')}=`),

  ...['x', '-1', '1.5', '1, 2'].map(
    (id): Row => ({
      what: `Last-Event-ID: ${id}`,
      status: 400,
      code: 'bad_request',
      method: 'GET',
      path: `${NO_JOB}/events`,
      headers: { 'last-event-id': id, accept: 'text/event-stream' },
    }),
  ),

  ...(
    [
      ['text', 415, 'unsupported_media_type', 'mode=resume', { 'content-type': 'text/plain' }],
      ['cut JSON', 400, 'malformed_json', '{"mode":', {}],
      ['a list', 422, 'invalid_request', '[]', {}],
      ['no known mode', 422, 'invalid_request', '{"mode":"again"}', {}],
      ['a typo', 422, 'invalid_request', '{"Mode":"resume"}', {}],
    ] as const
  ).map(
    ([what, status, code, body, headers]): Row => ({
      what: `a retry with ${what}`,
      status,
      code,
      path: `${NO_JOB}/retry`,
      body,
      headers,
    }),
  ),
];
