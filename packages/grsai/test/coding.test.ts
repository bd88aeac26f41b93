import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { client, drain, drip, errorOf, serve, TASK } from './support.ts';

const ACK = JSON.stringify({ code: 0, msg: 'success', data: { id: '14-a', status: 'running' } });
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100_000, 7)]);
const CHAT = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'three ideas' }] };

const CODED: readonly (readonly [string, (text: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
  ['gzip, gzip', gzipSync],
];

const answering = (status: number, coding: string, bytes: Uint8Array) => (_req: unknown, res: ServerResponse) => {
  res.writeHead(status, { 'content-type': 'application/json', 'content-encoding': coding, 'content-length': bytes.length });
  res.end(bytes);
};

describe('an answer', () => {
  test.each(CODED)('to a submit that is coded with %s is read, whole and split', async (coding, encode) => {
    const bytes = encode(Buffer.from(ACK));
    await using whole = await serve(answering(200, coding, bytes));
    await using split = await serve((_req, res) => {
      res.writeHead(200, { 'content-encoding': coding });
      void drip(res, bytes, 1);
    });
    for (const { url } of [whole, split]) {
      await using grsai = client([url]);
      expect(await grsai.images.submit(TASK)).toMatchObject({ id: '14-a' });
    }
  });

  test('that says gzip and is plain is read as it is', async () => {
    await using server = await serve(answering(200, 'gzip', Buffer.from(ACK)));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '14-a' });
  });

  test('that is whole on a connection that is left open is not waited for', async () => {
    await using server = await serve((_req, res) => {
      const gzip = createGzip();
      gzip.pipe(res.writeHead(200, { 'content-encoding': 'gzip' }));
      gzip.write(ACK);
      gzip.flush(constants.Z_SYNC_FLUSH);
    });
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '14-a' });
  });

  test.each([
    ['of a coding that nobody knows', 'lzma', Buffer.from([0x5d, 0, 0, 1, 2, 3, 4, 5]), 'unreadable_answer', '"lzma"'],
    ['that is damaged', 'gzip', Buffer.from(gzipSync(ACK).fill(9, 10)), 'unreadable_answer', 'coding gzip'],
    ['that is cut', 'br', brotliCompressSync(ACK).subarray(0, 20), 'connection_lost', 'coding br'],
    ['that blows up', 'gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)), 'unreadable_answer', '256 times'],
  ])('to a submit %s leaves its outcome unknown, and says why', async (_what, coding, bytes, code, words) => {
    await using server = await serve(answering(200, coding, bytes));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({
      code,
      outcome: 'unknown',
      retryable: false,
      needsKeyProbe: false,
      message: expect.stringContaining(words),
    });
    expect(server.requests).toHaveLength(1);
  });

  test('to a poll that cannot be decoded is asked for again', async () => {
    await using server = await serve(answering(200, 'gzip', gzipSync(ACK).subarray(0, 30)));
    await using grsai = client([server.url]);
    const error = await errorOf(grsai.images.result('14-a', { base: server.url }));
    expect(error).toMatchObject({ code: 'connection_lost', retryable: true });
  });

  test('with a refusal is classed by its words', async () => {
    await using server = await serve(answering(400, 'br', brotliCompressSync('{"code":-1,"msg":"insufficient credits"}')));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ outcome: 'refused', category: 'balance' });
  });

  test('that is coded lets its connection be used again', async () => {
    await using server = await serve(answering(200, 'gzip', gzipSync(JSON.stringify({ id: '14-a', status: 'running' }))));
    await using grsai = client([server.url]);
    for (let poll = 0; poll < 3; poll += 1) await grsai.images.result('14-a', { base: server.url });
    expect(server.connections()).toBe(1);
  });
});

test.each(['gzip', 'br'])('a streamed chat under %s comes through event by event', async (coding) => {
  const event = (text: string, end: string | null): string =>
    `data: ${JSON.stringify({ id: '1', choices: [{ index: 0, delta: { content: text }, finish_reason: end }] })}\n\n`;
  let next = Promise.withResolvers<void>();
  await using server = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding });
    const coder = coding === 'gzip' ? createGzip() : createBrotliCompress();
    coder.pipe(res);
    const say = async (): Promise<void> => {
      for (const word of ['one', 'two', 'three']) {
        coder.write(event(word, word === 'three' ? 'stop' : null));
        coder.flush();
        await next.promise;
        next = Promise.withResolvers();
      }
      coder.end('data: [DONE]\n\n');
    };
    void say();
  });
  await using grsai = client([server.url]);
  const words: unknown[] = [];
  for await (const { choices } of grsai.chat.stream(CHAT)) {
    words.push(choices[0]?.delta?.content);
    next.resolve();
  }
  expect(words).toEqual(['one', 'two', 'three']);
});

describe('a result file', () => {
  test.each(CODED)('that is coded with %s is its own bytes, without a length', async (coding, encode) => {
    const bytes = encode(PNG);
    await using server = await serve(answering(200, coding, bytes));
    await using grsai = client([server.url]);
    const file = await grsai.images.download(`${server.url}/a.png`);
    expect(file).toMatchObject({ contentType: 'image/png', length: undefined });
    expect(Buffer.concat(await drain(file.chunks)).equals(PNG)).toBe(true);
  });

  test('that is cut throws while it is read, and is worth another download', async () => {
    await using server = await serve(answering(200, 'gzip', gzipSync(PNG).subarray(0, -4)));
    await using grsai = client([server.url]);
    const file = await grsai.images.download(`${server.url}/a.png`);
    expect(await errorOf(drain(file.chunks))).toMatchObject({ code: 'connection_lost', retryable: true });
  });

  test('that was refused lets its connection go at once', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using server = await serve((_req, res) => {
      closed = once(res, 'close');
      res.writeHead(404, { 'content-encoding': 'gzip' }).write('x'.repeat(1000));
    });
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.download(`${server.url}/a.png`))).toMatchObject({ status: 404 });
    await closed;
  });
});
