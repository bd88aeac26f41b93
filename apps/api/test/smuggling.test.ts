import { connect } from 'node:net';
import { createLogger } from '@grsai-jobs/runtime';
import { startRedis, startS3 } from '@grsai-jobs/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, buildApi } from '../src/build.ts';
import { loadConfig } from '../src/config.ts';

/** Bytes that a proxy in front could read in another way than we do, so that one request hides in another, sent to the whole API. */

const KEY = 'admin-key-for-tests-0123456789';
const parts: { stop: () => Promise<unknown> }[] = [];
let api: Api;

beforeAll(async () => {
  const [redis, s3] = await Promise.all([startRedis(), startS3()]);
  const config = loadConfig({
    ...s3.env,
    REDIS_URL: redis.url,
    ADMIN_API_KEY: KEY,
    SECRETS_KEY: Buffer.alloc(32, 1).toString('base64'),
    HOST: '127.0.0.1',
    PORT: '0',
    BODY_LIMIT: '1kb',
  });
  api = await buildApi(config, createLogger({ name: 'api', level: 'silent', pretty: false }));
  parts.push(api, s3, redis);
});
afterAll(async () => {
  for (const part of parts) await part.stop();
});

const JOB = JSON.stringify({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hidden' }] },
});
const AUTH = `Authorization: Bearer ${KEY}\r\n`;
const TYPE = 'Content-Type: application/json\r\n';
const post = (headers: string, body: string, line = 'POST /v1/jobs HTTP/1.1'): string =>
  `${line}\r\nHost: a\r\n${AUTH}${TYPE}${headers}\r\n${body}`;
const sized = (body: string): string => post(`Content-Length: ${body.length}\r\n`, body);
const chunked = (chunks: string, te = 'Transfer-Encoding: chunked\r\n'): string => post(te, chunks);
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const get = (headers: string, line = 'GET /v1/jobs HTTP/1.1'): string => `${line}\r\nHost: a\r\n${AUTH}${headers}\r\n`;

/** A whole request that makes a job, for the inside of another one. */
const HIDDEN = sized(JOB);
/** Asks for nothing, and lets the server close. */
const LAST = 'GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: last\r\nConnection: close\r\n\r\n';

interface Answer {
  status: number;
  id: string | undefined;
}

/** The answers to these bytes and one last request behind them, until the server closes. */
async function answersTo(bytes: string, o: { oneAfterTheOther?: boolean } = {}): Promise<Answer[]> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (data) => chunks.push(data));
  socket.on('error', () => undefined);
  socket.write(Buffer.from(o.oneAfterTheOther ? bytes : bytes + LAST, 'latin1'));
  if (o.oneAfterTheOther) socket.once('data', () => socket.write(LAST));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const text = Buffer.concat(chunks).toString('latin1');
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n([\s\S]*?)\r\n\r\n/g)]
    .map(([, status, head = '']) => ({ status: Number(status), id: /^x-request-id: (.*)$/im.exec(head)?.[1]?.trim() }))
    .filter(({ status }) => status >= 200);
}

const jobs = async (): Promise<number> => {
  const response = await fetch(`${api.url}/v1/jobs`, { headers: { authorization: `Bearer ${KEY}` } });
  return ((await response.json()) as { data: unknown[] }).data.length;
};

/** What must be refused as unreadable, the connection closed: two readers of it could disagree. */
const UNREADABLE: readonly (readonly [what: string, bytes: string])[] = [
  ['a length before chunks', post(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${HIDDEN}`)],
  ['a length behind chunks', post(`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`, `0\r\n\r\n${HIDDEN}`)],
  ['a length of 0 beside chunks', post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`)],
  ...[
    'xchunked',
    'chunked, identity',
    'chunked, chunked',
    'chunked;q=1',
    '"chunked"',
    'chunked\u0000',
    'chunke',
    '\u00a0chunked',
    ',',
  ].map(
    (te) => [`Transfer-Encoding: ${JSON.stringify(te)}`, chunked(`0\r\n\r\n${HIDDEN}`, `Transfer-Encoding: ${te}\r\n`)] as const,
  ),
  [
    'chunks twice, the last one not',
    chunked(`0\r\n\r\n${HIDDEN}`, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'),
  ],
  ['a space before the colon of the coding', chunked(`0\r\n\r\n${HIDDEN}`, 'Transfer-Encoding : chunked\r\n')],
  ['a space before the colon of the length', post('Content-Length : 5\r\n', `hello${HIDDEN}`)],
  ['a tab before the colon of the length', post('Content-Length\t: 5\r\n', `hello${HIDDEN}`)],
  ['the coding on a folded line', chunked(`0\r\n\r\n${HIDDEN}`, 'X-A: a\r\n Transfer-Encoding: chunked\r\n')],
  ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', `hello${HIDDEN}`)],
  ['the same length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', `hello${HIDDEN}`)],
  ...['5, 5', '+5', '-5', '0x5', '5;', '5 5', '5.0', '1e1', '18446744073709551621', '\u00b25', ''].map(
    (length) => [`Content-Length: ${JSON.stringify(length)}`, post(`Content-Length: ${length}\r\n`, `hello${HIDDEN}`)] as const,
  ),
  ['a folded length', post('Content-Length:\r\n 5\r\n', `hello${HIDDEN}`)],
  ['a folded header', get('X-A: a\r\n b\r\n')],
  ['lines that end with LF only', get('').replaceAll('\r\n', '\n')],
  ['one line that ends with LF only', get('X-A: a\nContent-Length: 5\r\n')],
  ['a CR alone in a header', get('X-A: a\rX-B: b\r\n')],
  ['a head that ends with CR LF LF', 'GET /v1/jobs HTTP/1.1\r\nHost: a\r\n\n'],
  ['a NUL in a header', get('X-A: a\u0000b\r\n')],
  ['a space in front of the first header', `GET /v1/jobs HTTP/1.1\r\n Host: a\r\n\r\n`],
  ...['X A', 'X\u00ffA', '(X)', '', 'X\u0000', 'X\u000b', 'X/A', '{"a"', 'Content-Length\u00a0'].map(
    (name) => [`the header ${JSON.stringify(name)}`, get(`${name}: 5\r\n`)] as const,
  ),
  ['a chunk of no size', chunked(`\r\n${chunk(JOB)}0\r\n\r\n`)],
  ...['0x5', '+5', '-1', 'g', '5 ', ' 5', '5\t;a', 'FFFFFFFFFFFFFFFF5', '5,5'].map(
    (size) => [`a chunk of ${JSON.stringify(size)}`, chunked(`${size}\r\nhello\r\n0\r\n\r\n`)] as const,
  ),
  ['a chunk that goes on behind its size', chunked(`2\r\n{}x\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk whose size ends with LF only', chunked(`2\n{}\r\n0\r\n\r\n${HIDDEN}`)],
  ['chunk data that end with LF only', chunked(`2\r\n{}\n0\r\n\r\n${HIDDEN}`)],
  ['an extension with a CR', chunked(`2;a=b\rc\r\n{}\r\n0\r\n\r\n${HIDDEN}`)],
  ['an extension with an LF', chunked(`2;a=b\nc\r\n{}\r\n0\r\n\r\n${HIDDEN}`)],
  ['the end of chunks with LF only', chunked(`2\r\n{}\r\n0\n\n${HIDDEN}`)],
  ['a trailer with a space before its colon', chunked(`2\r\n{}\r\n0\r\nX-A : a\r\n\r\n${HIDDEN}`)],
  [
    'trailers that name a length and a coding',
    chunked(`2\r\n{}\r\n0\r\nContent-Length: 500\r\nTransfer-Encoding: chunked\r\n\r\n`),
  ],
  ['a version that nobody has', get('', 'GET /v1/jobs HTTP/9.9')],
  ['a version with more behind it', get('', 'GET /v1/jobs HTTP/1.1 HTTP/1.1')],
  ['a method in small letters', get('', 'get /v1/jobs HTTP/1.1')],
  ['a tab in the request line', get('', 'GET\t/v1/jobs\tHTTP/1.1')],
];

test.each(UNREADABLE)('when bytes have %s then there is one refusal, and nothing behind it is read', async (_what, bytes) => {
  const before = await jobs();
  const answers = await answersTo(bytes);
  expect(answers.map(({ status }) => status)).toEqual([400]);
  expect(answers[0]?.id).not.toBe('last');
  expect(await jobs()).toBe(before);
});

/** What has one meaning: its own answer, and the request behind it is what it was. Where a body is not read its connection may close. */
const CLEAR: readonly (readonly [what: string, status: number, bytes: string])[] = [
  ['chunks in other letters', 422, chunked(`2\r\n{}\r\n0\r\n\r\n`, 'transfer-encoding:\tChunKed\r\n')],
  ['chunks with extensions', 422, chunked(`1;a=b;c="d"\r\n{\r\n1;x\r\n}\r\n0;y=z\r\n\r\n`)],
  ['chunks with trailers', 422, chunked(`2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\nHost: b\r\n\r\n`)],
  ['two hosts', 400, get('Host: b\r\n')],
  ['the same host twice', 400, get('Host: a\r\n')],
  ['no chunk at all', 400, chunked('0\r\n\r\n')],
  ['a length with zeros in front', 400, post('Content-Length: 005\r\n', 'hello')],
  ['an address with another host', 200, get('', 'GET http://evil.example/v1/jobs HTTP/1.1')],
  ['an address with a user', 200, get('', 'GET http://user:pass@evil.example:99/v1/jobs HTTP/1.1')],
  ['a GET whose body is a request', 200, get(`Content-Length: ${HIDDEN.length}\r\n`) + HIDDEN],
  [
    'a DELETE whose body is a request',
    404,
    `DELETE /v1/jobs/job_x HTTP/1.1\r\nHost: a\r\n${AUTH}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  ],
  ['nobody who sends it, with a body', 401, sized(JOB).replace(KEY, 'gj_nobody')],
  ['a body of another type', 415, sized(HIDDEN).replace('application/json', 'text/plain')],
  ['a body in a coding that nobody knows', 415, post(`Content-Encoding: x\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN)],
  ['a body that is no JSON', 400, sized(HIDDEN)],
  ['a body with wrong fields', 422, sized('{}')],
  ['a path that is not there, with a body', 404, sized(HIDDEN).replace('/v1/jobs', '/v1/nothing')],
  ['a method that the path has not', 405, sized(HIDDEN).replace('POST', 'PUT')],
  ['empty lines in front', 200, `\r\n\r\n${get('')}`],
  ['a line break behind a body that is not counted', 422, `${sized('{}')}\r\n`],
];

test.each(CLEAR)(
  'when a request has %s then it is answered once with %i, and the next on its connection is what it was, or never read',
  async (_what, status, bytes) => {
    const before = await jobs();
    const answers = await answersTo(bytes);
    expect([[status], [status, 200]]).toContainEqual(answers.map((each) => each.status));
    if (answers.length === 2) expect(answers[1]?.id).toBe('last');
    expect(await jobs()).toBe(before);
  },
);

test('when many clients send the half of a head or of a body and say no more then others are answered, and nothing is left of them', async () => {
  const before = await jobs();
  const { hostname, port } = new URL(api.url);
  const body = sized(JOB);
  const halves = [HIDDEN.slice(0, 30), body.slice(0, -1), chunked('ff\r\n{'), 'GET /v1/jobs HTTP/1.1\r\nX-A: ', ''];
  const sockets = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => undefined));
  await Promise.all(sockets.map(async (socket) => await new Promise((resolve) => socket.once('connect', resolve))));
  for (const [n, socket] of sockets.entries()) socket.write(Buffer.from(halves[n % halves.length] ?? '', 'latin1'));
  expect((await answersTo(get(''))).map(({ status }) => status)).toEqual([200, 200]);
  const closed = Promise.all(sockets.map(async (socket) => await new Promise((resolve) => socket.once('close', resolve))));
  for (const socket of sockets) socket.destroy();
  await closed;
  expect(await jobs()).toBe(before);
});
