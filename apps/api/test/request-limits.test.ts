import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createLogger } from '@grsai-jobs/runtime';
import express, { type Response, type Router } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { BATCH_RATIO, JOB_RATIO, jsonBody } from '../src/http/body.ts';
import { type BodyBudget, createBodyBudget } from '../src/http/body-budget.ts';
import { bodyStream } from '../src/http/body-stream.ts';
import { errorHandler } from '../src/http/errors.ts';
import { createOpenRequests, type OpenLimits } from '../src/http/open-requests.ts';
import { Problem } from '../src/http/problem.ts';
import { createLimitedServer, SERVER_LIMITS, type ServerLimits } from '../src/http/server.ts';
import { boundUnreadBody, type UnreadBody } from '../src/http/unread-body.ts';

const LIMIT = 2_000_000;
const log = createLogger({ name: 'test', level: 'silent', pretty: false });

interface Options {
  budget?: BodyBudget;
  open?: Partial<OpenLimits>;
  server?: Partial<ServerLimits>;
  unread?: UnreadBody;
}

/** A server as the API has it: `Authorization` names the tenant; `/hold` answers when the test lets it. */
async function start(o: Options = {}) {
  const gate = Promise.withResolvers<void>();
  const arrived: string[] = [];
  const refused: string[] = [];
  const open = createOpenRequests({ requests: 100, streams: 100, ...o.open });
  const app = express();
  app.use((request, response, next) => {
    boundUnreadBody(request, response, o.unread);
    response.locals['requestId'] = 'req_1';
    if (request.path === '/unread') return next();
    const tenant = request.headers.authorization;
    if (tenant === undefined) throw new Problem('unauthorized', 'Send a key.');
    open.enter(tenant, response);
    response.locals['principal'] = { tenant };
    next();
  });
  const answer = (response: Response) => response.json({ ok: true });
  const hold = async (path: string, response: Response) => {
    arrived.push(path);
    await gate.promise;
    answer(response);
  };
  const rules = { ratio: JOB_RATIO, ...(o.budget ? { budget: o.budget } : {}) };
  app.get('/unread', (_request, response) => void answer(response));
  app.post('/jobs', ...(jsonBody(LIMIT, rules) as never as Router[]), (_request, response) => void answer(response));
  app.post(
    '/form',
    ...(jsonBody(LIMIT, { ratio: BATCH_RATIO }) as never as Router[]),
    (_request, response) => void answer(response),
  );
  app.post('/hold', ...(jsonBody(LIMIT, rules) as never as Router[]), (request, response) => hold(request.path, response));
  app.get('/hold', (request, response) => hold(request.path, response));
  app.get('/stream', (request, response) => {
    open.lasts(response);
    return hold(request.path, response);
  });
  app.post('/slow', async (request, response) => {
    const pace = { graceMs: 100, bytesPerS: 1000, checkMs: 10 };
    for await (const chunk of bodyStream(request, response, { bytes: LIMIT, pace })) arrived.push(String(chunk.length));
    answer(response);
  });
  app.use(errorHandler(log, { unread: o.unread }));
  const server = createLimitedServer(app, {
    ...SERVER_LIMITS,
    connections: 1000,
    connectionsPerAddress: 1000,
    ...o.server,
    log,
    onRefused: ({ message }) => refused.push(message),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    gate.resolve();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, gate, arrived, refused, server };
}

/** A connection, and what came on it. */
async function dial(port: number): Promise<{ socket: Socket; text: () => string; closed: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const text = () => Buffer.concat(chunks).toString();
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text())));
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return { socket, text, closed };
}

const head = (method: string, path: string, headers: Record<string, string | number>) =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
const JSON_TYPE = { Authorization: 'acme', 'Content-Type': 'application/json' };

async function send(port: number, text: string, body: Uint8Array = Buffer.alloc(0)) {
  const { socket, text: got, closed } = await dial(port);
  socket.write(Buffer.concat([Buffer.from(text, 'latin1'), body]));
  return { socket, got, closed };
}

async function post(port: number, path: string, body: Uint8Array, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { authorization: 'acme', 'content-type': 'application/json', ...headers },
    body: new Uint8Array(body),
  });
  const { code, detail } = (await answer.json()) as { code?: string; detail?: string };
  return { status: answer.status, code, detail, retryAfter: answer.headers.get('retry-after') };
}

const gzip = { 'content-encoding': 'gzip' };
/** A text that packs about so many times. */
const packing = (times: number, bytes: number) => {
  const noise = createHash('shake256', { outputLength: Math.ceil(bytes / times) })
    .update('noise')
    .digest('base64');
  return JSON.stringify({ a: `${noise}${'x'.repeat(bytes - noise.length)}` });
};

test.each([
  ['/jobs', 'blanks', ' '.repeat(1_500_000), 413],
  ['/jobs', 'one value over and over', `[${'1,'.repeat(140_000)}1]`, 413],
  ['/jobs', 'one message over and over', JSON.stringify(Array(20_000).fill({ role: 'user', content: 'hi' })), 413],
  ['/jobs', 'a long line of one letter', JSON.stringify({ a: 'x'.repeat(1_900_000) }), 413],
  ['/jobs', 'a text that packs well', packing(5, 1_000_000), 200],
  ['/jobs', 'less than 256 KiB of anything', JSON.stringify({ a: 'x'.repeat(255 * 1024) }), 200],
  [
    '/form',
    'a thousand jobs of one form',
    JSON.stringify(
      Array.from({ length: 4000 }, (_, i) => ({
        role: 'user',
        content: `picture number ${i} of a paper lighthouse on a foggy desk`,
      })),
    ),
    200,
  ],
  ['/form', 'blanks', ' '.repeat(1_500_000), 413],
])('when a packed body to %s is %s then it is answered with its status', async (path, _what, text, status) => {
  const { port } = await start();
  const answer = await post(port, path, gzipSync(text), gzip);
  expect(answer.status).toBe(status);
  if (status === 413) expect(answer.detail).toMatch(/no more than (20|200) times as large/);
});

const chunked = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

test.each([
  ['by their length', (bytes: number) => head('POST', '/hold', { ...JSON_TYPE, 'Content-Length': bytes })],
  [
    'as they come',
    (bytes: number) => `${head('POST', '/hold', { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' })}${chunked(bytes - 1)}`,
  ],
])(
  'when the open bodies of a tenant are its share %s then one more is 429, others are served, and it ends with them',
  async (_way, opening) => {
    const budget = createBodyBudget({ bytes: 8_000_000, bodyLimit: LIMIT });
    const { port } = await start({ budget });
    const one = await send(port, opening(1_500_000));
    await expect.poll(() => budget.held()).toBeGreaterThan(1_400_000);
    const body = Buffer.from(JSON.stringify({ a: 'y'.repeat(700_000) }));
    expect(await post(port, '/jobs', body)).toMatchObject({
      status: 429,
      code: 'too_many_bytes_in_flight',
      detail: expect.stringContaining('limited to 2000000 bytes together'),
      retryAfter: '2',
    });
    // Packed it counts as what it is.
    expect(await post(port, '/jobs', gzipSync(packing(5, 700_000)), gzip)).toMatchObject({ status: 429 });
    expect(await post(port, '/jobs', body, { authorization: 'other' })).toMatchObject({ status: 200 });
    one.socket.destroy();
    await expect.poll(() => budget.held()).toBe(0);
    expect(await post(port, '/jobs', body)).toMatchObject({ status: 200 });
    await expect.poll(() => budget.held()).toBe(0);
  },
);

test('when all tenants together hold the budget then one more body is 503', async () => {
  const budget = createBodyBudget({ bytes: 8_000_000, bodyLimit: LIMIT });
  const { port } = await start({ budget });
  for (const tenant of ['a', 'b', 'c', 'd'])
    await send(port, head('POST', '/hold', { ...JSON_TYPE, Authorization: tenant, 'Content-Length': 1_990_000 }));
  await expect.poll(() => budget.held()).toBe(4 * 1_990_000);
  expect(await post(port, '/jobs', Buffer.from(JSON.stringify('x'.repeat(50_000))))).toMatchObject({
    status: 503,
    code: 'unavailable',
    retryAfter: '2',
  });
});

test.each([
  ['no JSON', Buffer.from('{'), {}],
  ['junk for gzip', Buffer.from('junk'), gzip],
  ['an unknown encoding', Buffer.from('{}'), { 'content-encoding': 'lzma' }],
  ['packed too tightly', gzipSync(' '.repeat(1_500_000)), gzip],
  ['too large', Buffer.alloc(LIMIT + 1), {}],
  ['good', Buffer.from('{}'), {}],
])('when a body is %s then nothing of the budget stays held', async (_what, body, headers) => {
  const budget = createBodyBudget({ bytes: 8_000_000, bodyLimit: LIMIT });
  const { port } = await start({ budget });
  await post(port, '/jobs', body, headers);
  await expect.poll(() => budget.held()).toBe(0);
});

test.each([
  ['without a key', { 'Content-Length': 1_000_000 }, 401],
  ['without a key, in chunks', { 'Transfer-Encoding': 'chunked' }, 401],
  ['too large by its length', { ...JSON_TYPE, 'Content-Length': LIMIT + 1 }, 413],
  ['too large by its length, packed', { ...JSON_TYPE, ...gzip, 'Content-Length': 2 * LIMIT }, 413],
  ['of another type', { Authorization: 'acme', 'Content-Type': 'text/plain', 'Content-Length': 1_000_000 }, 415],
])(
  'when a request %s announces a body then it is answered at once and its connection is closed',
  async (_what, headers, status) => {
    const { port } = await start();
    const { got, socket } = await send(port, head('POST', '/jobs', headers));
    await expect.poll(got).toMatch(/\}$/);
    expect(got()).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\nConnection: close\r\n`, 'i'));
    socket.end();
  },
);

test.each([
  ['POST', '/jobs', 401, { ms: 60_000, bytes: 100_000 }],
  ['GET', '/unread', 200, { ms: 20, bytes: 100_000 }],
])('when the body of an answered %s %s goes on then its connection ends', async (method, path, status, unread) => {
  const { port } = await start({ unread });
  const { socket, closed } = await send(port, head(method, path, { 'Transfer-Encoding': 'chunked' }));
  const more = () => {
    while (socket.writable && socket.write(chunked(10_000)));
  };
  socket.on('drain', more);
  more();
  expect(await closed).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test.each([
  ['POST', '/jobs', 401],
  ['GET', '/unread', 200],
])('when the body of an answered %s %s never comes then its connection ends', async (method, path, status) => {
  const { port } = await start({ unread: { ms: 20, bytes: 100_000 } });
  const { closed } = await send(port, head(method, path, { 'Content-Length': 5 }));
  expect(await closed).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('when a refused sender sends its whole body before it reads then it still gets the answer', async () => {
  const { port } = await start();
  expect(await post(port, '/jobs', Buffer.alloc(LIMIT + 1))).toMatchObject({ status: 413, code: 'body_too_large' });
});

test('when a request waits to be asked for a body that is refused then it is not asked, and its connection is closed', async () => {
  const { port } = await start();
  for (const [headers, status] of [
    [{ 'Content-Length': 10 }, 401],
    [{ ...JSON_TYPE, 'Content-Length': LIMIT + 1 }, 413],
  ] as const) {
    const { closed } = await send(port, head('POST', '/jobs', { ...headers, Expect: '100-continue' }));
    expect(await closed).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  }
});

test('when a body comes too slowly then it is 408, and the connection is closed', async () => {
  const { port, arrived } = await start({ unread: { ms: 20, bytes: 1000 } });
  for (const coding of [{}, gzip]) {
    const { socket, closed } = await send(port, head('POST', '/slow', { ...JSON_TYPE, ...coding, 'Content-Length': 1000 }));
    const drip = setInterval(() => socket.writable && socket.write('x'), 20);
    onTestFinished(() => clearInterval(drip));
    if (coding === gzip) socket.write(gzipSync('x').subarray(0, 5));
    const text = await closed;
    if (!('content-encoding' in coding))
      expect(text).toMatch(/^HTTP\/1.1 408 [\s\S]*request_timeout[\s\S]*at least 1000 bytes a second/);
    else expect(text).toMatch(/^HTTP\/1.1 4/);
  }
  expect(arrived.length).toBeGreaterThan(0);
});

test('when a body is slow and fast enough then it is read', async () => {
  const { port } = await start();
  const { socket, got } = await send(port, head('POST', '/slow', { ...JSON_TYPE, 'Content-Length': 3000 }));
  for (let sent = 0; sent < 30; sent += 1) {
    socket.write('x'.repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
  await expect.poll(got).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  ['requests', '/hold', 'requests open'],
  ['streams', '/stream', 'streams of events and waits for a job open'],
] as const)('when a tenant has as many %s open as it may then one more is 429 until one ends', async (kind, path, says) => {
  const { port, gate, arrived } = await start({ open: { requests: kind === 'requests' ? 3 : 1, streams: 3 } });
  const get = (tenant: string) => head('GET', path, { Authorization: tenant });
  const open = [];
  for (let n = 1; n <= 3; n += 1) {
    open.push(await send(port, get('acme')));
    await expect.poll(() => arrived.length).toBe(n);
  }
  const refusal = await send(port, get('acme'));
  await expect.poll(refusal.got).toMatch(/^HTTP\/1.1 429 [\s\S]*Retry-After: 2[\s\S]*too_many_open_requests/i);
  expect(refusal.got()).toContain(`This tenant has 3 ${says}`);
  await send(port, get('other'));
  await expect.poll(() => arrived.length).toBe(4);
  open[0]?.socket.destroy();
  await expect
    .poll(async () => {
      await send(port, get('acme'));
      return arrived.length;
    })
    .toBeGreaterThan(4);
  gate.resolve();
});

test.each([
  ['drips', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: '],
  ['never begins', ''],
])('when the head of a request %s then its connection ends', async (_what, text) => {
  const { port } = await start({ server: { headMs: 100, checkMs: 20 } });
  const { socket, closed } = await send(port, text);
  const drip = setInterval(() => text !== '' && socket.writable && socket.write('x'), 10);
  onTestFinished(() => clearInterval(drip));
  expect(await closed).toMatch(/^HTTP\/1.1 408 [\s\S]*request_timeout|^$/);
});

test('when headers are over 16 KiB together then they are 431', async () => {
  const { port } = await start();
  const { closed } = await send(port, head('GET', '/', { 'X-A': 'x'.repeat(17_000) }));
  expect(await closed).toMatch(/^HTTP\/1.1 431 [\s\S]*limited to 16 KiB/);
});

test('when an address or all together have as many connections as they may then one more is closed, until one ends', async () => {
  for (const [limits, why] of [
    [{ connections: 1000, connectionsPerAddress: 3 }, 'an address has as many connections as it may'],
    [{ connections: 3, connectionsPerAddress: 1000 }, 'all connections are taken'],
  ] as const) {
    const { port, refused, server } = await start({ server: limits });
    const open = [await dial(port), await dial(port), await dial(port)];
    expect(await (await dial(port)).closed).toBe('');
    expect(refused).toEqual([why]);
    open[0]?.socket.destroy();
    await expect.poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(2);
    const { got } = await send(port, head('GET', '/unread', {}));
    await expect.poll(got).toMatch(/^HTTP\/1.1 200 /);
  }
});

test('when a connection is idle for its time then it is closed', async () => {
  const { port } = await start({ server: { idleMs: 50 } });
  expect(await (await send(port, head('GET', '/unread', {}))).closed).toMatch(/^HTTP\/1.1 200 /);
});
