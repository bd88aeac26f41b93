import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createGzip, gzipSync } from 'node:zlib';
import type { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { createEgress, type EgressOptions, type PostRequest, postOnce } from '../src/index.ts';
import { closedPort, readBody, startHttp, startTcp } from './servers.ts';

function egressFor(options: EgressOptions = {}) {
  const egress = createEgress({ allow: ['127.0.0.0/8'], ...options });
  onTestFinished(() => egress.close());
  return egress;
}

const post = (url: string, request: Partial<PostRequest> = {}, options: EgressOptions = {}) =>
  postOnce(egressFor(options), { url, headers: {}, body: '{}', ...request });

test('a receiver that answers 204 has taken the webhook, and gets headers and body as they were given', async () => {
  const arrived = Promise.withResolvers<{ url: string | undefined; id: unknown; body: string }>();
  const server = await startHttp(async (request, response) => {
    arrived.resolve({ url: request.url, id: request.headers['webhook-id'], body: await readBody(request) });
    response.writeHead(204).end();
  });
  const body = JSON.stringify({ id: 'evt_1', word: 'grüße' });
  const headers = { 'webhook-id': 'evt_1' };
  expect(await post(`${server.url}/hooks?x=1`, { headers, body })).toMatchObject({
    ok: true,
    status: 204,
    phase: 'response',
    answer: '',
  });
  expect(await arrived.promise).toEqual({ url: '/hooks?x=1', id: 'evt_1', body });
});

test.each([301, 302, 303, 307, 308])('a redirect with %i is not followed and is no success', async (status) => {
  const paths: (string | undefined)[] = [];
  const server = await startHttp((request, response) => {
    paths.push(request.url);
    response.writeHead(status, { location: '/elsewhere' }).end('moved');
  });
  expect(await post(`${server.url}/a`)).toMatchObject({ ok: false, status, answer: 'moved' });
  expect(paths).toEqual(['/a']);
});

test('Retry-After of a refusal is reported in ms', async () => {
  const server = await startHttp((_, response) => response.writeHead(503, { 'retry-after': '120' }).end());
  expect(await post(server.url)).toMatchObject({ ok: false, status: 503, retryAfterMs: 120_000 });
});

test('of a long answer 2 KiB are kept, without half a character at the end', async () => {
  const server = await startHttp((_, response) => response.writeHead(500).end(`x${'ü'.repeat(5000)}`));
  const { answer } = await post(server.url);
  expect(answer).toBe(`x${'ü'.repeat(1023)}`);
});

test('an answer that is packed, or in another character set, is reported as text', async () => {
  const server = await startHttp((request, response) => {
    if (request.url === '/gzip') response.writeHead(500, { 'content-encoding': 'gzip' }).end(gzipSync('故障'));
    else if (request.url === '/gbk')
      response.writeHead(502, { 'content-type': 'text/html; charset=gbk' }).end(Buffer.from('b4edcef3', 'hex'));
    else response.writeHead(503, { 'content-encoding': 'lzma' }).end(Buffer.from([0x5d, 0, 0, 1]));
  });
  expect(await post(`${server.url}/gzip`)).toMatchObject({ ok: false, status: 500, answer: '故障' });
  expect(await post(`${server.url}/gbk`)).toMatchObject({ status: 502, answer: '错误' });
  expect(await post(`${server.url}/lzma`)).toMatchObject({ status: 503, answer: expect.stringContaining('"lzma"') });
});

test('a packed answer that does not end is reported as far as it came', async () => {
  const server = await startHttp((_, response) => {
    const gzip = createGzip();
    gzip.pipe(response.writeHead(200, { 'content-encoding': 'gzip' }));
    gzip.write('half');
    gzip.flush();
  });
  expect(await post(server.url, { totalMs: 500 })).toMatchObject({ ok: true, status: 200, answer: 'half' });
});

test('an answer without end is cut off once its status and its beginning are known', async () => {
  const server = await startHttp((_, response) => {
    response.writeHead(200);
    const more = () => {
      while (response.write('y'.repeat(16_384)));
      response.once('drain', more);
    };
    more();
  });
  const result = await post(server.url, { totalMs: 60_000 });
  expect(result).toMatchObject({ ok: true, status: 200, answer: 'y'.repeat(2048) });
});

test('a receiver that answers 200 and then dribbles has taken it, and is let go at the time limit', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startHttp((_, response) => {
    response.writeHead(200).write('half');
    response.once('close', () => closed.resolve());
  });
  expect(await post(server.url, { totalMs: 500 })).toMatchObject({ ok: true, status: 200, answer: 'half' });
  await closed.promise;
});

test('a receiver that takes the request and never answers times out in phase response', async () => {
  const server = await startHttp((request) => void request.resume());
  expect(await post(server.url, { totalMs: 50 })).toMatchObject({ ok: false, phase: 'response', code: 'timeout' });
});

test('a receiver that reads nothing of a large body times out in phase write', async () => {
  const server = await startTcp((socket) => void socket.pause());
  const body = Buffer.alloc(32 * 1024 * 1024, 'a');
  expect(await post(server.url, { body, totalMs: 1500 })).toMatchObject({ ok: false, phase: 'write', code: 'timeout' });
});

test('a refused connection is phase connect', async () => {
  expect(await post(`http://127.0.0.1:${await closedPort()}`)).toMatchObject({
    ok: false,
    phase: 'connect',
    code: 'connect',
    error: 'the connection failed (ECONNREFUSED)',
  });
});

test('a server that hangs in the TLS handshake times out in phase tls, and its connection is let go', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startTcp((socket) => void socket.resume().once('close', () => closed.resolve()));
  expect(await post(`https://127.0.0.1:${server.port}`, {}, { connectMs: 100 })).toMatchObject({ phase: 'tls', code: 'timeout' });
  await closed.promise;
});

test('a server that speaks no TLS fails in phase tls', async () => {
  const server = await startHttp((_, response) => void response.end());
  expect(await post(`https://127.0.0.1:${server.port}`)).toMatchObject({ phase: 'tls', code: 'connect' });
});

test('a look-up that never ends times out in phase dns, and opens nothing when it ends later', async () => {
  const server = await startHttp((_, response) => void response.end());
  const lookup = Promise.withResolvers<string[]>();
  const result = await post(`http://slow.example:${server.port}`, {}, { connectMs: 30, resolve: () => lookup.promise });
  expect(result).toMatchObject({ phase: 'dns', code: 'timeout' });
  lookup.resolve(['127.0.0.1']);
  await post(server.url); // a whole exchange later, only its own connection has arrived
  expect(server.connections()).toBe(1);
});

test('a look-up that fails is phase dns and names the reason', async () => {
  const resolve = () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND x'), { code: 'ENOTFOUND' }));
  expect(await post('http://nowhere.example', {}, { resolve })).toMatchObject({
    phase: 'dns',
    code: 'dns',
    error: 'the look-up of the host failed (ENOTFOUND)',
  });
});

test('a connection that is reset after the request is phase response', async () => {
  const server = await startTcp((socket) => void socket.once('data', () => socket.resetAndDestroy()));
  expect(await post(server.url)).toMatchObject({ ok: false, phase: 'response', code: 'connect' });
});

test('an answer that is not HTTP is phase response', async () => {
  const server = await startTcp((socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
  expect(await post(server.url)).toMatchObject({ ok: false, phase: 'response', code: 'connect' });
});

test('early hints before the answer do not count as one', async () => {
  const answer = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok';
  const server = await startTcp((socket) => void socket.once('data', () => socket.end(answer)));
  expect(await post(server.url)).toMatchObject({ ok: true, status: 202, answer: 'ok' });
});

test('a signal ends an attempt at once, while it waits for the answer', async () => {
  const stop = new AbortController();
  const gone = Promise.withResolvers<void>();
  const server = await startHttp((request) => {
    request.socket.once('close', () => gone.resolve());
    stop.abort();
  });
  expect(await post(server.url, { signal: stop.signal })).toMatchObject({ ok: false, code: 'aborted' });
  await gone.promise;
});

test('a signal ends an attempt at once, while the look-up hangs', async () => {
  const stop = new AbortController();
  const resolve = () => {
    queueMicrotask(() => stop.abort());
    return new Promise<never>(() => undefined);
  };
  expect(await post('http://slow.example', { signal: stop.signal }, { resolve })).toMatchObject({ code: 'aborted' });
});

test('an attempt that ended while its connection was made is not sent when the connection stands', async () => {
  const paths: (string | undefined)[] = [];
  const server = await startHttp((request, response) => {
    paths.push(request.url);
    response.end();
  });
  const lookup = Promise.withResolvers<string[]>();
  const stop = new AbortController();
  const egress = egressFor({ resolve: () => lookup.promise });
  const url = `http://slow.example:${server.port}`;
  const ended = postOnce(egress, { url: `${url}/ended`, headers: {}, body: '{}', signal: stop.signal });
  const waiting = postOnce(egress, { url: `${url}/waiting`, headers: {}, body: '{}' });
  stop.abort();
  expect(await ended).toMatchObject({ code: 'aborted' });
  lookup.resolve(['127.0.0.1']);
  expect(await waiting).toMatchObject({ ok: true });
  await postOnce(egress, { url: `${url}/last`, headers: {}, body: '{}' });
  expect(paths).toEqual(['/waiting', '/last']);
});

test('with a signal that has already fired nothing is sent', async () => {
  const server = await startHttp((_, response) => void response.end());
  expect(await post(server.url, { signal: AbortSignal.abort() })).toMatchObject({ ok: false, code: 'aborted' });
  expect(server.connections()).toBe(0);
});

test.each([
  'not a url',
  'ftp://127.0.0.1',
  'http://user:pw@127.0.0.1/',
  'http://10.0.0.1/',
  `http://example.com/${'a'.repeat(16_384)}`,
])('the bad URL %.40s is reported, not thrown', async (url) =>
  expect(await post(url)).toMatchObject({ ok: false, phase: 'dns', code: 'forbidden_address' }),
);

test('attempts one after another share connections', async () => {
  const server = await startHttp((request, response) => void request.resume().once('end', () => response.end('ok')));
  const egress = egressFor();
  for (let i = 0; i < 5; i += 1) await postOnce(egress, { url: server.url, headers: {}, body: '{}' });
  expect(server.connections()).toBeLessThanOrEqual(2); // undici may use the second while it tidies up the first
});

test('a receiver that hangs keeps nobody else waiting, not even on its own origin', async () => {
  const hung: Socket[] = [];
  const server = await startHttp((request, response) => {
    request.resume();
    if (request.url === '/hang') hung.push(request.socket);
    else response.end('ok');
  });
  const egress = egressFor();
  const stop = new AbortController();
  const hanging = Array.from({ length: 20 }, () =>
    postOnce(egress, { url: `${server.url}/hang`, headers: {}, body: '{}', totalMs: 60_000, signal: stop.signal }),
  );
  const others = await Promise.all(
    Array.from({ length: 100 }, () => postOnce(egress, { url: server.url, headers: {}, body: '{}' })),
  );
  expect(others.every(({ ok }) => ok)).toBe(true);
  stop.abort();
  expect((await Promise.all(hanging)).every(({ code }) => code === 'aborted')).toBe(true);
});

test('a connection is not kept for as long as the receiver likes', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startTcp((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=600\r\ncontent-length: 0\r\n\r\n'));
    socket.once('end', closed.resolve);
  });
  const egress = egressFor({ keepAliveMs: 50 });
  expect(await postOnce(egress, { url: server.url, headers: {}, body: '{}' })).toMatchObject({ ok: true });
  await closed.promise;
});

test('of a receiver that hung, was cut off or is not there nothing is left in memory', async () => {
  const server = await startHttp((request, response) => {
    request.resume();
    if (request.headers.host?.startsWith('long')) response.end('x'.repeat(1_000_000));
  });
  const egress = egressFor({ resolve: async (host) => (host === 'private.example' ? ['10.0.0.1'] : ['127.0.0.1']) });
  const hosts = ['hangs.example', 'long.example', 'private.example'];
  const urls = [...hosts.map((host) => `http://${host}:${server.port}/`), `http://closed.example:${await closedPort()}/`];
  const results = await Promise.all(urls.map((url) => postOnce(egress, { url, headers: {}, body: '{}', totalMs: 200 })));
  expect(results.map(({ ok }) => ok)).toEqual([false, true, false, false]);
  await expect.poll(() => Object.keys((egress.dispatcher as Agent).stats)).toEqual([]);
});

test('closing the egress ends attempts in flight and their connections', async () => {
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const arrived = Promise.withResolvers<Socket>();
  const server = await startHttp((request) => arrived.resolve(request.socket));
  const open = postOnce(egress, { url: server.url, headers: {}, body: '{}', totalMs: 60_000 });
  const socket = await arrived.promise;
  await Promise.all([once(socket, 'close'), egress.close()]);
  expect(await open).toMatchObject({ ok: false, code: 'connect' });
});
