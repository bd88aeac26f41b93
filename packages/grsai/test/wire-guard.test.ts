import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { client, drain, errorOf, rawServe, TASK } from './support.ts';

/** No limit of time ends what these tests send. */
const PATIENT = { submitAnswerMs: 25_000, queryMs: 25_000, firstByteMs: 25_000, idleMs: 25_000, totalMs: 25_000 };
/** The systems at both ends hold some MiB of what was sent. */
const SOON = 32 * 1024 * 1024;

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
const LONG = 'e'.repeat(60_000);

function pour(socket: Socket, head: string, piece: string): void {
  const bytes = Buffer.from(piece);
  socket.write(head);
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    socket.once('drain', more);
  };
  more();
}

/** Answers each request with a beginning, and then with the same piece until somebody closes the connection. */
async function flood(head: string, piece: string) {
  const sent: number[] = [];
  const server = await rawServe((socket) => {
    socket.once('data', () => pour(socket, head, piece));
    socket.on('data', () => undefined).once('close', () => sent.push(socket.bytesWritten));
  });
  return Object.assign(server, { sent });
}

const FLOODS: readonly (readonly [what: string, head: string, piece: string])[] = [
  ['chunks of one byte behind long extensions', CHUNKED, `1;${LONG}\r\n \r\n`],
  ['one extension', `${CHUNKED}1;`, LONG],
  ['chunks of one byte', CHUNKED, '1\r\n \r\n'.repeat(10_000)],
  ['trailers', `${CHUNKED}0\r\n`, `a: ${' '.repeat(60_000)}b\r\n`],
  ['informational answers', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100)],
  ['a status line', 'HTTP/1.1 200 ', LONG],
  ['headers with blanks before their values', OK, `a:${' '.repeat(60_000)}b\r\n`],
  ['headers', OK, `a: ${LONG}\r\n`],
  ['cookies', OK, 'set-cookie: a=b\r\n'.repeat(4_000)],
];

describe('an answer of upstream without end', () => {
  test.each(FLOODS)(
    'when it is made of %s, then a call ends soon, and says what may have been left behind',
    async (_, head, piece) => {
      await using server = await flood(head, piece);
      await using grsai = client([server.url], PATIENT);
      const calls = [
        [errorOf(grsai.images.submit(TASK)), { code: 'unreadable_answer', outcome: 'unknown', retryable: false }],
        [errorOf(grsai.images.result('t-1', { base: server.url })), { code: 'unreadable_answer', retryable: true }],
        [errorOf(drain(grsai.chat.stream({ model: 'm', messages: [] }))), { code: 'unreadable_answer', outcome: 'unknown' }],
        [errorOf(grsai.images.download(`${server.url}/a.png`)), { code: 'unreadable_answer', retryable: true }],
      ] as const;
      for (const [call, then] of calls) expect(await call).toMatchObject(then);
      expect(Math.max(...server.sent)).toBeLessThan(SOON);
    },
  );
});

describe('an honest answer', () => {
  const completion = (content: string): string =>
    JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  const end = 'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
  const chunked = (text: string, size: number): string => {
    const parts: string[] = [];
    for (let at = 0; at < text.length; at += size) {
      const part = text.slice(at, at + size);
      parts.push(`${part.length.toString(16)}\r\n${part}\r\n`);
    }
    return `${parts.join('')}0\r\n\r\n`;
  };

  test.each([
    ['many heartbeats', ': \n\n'.repeat(50_000), 4],
    ['small pieces of small events', Array.from({ length: 2_000 }, () => `data: ${completion('w')}\n\n`).join(''), 10],
    ['a chunk for each letter', Array.from({ length: 500 }, () => `data: ${completion('w')}\n\n`).join(''), 1],
  ])('when a stream has %s, then it is read to its end', async (_, text, size) => {
    const body = chunked(text + end, size);
    await using server = await rawServe((socket) => {
      socket.once('data', () => socket.write(CHUNKED + body));
    });
    await using grsai = client([server.url], PATIENT);
    const chunks = await drain(grsai.chat.stream({ model: 'm', messages: [] }));
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  test('when many come on one connection, then each counts for itself', async () => {
    const state = JSON.stringify({ id: 't-1', status: 'running', progress: 1, note: 'n'.repeat(2_000_000) });
    await using server = await rawServe((socket) => {
      socket.on('data', () => socket.write(`${OK}content-length: ${state.length}\r\n\r\n${state}`));
    });
    await using grsai = client([server.url], PATIENT);
    for (let i = 0; i < 40; i += 1)
      expect(await grsai.images.result('t-1', { base: server.url })).toMatchObject({ status: 'running' });
    expect(server.connections()).toBeLessThan(5);
  });

  test('when it stands behind bytes that nobody asked for, then it comes over another connection', async () => {
    const state = JSON.stringify({ id: 't-1', status: 'running', progress: 1 });
    const gone = Promise.withResolvers<void>();
    await using server = await rawServe((socket) => {
      socket.once('close', gone.resolve);
      socket.on('data', () => {
        socket.write(`${OK}content-length: ${state.length}\r\n\r\n${state}`);
        setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`), 30);
      });
    });
    await using grsai = client([server.url], PATIENT);
    await grsai.images.result('t-1', { base: server.url });
    await gone.promise;
    expect(await grsai.images.result('t-1', { base: server.url })).toMatchObject({ id: 't-1', status: 'running' });
    expect(server.connections()).toBe(2);
  });
});
