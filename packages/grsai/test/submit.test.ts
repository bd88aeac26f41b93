import { once } from 'node:events';
import { Agent, buildConnector, Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import type { StreamedBody } from '../src/index.ts';
import { answering, client, deadUrl, drain, drip, errorOf, KEY, rawServe, serve, TASK } from './support.ts';

const ACK = JSON.stringify({ id: '6-a', status: 'running' });
const PIECE = Buffer.alloc(64 * 1024, 0x20);

/** A JSON body of many megabytes that is made as it goes, anew for each base. */
function large(pieces: number): StreamedBody & { taken: () => number } {
  const head = Buffer.from('{"replyType":"async"');
  const tail = Buffer.from('}');
  let taken = 0;
  return {
    length: head.length + pieces * PIECE.length + tail.length,
    taken: () => taken,
    chunks: {
      async *[Symbol.asyncIterator]() {
        yield head;
        for (let i = 0; i < pieces; i++) {
          taken++;
          yield PIECE;
        }
        yield tail;
      },
    },
  };
}

/** More than the buffers of both ends of a local connection take. */
const TOO_LARGE_TO_BUFFER = 1024;

describe('nothing was sent', () => {
  test('when the connection is refused', async () => {
    const url = await deadUrl();
    await using grsai = client([url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({
      code: 'connection_failed',
      outcome: 'not_sent',
      retryable: true,
      base: url,
      tried: [],
    });
  });

  test('when TLS fails', async () => {
    await using plain = await serve(answering(200, ACK));
    await using grsai = client([plain.url.replace('http:', 'https:')]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ code: 'connection_failed', outcome: 'not_sent' });
  });

  test('when no connection comes about in time, not even when it does later', async () => {
    const arrived: string[] = [];
    await using server = await rawServe((socket) => socket.on('data', (data) => arrived.push(data.toString())));
    const connect = buildConnector({});
    let connected = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      connected = resolve;
    });
    let go = (): void => undefined;
    const dispatcher = new Agent({
      connect: (options, done) => {
        go = () =>
          connect(options, (...outcome) => {
            done(...outcome);
            connected();
          });
      },
    });
    await using grsai = client([server.url], { connectMs: 30 }, { dispatcher });
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ code: 'timeout', outcome: 'not_sent' });
    go();
    await late;
    await dispatcher.close();
    expect(arrived).toEqual([]);
  });

  test('when the limit has passed, even if the dispatcher goes on to take the body', async () => {
    let body: AsyncIterable<Uint8Array> | undefined;
    class Silent extends Dispatcher {
      override dispatch(options: Dispatcher.DispatchOptions): boolean {
        body = options.body as unknown as AsyncIterable<Uint8Array>;
        return true;
      }
    }
    await using grsai = client(['http://upstream.test'], { connectMs: 20 }, { dispatcher: new Silent() });
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ code: 'timeout', outcome: 'not_sent' });
    expect(await drain(body ?? [])).toEqual([]);
  });

  test('when the upload stands still before its last byte was taken', async () => {
    await using server = await rawServe((socket) => socket.pause());
    await using grsai = client([server.url], { uploadIdleMs: 150 });
    const body = large(TOO_LARGE_TO_BUFFER);
    expect(await errorOf(grsai.images.submit(body))).toMatchObject({ code: 'timeout', outcome: 'not_sent', retryable: true });
    expect(body.taken()).toBeGreaterThan(1);
    expect(body.taken()).toBeLessThan(TOO_LARGE_TO_BUFFER);
  });

  test('when the connection breaks in the middle of the upload; the next base gets all of it', async () => {
    await using breaking = await rawServe((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using server = await serve(answering(200, ACK));
    await using grsai = client([breaking.url, server.url]);
    const body = large(TOO_LARGE_TO_BUFFER);
    expect(await grsai.images.submit(body)).toEqual({
      id: '6-a',
      base: server.url,
      tried: [{ base: breaking.url, code: 'connection_failed' }],
    });
    expect(server.requests[0]?.headers['content-length']).toBe(String(body.length));
    expect(server.requests[0]?.body).toHaveLength(body.length);
  });

  test('when the source of the body fails', async () => {
    let received = '';
    await using server = await rawServe((socket) => socket.on('data', (data) => (received += data)));
    await using grsai = client([server.url]);
    const chunks = {
      async *[Symbol.asyncIterator]() {
        yield Buffer.from('{"replyType":');
        throw new Error('storage is away');
      },
    };
    const error = await errorOf(grsai.images.submit({ length: 100, chunks }));
    expect(error).toMatchObject({ code: 'body_failed', outcome: 'not_sent', cause: new Error('storage is away') });
    expect(received).not.toContain('async');
  });

  test('when the task is known to be wrong; every problem is reported', async () => {
    await using server = await serve(answering(200, ACK));
    await using grsai = client([server.url]);
    const error = await errorOf(grsai.images.submit({ model: 'nano-banana-fast', prompt: '', imageSize: '2K' }));
    expect(error).toMatchObject({ code: 'invalid_request', outcome: 'not_sent', retryable: false });
    expect(error).toHaveProperty('problems', [
      { field: 'prompt', message: expect.any(String) },
      { field: 'imageSize', message: expect.any(String) },
    ]);
    expect(server.requests).toEqual([]);
  });

  test('when the signal has fired before', async () => {
    await using server = await serve(answering(200, ACK));
    await using grsai = client([server.url]);
    const error = await errorOf(grsai.images.submit(TASK, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not_sent', retryable: false });
    expect(server.connections()).toBe(0);
  });

  test('when the front answers 503 before the upload is over, which then is not finished', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    let received = 0;
    await using server = await rawServe((socket) => {
      closed = once(socket, 'close');
      socket.once('data', () => socket.write('HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n'));
      socket.on('data', (data) => (received += data.length));
    });
    await using grsai = client([server.url]);
    const body = large(TOO_LARGE_TO_BUFFER);
    expect(await errorOf(grsai.images.submit(body))).toMatchObject({ outcome: 'not_sent', retryable: true });
    await closed;
    expect(received).toBeLessThan(body.length);
  });
});

describe('the outcome is unknown, and nothing is sent again', () => {
  test('when the connection breaks after the last byte', async () => {
    await using server = await serve((_req, res) => res.socket?.resetAndDestroy());
    await using other = await serve(answering(200, ACK));
    await using grsai = client([server.url, other.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({
      code: 'connection_lost',
      outcome: 'unknown',
      retryable: false,
      needsKeyProbe: false,
      base: server.url,
    });
    expect([server.requests.length, other.requests.length]).toEqual([1, 0]);
  });

  test('when no answer comes in time', async () => {
    await using server = await serve(() => undefined);
    await using other = await serve(answering(200, ACK));
    await using grsai = client([server.url, other.url], { submitAnswerMs: 50 });
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ code: 'timeout', outcome: 'unknown', retryable: false });
    expect([server.requests.length, other.requests.length]).toEqual([1, 0]);
  });

  test('when the answer begins and does not end in time', async () => {
    await using server = await serve((_req, res) => res.write('{"id":"6-'));
    await using grsai = client([server.url], { submitAnswerMs: 300 });
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ code: 'timeout', outcome: 'unknown', raw: '{"id":"6-' });
  });

  test('when the signal fires after the last byte', async () => {
    const abort = new AbortController();
    await using server = await serve(() => abort.abort());
    await using grsai = client([server.url]);
    const error = await errorOf(grsai.images.submit(TASK, { signal: abort.signal }));
    expect(error).toMatchObject({ code: 'aborted', outcome: 'unknown', retryable: false });
  });

  test.each([
    ['a page', 200, '<html>maintenance</html>'],
    ['an answer that is cut short', 200, '{"id":"6-'],
    ['HTTP 500', 500, 'oops'],
    ['HTTP 504', 504, '<html>Gateway Time-out</html>'],
    ['HTTP 408', 408, ''],
  ])('when there is %s', async (_, status, text) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ outcome: 'unknown', status, retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  test.each(['', '{}'])('when a 200 says %j, and only the key probe knows', async (text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ outcome: 'unknown', needsKeyProbe: true });
  });
});

describe('upstream refuses', () => {
  test('by pace, and says how long to wait', async () => {
    await using server = await serve(answering(429, '', { 'retry-after': '7' }));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({
      code: 'rate_limited',
      outcome: 'refused',
      category: 'rate_limited',
      retryAfterMs: 7000,
    });
  });

  test('by size, while the body is still on its way', async () => {
    await using server = await rawServe((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 13\r\n\r\n<html></html>')),
    );
    await using grsai = client([server.url]);
    const error = await errorOf(grsai.images.submit(large(TOO_LARGE_TO_BUFFER)));
    expect(error).toMatchObject({ outcome: 'refused', category: 'input', status: 413 });
  });

  test('and echoes the key, which is shown nowhere', async () => {
    const odd = 'odd-key-that-looks-like-none';
    await using server = await serve(answering(400, JSON.stringify({ error: `apikey error ${odd}` })));
    await using grsai = client([server.url], {}, { apiKey: odd });
    const error = await errorOf(grsai.images.submit(TASK));
    expect(error.category).toBe('auth');
    expect(JSON.stringify(error) + String(error) + error.raw).not.toContain(odd);
  });
});

describe('the answer is read as far as it is needed', () => {
  const WORD = '{"note":"纸灯塔 🏮","id":"6-é","status":"running"}';

  test('when it is whole and the connection stays open', async () => {
    await using server = await serve((_req, res) => res.write(WORD));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '6-é' });
  });

  test('when it is wrapped as an event and neither line nor connection end', async () => {
    await using server = await serve((_req, res) => res.write(`: hi\n\ndata: {}\n\ndata: ${WORD}`));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '6-é' });
  });

  test('when it comes in single bytes', async () => {
    await using server = await serve((_req, res) => void drip(res, Buffer.from(WORD), 1));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '6-é' });
  });
});

describe('a submit', () => {
  test('is sent once, with the key, as async', async () => {
    await using server = await serve(answering(200, ACK));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit({ ...TASK, replyType: 'json' })).toEqual({ id: '6-a', base: server.url, tried: [] });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      url: '/v1/api/generate',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', connection: 'close' },
    });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...TASK, replyType: 'async' });
  });

  test('takes a body that is made already, as text or bytes', async () => {
    await using server = await serve(answering(200, ACK));
    await using grsai = client([server.url]);
    const body = '{"model":"m","prompt":"纸","replyType":"async"}';
    await grsai.images.submit(body);
    await grsai.images.submit(Buffer.from(body));
    expect(server.requests.map((request) => request.body)).toEqual([body, body]);
  });

  test('pinned to a base goes to no other', async () => {
    const dead = await deadUrl();
    await using server = await serve(answering(200, ACK));
    await using grsai = client([dead, server.url]);
    expect(await errorOf(grsai.images.submit(TASK, { base: dead }))).toMatchObject({ outcome: 'not_sent', base: dead });
    expect(server.requests).toEqual([]);
  });

  test('with a body that can begin only once goes to the next base as long as it has not begun', async () => {
    async function* once() {
      yield Buffer.from('{"replyType":"async"}');
    }
    const dead = await deadUrl();
    await using server = await serve(answering(200, ACK));
    await using grsai = client([dead, server.url]);
    expect(await grsai.images.submit({ length: 21, chunks: once() })).toMatchObject({ base: server.url });
  });

  test('with a body that can begin only once and has begun goes nowhere else', async () => {
    await using breaking = await rawServe((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using server = await serve(answering(200, ACK));
    await using grsai = client([breaking.url, server.url]);
    const body = large(TOO_LARGE_TO_BUFFER);
    const begun = { length: body.length, chunks: body.chunks[Symbol.asyncIterator]() as AsyncGenerator<Uint8Array> };
    expect(await errorOf(grsai.images.submit(begun))).toMatchObject({ outcome: 'not_sent', base: breaking.url });
    expect(server.requests).toEqual([]);
  });

  test('that no base can be reached for names all of them', async () => {
    const [first, second] = [await deadUrl(), await deadUrl()];
    await using grsai = client([first, second]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({
      outcome: 'not_sent',
      base: second,
      tried: [{ base: first, code: 'connection_failed' }],
    });
  });
});
