import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
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

test('when nothing but the connection shows the end of a file then that is said', async () => {
  const head = (more: string) => `HTTP/1.1 200 OK\r\n${more}\r\n`;
  for (const [answer, endsByClose] of [
    [`${head('')}here`, true],
    [`${head('content-length: 4\r\n')}here`, false],
    [`${head('transfer-encoding: chunked\r\n')}4\r\nhere\r\n0\r\n\r\n`, false],
  ] as const) {
    const server = await startTcp((socket) => void socket.once('data', () => socket.end(answer)));
    const file = await get(server.url);
    expect(file.endsByClose).toBe(endsByClose);
    expect(String(await readAll(file.body))).toBe('here');
  }
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

test.each<[number, Record<string, string>]>([
  [203, {}],
  [206, { 'content-range': 'bytes 0-3/4' }],
])('status %i that stands for the whole file is read', async (status, headers) => {
  const server = await startHttp((_, response) => response.writeHead(status, headers).end('abcd'));
  expect(String(await readAll((await get(server.url)).body))).toBe('abcd');
});

test.each(['bytes 0-3/9', 'bytes 5-8/9', 'bytes 0-3/*', 'x'])('status 206 with %s is a part, and refused', async (range) => {
  const server = await startHttp((_, response) => response.writeHead(206, { 'content-range': range }).end('abcd'));
  await expect(get(server.url)).rejects.toMatchObject({ code: 'http', status: 206 });
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

test('a body that fails while nobody reads fails for the one who comes to read', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startHttp((_, response) => {
    response.once('close', () => closed.resolve());
    response.writeHead(200, { 'content-length': '10' }).write('half');
  });
  const { body } = await get(server.url, { totalMs: 100 });
  await closed.promise;
  await expect(readAll(body)).rejects.toMatchObject({ code: 'timeout' });
});

/** A server that answers raw bytes for a head, and notes the paths that it was asked for. */
async function startRaw(answer: (path: string) => string): Promise<{ url: string; port: number; paths: string[] }> {
  const paths: string[] = [];
  const server = await startTcp((socket) => {
    socket.once('data', (request) => {
      const path = /^GET (\S+) /.exec(request.toString('latin1'))?.[1] ?? '';
      paths.push(path);
      socket.end(Buffer.from(answer(path), 'latin1'));
    });
  });
  return { ...server, paths };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere';
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

describe('a link is read as browsers read one', () => {
  test.each([
    ['a space', '/a picture.png?x=1 2', '/a%20picture.png?x=1%202'],
    ['letters that are not ASCII', '/图/ü.png?q=é', '/%E5%9B%BE/%C3%BC.png?q=%C3%A9'],
    ['an emoji', '/🏮.png', '/%F0%9F%8F%AE.png'],
    ['tabs and line breaks inside', '/a\t/b\n/c\r\n.png', '/a/b/c.png'],
    ['backslashes', '\\a\\b.png', '/a/b.png'],
    ['dots', '/x/../a/./b.png', '/a/b.png'],
    ['quotes and brackets', '/"a"<b>{c}.png', '/%22a%22%3Cb%3E%7Bc%7D.png'],
    ['what is escaped already', '/a%20b%2Fc.png?x=%26', '/a%20b%2Fc.png?x=%26'],
    ['a fragment', '/a.png#top', '/a.png'],
  ])('with %s', async (_what, link, path) => {
    const server = await startRaw(() => OK);
    expect(new URL(server.url + link).pathname + new URL(server.url + link).search).toBe(path);
    expect(String(await readAll((await get(server.url + link)).body))).toBe('here');
    expect(server.paths).toEqual([path]);
  });

  test('with spaces and line ends around it', async () => {
    const server = await startRaw(() => OK);
    expect(String(await readAll((await get(` \n${server.url}/a.png\r\n `)).body))).toBe('here');
  });

  test.each([
    'http:\\\\10.0.0.1\\a.png',
    'http://10.0.\t0.1/a b.png',
    'ht\ntp://10.0.0.1/',
    'http://user:pw@exam ple.com/',
    'http://user:p w@127.0.0.1/ü',
    'http://１０.0.0.1/图',
    'java\nscript:alert(1)',
    'not a link',
  ])('and %j is refused all the same', async (link) => {
    await expect(get(link)).rejects.toMatchObject({ code: 'forbidden_address', retryable: false });
  });

  test.each([
    ['raw UTF-8', latin1('/结果/ü.png?名=1'), '/%E7%BB%93%E6%9E%9C/%C3%BC.png?%E5%90%8D=1'],
    ['an absolute link in raw UTF-8', latin1('http://127.0.0.1:PORT/图.png'), '/%E5%9B%BE.png'],
    ['bytes that are no UTF-8', '/\xbd\xe1.png', '/%BD%E1.png'],
    ['a space', '/a b.png', '/a%20b.png'],
    ['a relative path', 'b/c.png', '/x/b/c.png'],
    ['a path with dots', '../b c.png', '/b%20c.png'],
    ['a protocol-relative link', '//127.0.0.1:PORT/d.png', '/d.png'],
    ['backslashes', '\\b\\c.png', '/b/c.png'],
    ['a query alone', '?again=1', '/x/first?again=1'],
  ])('in a Location with %s', async (_what, location, path) => {
    const server = await startRaw((asked) =>
      asked === '/x/first'
        ? `HTTP/1.1 302 Found\r\nlocation: ${location.replace('PORT', String(server.port))}\r\ncontent-length: 0\r\n\r\n`
        : OK,
    );
    expect(String(await readAll((await get(`${server.url}/x/first`)).body))).toBe('here');
    expect(server.paths).toEqual(['/x/first', path]);
  });

  test.each(['\\\\10.0.0.1\\x', '/\\10.0.0.1/x', latin1('http://１０.0.0.1/'), '//user:pw@127.0.0.1/'])(
    'a Location %j cannot get past the guard',
    async (location) => {
      const server = await startRaw(() => `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`);
      await expect(get(server.url)).rejects.toMatchObject({ code: 'forbidden_address' });
      expect(server.paths).toHaveLength(1);
    },
  );

  test.each([
    ['&amp;', '/a.png?id=1&amp;sig=2&amp;exp=3'],
    ['&#38;', '/a.png?id=1&#38;sig=2&#x26;exp=3'],
    ['&amp;amp;', '/a.png?id=1&amp;amp;sig=2&AMP;exp=3'],
  ])('that was escaped for HTML (%s) it is tried without that once it was refused', async (_what, link) => {
    const server = await startRaw((path) =>
      path === '/a.png?id=1&sig=2&exp=3' ? OK : 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n',
    );
    expect(String(await readAll((await get(server.url + link)).body))).toBe('here');
    expect(server.paths).toHaveLength(2);
    await expect(get(`${server.url}/b.png?x=1&amp;y=2`)).rejects.toMatchObject({ code: 'http', status: 403 });
    expect(server.paths.slice(2)).toEqual(['/b.png?x=1&amp;y=2', '/b.png?x=1&y=2']);
  });

  test('and one whose &amp; is meant is not touched', async () => {
    const server = await startRaw(() => OK);
    expect(String(await readAll((await get(`${server.url}/a.png?x=1&amp;y=2`)).body))).toBe('here');
    expect(server.paths).toEqual(['/a.png?x=1&amp;y=2']);
  });
});

describe('a file that is coded for the way', () => {
  const FILE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(300_000, 'ab')]);
  const coded = (coding: string, bytes: Uint8Array) =>
    startHttp((_, response) =>
      response
        .writeHead(200, { ...(coding === '' ? {} : { 'content-encoding': coding }), 'content-length': bytes.length })
        .end(bytes),
    );

  test.each([
    ['gzip', gzipSync(FILE)],
    ['X-GZip', gzipSync(FILE)],
    ['deflate', deflateSync(FILE)],
    ['deflate', deflateRawSync(FILE)],
    ['br', brotliCompressSync(FILE)],
    ['zstd', zstdCompressSync(FILE)],
    ['gzip, br', brotliCompressSync(gzipSync(FILE))],
    ['gzip', FILE],
    ['br', gzipSync(FILE)],
    ['aws-chunked', gzipSync(FILE)],
    ['gzip', gzipSync(gzipSync(FILE))],
    ['gzip', Buffer.concat([gzipSync(FILE), Buffer.from('\n')])],
  ])('with %s is itself again, and its length on the way is not its length', async (coding, bytes) => {
    const server = await coded(coding, bytes);
    const file = await get(server.url);
    expect(file.contentLength).toBeUndefined();
    expect((await readAll(file.body)).equals(FILE)).toBe(true);
  });

  test.each([1, 300_000])('without a word of it is itself again, in chunks of %i bytes', async (size) => {
    const bytes = gzipSync(FILE);
    const server = await startHttp((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length, 'content-type': 'image/png' });
      for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
      response.end();
    });
    const file = await get(server.url);
    expect((await readAll(file.body)).equals(FILE)).toBe(true);
    expect(file.contentLength).toBeUndefined();
  });

  test.each([
    ['is cut without a word of its coding', '', gzipSync(FILE).subarray(0, -1), 'truncated', true],
    ['is larger without a coding that is not named', '', gzipSync(Buffer.alloc(1_000_001, 'ab')), 'too_large', false],
    ['is cut', 'gzip', gzipSync(FILE).subarray(0, -1), 'truncated', true],
    ['is cut early', 'br', brotliCompressSync(FILE).subarray(0, 9), 'truncated', true],
    ['is damaged', 'gzip', Buffer.concat([gzipSync(FILE).subarray(0, -8), Buffer.alloc(8)]), 'undecodable', false],
    ['has a coding that nobody knows', 'lzma', Buffer.from([0x5d, 0, 0, 1, 2, 3]), 'undecodable', false],
    ['is larger without it than may be', 'gzip', gzipSync(Buffer.alloc(1_000_001, 'ab')), 'too_large', false],
    ['is larger with it than may be', 'gzip', Buffer.alloc(1_000_001), 'too_large', false],
  ])('and %s fails', async (_what, coding, bytes, code, retryable) => {
    const server = await coded(coding, bytes);
    const whole = async () => readAll((await get(server.url, { maxBytes: 1_000_000 })).body);
    await expect(whole()).rejects.toMatchObject({ code, retryable });
  });

  test('and blows up is refused before much of it was made', async () => {
    const server = await coded('gzip', gzipSync(Buffer.alloc(48 * 1024 * 1024)));
    let made = 0;
    const whole = async () => {
      for await (const chunk of (await get(server.url)).body) made += chunk.length;
    };
    await expect(whole()).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('256 times') });
    expect(made).toBeLessThan(17 * 1024 * 1024);
  });

  test('and stops coming, or is given up, ends as any other', async () => {
    const closed: Promise<void>[] = [];
    const server = await startHttp((_, response) => {
      closed.push(new Promise((resolve) => response.once('close', () => resolve())));
      response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(FILE).subarray(0, 100));
    });
    await expect(readAll((await get(server.url, { idleMs: 50 })).body)).rejects.toMatchObject({ code: 'timeout' });
    for await (const _ of (await get(server.url)).body) break;
    await Promise.all(closed);
  });
});

function endless(response: ServerResponse): void {
  while (response.write('x'.repeat(65_536)));
  response.once('drain', () => endless(response));
}
