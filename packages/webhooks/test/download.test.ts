import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createEgress, type DownloadOptions, download, type EgressOptions } from '../src/index.ts';
import { closedPort, startHttp, startTcp } from './servers.ts';

function egressFor(options: EgressOptions = {}) {
  const egress = createEgress({ allow: ['127.0.0.1'], ...options });
  onTestFinished(() => egress.close());
  return egress;
}

const get = (url: string, options: DownloadOptions = {}, egress: EgressOptions = {}) => download(egressFor(egress), url, options);

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a download is its bytes, its type and its length', async () => {
  const bytes = Buffer.alloc(1_000_000, 'png');
  const server = await startHttp((_, response) =>
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes.length }).end(bytes),
  );
  const { body, ...rest } = await get(`${server.url}/a.png?sig=1`);
  expect(rest).toMatchObject({ status: 200, contentType: 'image/png', contentLength: bytes.length });
  expect((await readAll(body)).equals(bytes)).toBe(true);
});

test('a download without a length is read to its end', async () => {
  const server = await startHttp((_, response) => void response.write('ab', () => response.end('cd')));
  const { contentLength, body } = await get(server.url);
  expect(contentLength).toBeUndefined();
  expect(String(await readAll(body))).toBe('abcd');
});

test('up to three redirects are followed, relative ones too', async () => {
  const server = await startHttp((request, response) => {
    const n = Number(request.url?.slice(1));
    if (n === 3) response.end('here');
    else response.writeHead(302, { location: n === 1 ? `./${n + 1}` : `${server.url}/${n + 1}` }).end('moved');
  });
  expect(String(await readAll((await get(`${server.url}/0`)).body))).toBe('here');
});

test('a redirect to a link with a long signature is followed', async () => {
  const long = `/signed?token=${'x'.repeat(4000)}`;
  const server = await startHttp((request, response) => {
    if (request.url === long) response.end('here');
    else response.writeHead(302, { location: long }).end();
  });
  expect(String(await readAll((await get(server.url)).body))).toBe('here');
});

test('the body of a redirect or a refusal, however long, is not left open', async () => {
  const closed: Promise<void>[] = [];
  const server = await startHttp((request, response) => {
    if (request.url === '/end') return void response.end('here');
    closed.push(new Promise((resolve) => response.once('close', () => resolve())));
    response.writeHead(request.url === '/refused' ? 403 : 302, { location: '/end' });
    endless(response);
  });
  expect(String(await readAll((await get(`${server.url}/`)).body))).toBe('here');
  await expect(get(`${server.url}/refused`)).rejects.toMatchObject({ status: 403 });
  await Promise.all(closed);
  expect(closed).toHaveLength(2);
});

test('a fourth redirect is one too many', async () => {
  const paths: (string | undefined)[] = [];
  const server = await startHttp((request, response) => {
    paths.push(request.url);
    response.writeHead(301, { location: `${request.url}x` }).end();
  });
  await expect(get(`${server.url}/`)).rejects.toMatchObject({ code: 'redirects', retryable: false });
  expect(paths).toEqual(['/', '/x', '/xx', '/xxx']);
});

test.each([
  'http://169.254.169.254/latest/meta-data/',
  'http://metadata.example/latest/meta-data/',
  'http://2852039166/',
  'http://[::ffff:a9fe:a9fe]/',
  '//10.0.0.1/',
  'file:///etc/passwd',
  'http://user:pw@127.0.0.1/',
])('a redirect to %s is refused', async (location) => {
  const server = await startHttp((_, response) => response.writeHead(302, { location }).end());
  const resolve = async () => ['169.254.169.254'];
  await expect(get(server.url, {}, { resolve })).rejects.toMatchObject({ code: 'forbidden_address', retryable: false });
});

test('a redirect to what is no URL is refused', async () => {
  const server = await startHttp((_, response) => response.writeHead(302, { location: 'http://:99999/' }).end());
  await expect(get(server.url)).rejects.toMatchObject({ code: 'redirects' });
});

test.each([
  [403, false],
  [404, false],
  [410, false],
  [206, false],
  [408, true],
  [425, true],
  [429, true],
  [500, true],
  [503, true],
])('status %i fails as http, retryable: %s', async (status, retryable) => {
  const server = await startHttp((_, response) => response.writeHead(status, { 'retry-after': '7' }).end('no'));
  await expect(get(server.url)).rejects.toMatchObject({ code: 'http', status, retryable, retryAfterMs: 7_000 });
});

test('a length above the cap is refused before a byte is read', async () => {
  const server = await startHttp((_, response) => response.writeHead(200, { 'content-length': '11' }).flushHeaders());
  await expect(get(server.url, { maxBytes: 10 })).rejects.toMatchObject({ code: 'too_large', retryable: false });
});

test('a body that grows above the cap without having said so ends as too_large, and its connection closes', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startHttp((_, response) => {
    response.once('close', () => closed.resolve());
    endless(response);
  });
  const { body } = await get(server.url, { maxBytes: 1_000_000 });
  await expect(readAll(body)).rejects.toMatchObject({ code: 'too_large' });
  await closed.promise;
});

test('a body of exactly the cap passes', async () => {
  const server = await startHttp((_, response) => void response.end('0123456789'));
  expect((await readAll((await get(server.url, { maxBytes: 10 })).body)).length).toBe(10);
});

test('a server that never answers times out', async () => {
  const server = await startHttp((request) => void request.resume());
  await expect(get(server.url, { firstByteMs: 50 })).rejects.toMatchObject({ code: 'timeout', retryable: true });
});

test('a body that stops coming times out', async () => {
  const server = await startHttp((_, response) => void response.writeHead(200, { 'content-length': '10' }).write('half'));
  await expect(readAll((await get(server.url, { idleMs: 50 })).body)).rejects.toMatchObject({ code: 'timeout', retryable: true });
});

test('time that the reader takes is not held against the server', async () => {
  const server = await startHttp((request, response) => {
    if (request.url === '/hangs') response.writeHead(200, { 'content-length': '10' }).write('half');
    else response.end(Buffer.alloc(500_000));
  });
  const { body } = await get(server.url, { idleMs: 100 });
  let bytes = 0;
  for await (const chunk of body) {
    // The reader is busy until the same limit has run out for a server that did hang.
    if (bytes === 0)
      await expect(readAll((await get(`${server.url}/hangs`, { idleMs: 100 })).body)).rejects.toMatchObject({ code: 'timeout' });
    bytes += chunk.length;
  }
  expect(bytes).toBe(500_000);
});

test('a body that dribbles for ever ends at the limit for everything', async () => {
  const server = await startHttp((_, response) => {
    const timer = setInterval(() => response.write('.'), 5);
    response.once('close', () => clearInterval(timer));
  });
  await expect(readAll((await get(server.url, { totalMs: 100 })).body)).rejects.toMatchObject({ code: 'timeout' });
});

test('a body cut short of its length is truncated', async () => {
  const server = await startTcp(
    (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')),
  );
  await expect(readAll((await get(server.url)).body)).rejects.toMatchObject({ code: 'truncated', retryable: true });
});

test('a chunked body cut short is truncated', async () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n';
  const server = await startTcp((socket) => void socket.once('data', () => socket.end(head)));
  await expect(readAll((await get(server.url)).body)).rejects.toMatchObject({ code: 'truncated' });
});

test('a connection reset in the middle of the body is truncated', async () => {
  const server = await startTcp((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'));
  });
  const { body } = await get(server.url);
  const chunks = body[Symbol.asyncIterator]();
  await chunks.next();
  server.reset();
  await expect(chunks.next()).rejects.toMatchObject({ code: 'truncated' });
});

test('a refused connection is retryable', async () => {
  await expect(get(`http://127.0.0.1:${await closedPort()}`)).rejects.toMatchObject({
    code: 'connect',
    phase: 'connect',
    retryable: true,
  });
});

test('a failed look-up is retryable', async () => {
  const resolve = () => Promise.reject(new Error('no'));
  await expect(get('http://nowhere.example', {}, { resolve })).rejects.toMatchObject({
    code: 'dns',
    phase: 'dns',
    retryable: true,
  });
});

test('a signal that has fired, fires during the look-up, or while the body is read, ends the download as aborted', async () => {
  await expect(get('http://127.0.0.1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });

  const early = new AbortController();
  const resolve = () => {
    queueMicrotask(() => early.abort());
    return new Promise<never>(() => undefined);
  };
  await expect(get('http://slow.example', { signal: early.signal }, { resolve })).rejects.toMatchObject({ code: 'aborted' });

  const late = new AbortController();
  const server = await startHttp((_, response) => endless(response));
  const { body } = await get(server.url, { signal: late.signal });
  const reading = readAll(body);
  late.abort();
  await expect(reading).rejects.toMatchObject({ code: 'aborted', retryable: true });
});

test('a reader that leaves early, and one that never reads, close the connection', async () => {
  const closed: Promise<void>[] = [];
  const server = await startHttp((_, response) => {
    closed.push(new Promise((resolve) => response.once('close', () => resolve())));
    endless(response);
  });
  for await (const _ of (await get(server.url)).body) break;
  const unread = await get(server.url);
  unread.cancel();
  await Promise.all(closed);
  await expect(readAll(unread.body)).rejects.toMatchObject({ code: 'aborted' });
});

test('a body that fails while nobody reads is told to the one who comes to read', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startHttp((_, response) => {
    response.once('close', () => closed.resolve());
    response.writeHead(200, { 'content-length': '10' }).write('half');
  });
  const { body } = await get(server.url, { totalMs: 100 });
  await closed.promise;
  await expect(readAll(body)).rejects.toMatchObject({ code: 'timeout' });
});

function endless(response: ServerResponse): void {
  while (response.write('x'.repeat(65_536)));
  response.once('drain', () => endless(response));
}
