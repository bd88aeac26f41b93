import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { type BodyRules, bodyStream } from '../src/http/body-stream.ts';
import { judgeByHead } from '../src/http/expect-continue.ts';
import { Problem } from '../src/http/problem.ts';

const LIMIT = 1_000_000;

/** A server that reads a body and tells how many bytes it had, or the code of what was wrong with it. */
async function start(
  read: (chunk: Uint8Array) => unknown = () => undefined,
  rules: BodyRules = { bytes: LIMIT },
  before: (request: IncomingMessage) => unknown = () => undefined,
) {
  const told: string[] = [];
  let socket: Socket | undefined;
  const app = async (request: IncomingMessage, response: Parameters<typeof bodyStream>[1]): Promise<void> => {
    socket = request.socket;
    let bytes = 0;
    let answer = '';
    await before(request);
    try {
      for await (const chunk of bodyStream(request, response, rules)) {
        await read(chunk);
        bytes += chunk.length;
      }
      answer = String(bytes);
    } catch (error) {
      answer = error instanceof Problem ? error.code : String(error);
    }
    told.push(answer);
    response.end(answer);
  };
  const server = createServer(app);
  judgeByHead(server, app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const post = async (body: Uint8Array, encoding?: string): Promise<string> => {
    const headers = encoding === undefined ? {} : { 'content-encoding': encoding };
    const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent, headers });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return Buffer.concat(await response.toArray()).toString();
  };
  return { port, post, told, connections: () => connections, taken: () => socket?.bytesRead ?? 0 };
}

const body = Buffer.from('{"a":1}\n'.repeat(20_000));

test.each([
  ['nothing', undefined, body],
  ['identity', 'identity', body],
  ['gzip', 'GZip', gzipSync(body)],
  ['x-gzip', 'X-Gzip', gzipSync(body)],
  ['two gzip members', 'gzip', Buffer.concat([gzipSync(body.subarray(0, 1000)), gzipSync(body.subarray(1000))])],
  ['deflate', 'deflate', deflateSync(body)],
  ['br', 'br', brotliCompressSync(body)],
  ['zstd', 'zstd', zstdCompressSync(body)],
])('when a body is packed with %s then its bytes are read', async (_what, encoding, bytes) => {
  const { post } = await start();
  expect(await post(bytes, encoding)).toBe(String(body.length));
});

test.each([
  ['cut gzip', 'gzip', gzipSync(body).subarray(0, 200), 'bad_request'],
  ['junk for gzip', 'gzip', body, 'bad_request'],
  ['junk for br', 'br', body, 'bad_request'],
  ['junk for zstd', 'zstd', body, 'bad_request'],
  ['cut zstd', 'zstd', zstdCompressSync(body).subarray(0, -4), 'bad_request'],
  // A head alone: no size, a window of 64 MiB; of 8 MiB it waits for more.
  ['zstd with a window of 64 MiB', 'zstd', Buffer.from('28b52ffd0080010000', 'hex'), 'bad_request'],
  ['cut br', 'br', brotliCompressSync(body).subarray(0, 20), 'bad_request'],
  ['br with more behind its end', 'br', Buffer.concat([brotliCompressSync(body), brotliCompressSync(body)]), 'bad_request'],
  ['deflate with more behind its end', 'deflate', Buffer.concat([deflateSync(body), deflateSync(body)]), 'bad_request'],
  [
    'gzip with zeros and more behind its end',
    'gzip',
    Buffer.concat([gzipSync(body), Buffer.alloc(9), gzipSync(body)]),
    'bad_request',
  ],
  ['gzip with junk behind its end', 'gzip', Buffer.concat([gzipSync(body), Buffer.from('junk')]), 'bad_request'],
  ['an unknown encoding', 'lzma', body, 'unsupported_media_type'],
  ['two encodings', 'gzip, br', body, 'unsupported_media_type'],
  ['the name of a method of objects', 'toString', body, 'unsupported_media_type'],
  ['too many bytes', undefined, Buffer.alloc(LIMIT + 1), 'body_too_large'],
  ['a bomb', 'gzip', gzipSync(Buffer.alloc(100 * LIMIT)), 'body_too_large'],
])('when a body is %s then it is refused, and the connection goes on', async (_what, encoding, bytes, code) => {
  const { post, connections } = await start();
  expect(await post(bytes, encoding)).toBe(code);
  expect(await post(body)).toBe(String(body.length));
  expect(connections()).toBe(1);
});

async function open(port: number, head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n`);
  return socket;
}

test.each(['identity', 'gzip'])('when the connection of a body (%s) breaks then reading ends', async (encoding) => {
  const first = Promise.withResolvers<void>();
  const { port, told } = await start(() => first.resolve());
  const bytes = encoding === 'gzip' ? gzipSync(body, { level: 0 }) : body;
  const socket = await open(port, `content-encoding: ${encoding}\r\ncontent-length: ${bytes.length}`);
  socket.write(bytes.subarray(0, bytes.length - 10));
  await first.promise;
  socket.destroy();
  await expect.poll(() => told).toEqual(['bad_request']);
});

test.each(['identity', 'gzip'])(
  'when the connection of a body (%s) has broken before it is read then reading ends',
  async (encoding) => {
    const { port, told } = await start(
      undefined,
      { bytes: LIMIT },
      (request) => new Promise((resolve) => request.once('close', resolve)),
    );
    const socket = await open(port, `content-encoding: ${encoding}\r\ncontent-length: 1000`);
    socket.write(gzipSync(body).subarray(0, 100));
    socket.resetAndDestroy();
    await expect.poll(() => told).toEqual(['bad_request']);
  },
);

test('when a body is refused early by its reader then what is left of it is taken in, so that the answer arrives', async () => {
  const { port } = await start(() => {
    throw new Problem('invalid_request', 'no');
  });
  const bytes = Buffer.alloc(LIMIT - 1);
  const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
  sent.end(bytes);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(Buffer.concat(await response.toArray()).toString()).toBe('invalid_request');
});

test('when the reader is slow then hardly more is taken from the connection than it has read', async () => {
  const [first, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const total = 20_000_000;
  const read = async () => {
    first.resolve();
    await gate.promise;
  };
  const { port, told, taken } = await start(read, { bytes: total });
  const socket = await open(port, `content-length: ${total}`);
  socket.write(Buffer.alloc(total));
  await first.promise;
  for (let turns = 0; turns < 1000; turns += 1) await setImmediate();
  expect(taken()).toBeLessThan(LIMIT);
  gate.resolve();
  await expect.poll(() => told).toEqual([String(total)]);
});

test.each([
  ['gzip', gzipSync(body), gzipSync(body)],
  ['deflate', deflateSync(body), deflateSync(body)],
  ['br', brotliCompressSync(body), brotliCompressSync(body)],
])('when a body of %s goes on behind its end while its reader is slow then it is refused', async (encoding, first, second) => {
  const gate = Promise.withResolvers<void>();
  const { port, told } = await start(() => gate.promise);
  const socket = await open(port, `content-encoding: ${encoding}\r\ntransfer-encoding: chunked`);
  for (const part of [first, Buffer.alloc(5), second, Buffer.alloc(5), second]) {
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    socket.write('\r\n');
  }
  socket.write('0\r\n\r\n');
  gate.resolve();
  await expect.poll(() => told).toEqual(['bad_request']);
});

test('when a request waits to be asked for its body then it is asked by the reader, and not when it is refused before', async () => {
  const { port } = await start();
  const good = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers: { expect: '100-continue', 'content-length': 3 } });
  good.flushHeaders();
  await once(good, 'continue');
  good.end('abc');
  const [answer] = (await once(good, 'response')) as [IncomingMessage];
  expect(answer.headers.connection).not.toBe('close');
  expect(Buffer.concat(await answer.toArray()).toString()).toBe('3');

  const bad = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { expect: '100-continue', 'content-length': 2 * LIMIT },
  });
  bad.on('continue', () => expect.unreachable());
  bad.flushHeaders();
  const [refusal] = (await once(bad, 'response')) as [IncomingMessage];
  expect(refusal.headers.connection).toBe('close');
  expect(Buffer.concat(await refusal.toArray()).toString()).toBe('body_too_large');
  bad.destroy();
});
