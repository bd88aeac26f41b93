import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEgress, download, type EgressOptions, type PostRequest, postOnce } from '../src/index.ts';
import { RECEIVER } from '../src/wire-limits.ts';
import { certificate } from './certificate.ts';
import { FLOODS, pour, startFlood, startRaw } from './floods.ts';
import { startHttps, startTcp } from './servers.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
/** The systems at both ends hold some MiB of what was sent. */
const SOON = 24 * 1024 * 1024;

function egressFor(options: EgressOptions = {}) {
  const egress = createEgress({ allow: ['127.0.0.0/8'], ...options });
  onTestFinished(() => egress.close());
  return egress;
}

/** Long enough that only a limit on what comes can end an attempt. */
const post = (url: string, request: Partial<PostRequest> = {}) =>
  postOnce(egressFor(), { url, headers: {}, body: '{}', totalMs: 25_000, ...request });

async function fetched(url: string): Promise<string> {
  const { body } = await download(egressFor(), url, { maxBytes: 1_000_000, totalMs: 25_000 });
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('an answer without end', () => {
  test.each(FLOODS)('when a receiver sends %s, then the attempt ends soon', async (_, ended, head, piece) => {
    const server = await startFlood(head, piece);
    const result = await post(server.url);
    expect(result.durationMs).toBeLessThan(15_000);
    expect(await server.sent).toBeLessThan(SOON);
    if (ended === 'behind') expect(result).toMatchObject({ ok: true, status: 200 });
    if (ended === 'before') expect(result).toMatchObject({ ok: false, phase: 'response', code: 'connect' });
  });

  test.each(FLOODS)(
    'when a result host sends %s, then the download ends soon, and may be tried again',
    async (_, _ended, head, piece) => {
      const server = await startFlood(head, piece);
      await expect(fetched(server.url)).rejects.toMatchObject({ retryable: true, code: expect.not.stringMatching('timeout') });
      expect(await server.sent).toBeLessThan(SOON);
    },
  );
});

describe('over TLS', () => {
  test.each(FLOODS.slice(0, 2))('when a receiver sends %s, then the attempt ends as soon', async (_, _ended, head, piece) => {
    const sent = Promise.withResolvers<number>();
    const server = await startHttps(certificate, ({ socket }) => {
      socket.once('close', () => sent.resolve(socket.bytesWritten)).on('error', () => undefined);
      pour(socket, Buffer.from(head), Buffer.from(piece));
    });
    const egress = egressFor({ ca: certificate.cert });
    const result = await postOnce(egress, { url: server.url, headers: {}, body: '{}', totalMs: 25_000 });
    expect(result).toMatchObject({ ok: true, status: 200 });
    expect(result.durationMs).toBeLessThan(15_000);
    expect(await sent.promise).toBeLessThan(SOON);
  });

  test('when a server drips its handshake, then the limit for the connection ends it', async () => {
    const server = await startTcp((socket) => {
      socket.write(Buffer.from('1603034000', 'hex'));
      const drip = setInterval(() => socket.write('\0'), 50);
      socket.once('close', () => clearInterval(drip));
    });
    const egress = egressFor({ connectMs: 400 });
    const result = await postOnce(egress, { url: `https://127.0.0.1:${server.port}`, headers: {}, body: '{}' });
    expect(result).toMatchObject({ phase: 'tls', code: 'timeout', error: 'no connection within 400 ms' });
  });
});

test.each([
  ['more than 32768 bytes before its body', `${OK}${`a:${' '.repeat(60_000)}b\r\n`.repeat(3)}`],
  ['more than 16384 bytes', `${OK}a: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['more than 16 others before it', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17)],
  ['more than 256 headers', `${OK}${'a:\r\n'.repeat(257)}\r\n`],
])('when a limit on the head of an answer is passed, then the attempt says "%s"', async (words, head) => {
  const server = await startRaw(head);
  expect(await post(server.url)).toMatchObject({ code: 'connect', error: expect.stringContaining(words) });
});

test('when an answer has as much before its body as may be, then it is taken', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(16);
  const headers = `${'a: b\r\n'.repeat(250)}c: ${'x'.repeat(12_000)}\r\n`;
  const server = await startRaw(`${hints}${OK}${headers}content-length: 2\r\n\r\nok`);
  expect(await post(server.url)).toMatchObject({ ok: true, status: 200, answer: 'ok' });
});

test('when a body comes in small chunks, as servers make them, then it is whole', async () => {
  const chunk = `c8\r\n${'y'.repeat(200)}\r\n`;
  const server = await startRaw(`${OK}transfer-encoding: chunked\r\n\r\n${chunk.repeat(4_000)}0\r\nexpires: 0\r\n\r\n`);
  expect(await fetched(server.url)).toBe('y'.repeat(800_000));
});

test('when a file is larger on the wire than it may be, then it is too large for good', async () => {
  const server = await startFlood(`${OK}transfer-encoding: chunked\r\n\r\n`, `1000\r\n${'z'.repeat(4_096)}\r\n`);
  await expect(fetched(server.url)).rejects.toMatchObject({ code: 'too_large', retryable: false });
});

describe('an answer that breaks the rules', () => {
  const cases: readonly (readonly [what: string, answer: string, then: object])[] = [
    ['is HTTP/0.9', '<html>well</html>', { ok: false, code: 'connect' }],
    ['has a version that nobody knows', 'HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n', { ok: false, code: 'connect' }],
    ['has two lengths that differ', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok!`, { ok: false, code: 'connect' }],
    ['has the same length twice', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, { ok: false, code: 'connect' }],
    [
      'has a length and chunks',
      `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      { ok: false, code: 'connect' },
    ],
    ['has a negative length', `${OK}content-length: -1\r\n\r\n`, { ok: false, code: 'connect' }],
    ['has a length beyond all numbers', `${OK}content-length: ${'9'.repeat(40)}\r\n\r\n`, { ok: false, code: 'connect' }],
    ['is packed and chunked', `${OK}transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, { ok: true, answer: 'ok' }],
    ['has a chunk of 2^64 bytes', `${OK}transfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\nx`, { ok: true, status: 200 }],
    ['has a chunk size that is none', `${OK}transfer-encoding: chunked\r\n\r\nxyz\r\n`, { ok: true, status: 200 }],
    [
      'wants to change the protocol',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      { ok: false },
    ],
    ['asks for the body again', 'HTTP/1.1 100 Continue\r\n\r\n', { ok: false, code: 'connect' }],
    ['folds its headers', `${OK}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`, { phase: 'response' }],
    ['has NUL in a header', `${OK}a: b\0c\r\ncontent-length: 0\r\n\r\n`, { ok: false, code: 'connect' }],
  ];

  test.each(cases)('when it %s, then the attempt ends at once', async (_, answer, then) => {
    const server = await startRaw(answer);
    const result = await post(server.url);
    expect(result).toMatchObject(then);
    expect(result.durationMs).toBeLessThan(15_000);
  });

  test('when a chunk is announced as larger than anything, then the wait for it ends with the attempt', async () => {
    const server = await startRaw(`${OK}transfer-encoding: chunked\r\n\r\nffffffffffffff\r\nx`);
    expect(await post(server.url, { totalMs: 300 })).toMatchObject({ ok: true, status: 200, answer: 'x' });
  });

  test('when it has no length and its connection closes, then it is whole for a webhook', async () => {
    const server = await startRaw(`${OK}\r\nthe end`, true);
    expect(await post(server.url)).toMatchObject({ ok: true, answer: 'the end' });
  });

  test('when its connection closes before its length, then a file is cut short', async () => {
    const server = await startRaw(`${OK}content-length: 10\r\n\r\nhalf`, true);
    await expect(fetched(server.url)).rejects.toMatchObject({ code: 'truncated' });
  });
});

describe('an answer that nobody asked for', () => {
  const poison = 'HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n';

  /** Answers each request with what `answer` gives for it; the number of the connection comes first. */
  async function server(answer: (connection: number) => string, later?: string) {
    let connection = 0;
    const quiet = Promise.withResolvers<void>();
    const { url, connections } = await startTcp((socket) => {
      connection += 1;
      const mine = connection;
      socket.on('data', () => {
        socket.write(answer(mine));
        if (later !== undefined && mine === 1) setTimeout(() => socket.write(later), 50);
      });
      if (mine === 1) socket.once('close', () => quiet.resolve());
    });
    return { url, connections, closed: quiet.promise };
  }

  test.each([
    ['in one piece with the answer', poison, undefined],
    ['in part with the answer', 'HTTP/1.1 410 Go', undefined],
    ['after it', '', poison],
    ['after it, in part', '', 'HTT'],
    ['after it, as line ends', '', '\r\n\r\n'],
  ])(
    'when it comes %s, then it is not the answer of the next webhook, and its connection is dropped',
    async (_, with200, later) => {
      const good = `${OK}content-length: 2\r\n\r\nok`;
      const { url, connections, closed } = await server((connection) => (connection === 1 ? good + with200 : good), later);
      const egress = egressFor();
      expect(await postOnce(egress, { url, headers: {}, body: '{}' })).toMatchObject({ ok: true, answer: 'ok' });
      // undici itself would drop it after two seconds, when nothing else happens.
      await expect(Promise.race([closed, pause(1_500, 'still open')])).resolves.toBeUndefined();
      expect(await postOnce(egress, { url, headers: {}, body: '{}' })).toMatchObject({ ok: true, status: 200, answer: 'ok' });
      expect(connections()).toBe(2);
    },
  );

  test('when it comes while the body of a webhook is still going out, then the connection is not used again', async () => {
    const { url, connections } = await server(() => `${OK}content-length: 0\r\n\r\n`);
    const egress = egressFor();
    const body = 'b'.repeat(1_000_000);
    for (let i = 0; i < 2; i += 1) await postOnce(egress, { url, headers: {}, body });
    expect(connections()).toBe(2);
  });
});

test('when answers on a kept connection add up beyond the limit, then each counts for itself', async () => {
  const server = await startRaw(`${OK}a: ${'x'.repeat(10_000)}\r\ncontent-length: 50000\r\n\r\n${'y'.repeat(50_000)}`);
  const egress = egressFor();
  for (let i = 0; i < 12; i += 1)
    expect(await postOnce(egress, { url: server.url, headers: {}, body: '{}' })).toMatchObject({ ok: true });
  expect(server.connections()).toBeLessThanOrEqual(2);
});

test('when a receiver drips its answer, then it is let go; when it takes its time before it answers, then not', async () => {
  const released = Promise.withResolvers<void>();
  const dripping = await startTcp((socket) => {
    socket.once('data', () => {
      socket.write(`${OK}content-length: 100000\r\n\r\n`);
      const drip = setInterval(() => socket.write('z'), 20);
      socket.once('close', () => clearInterval(drip));
    });
  });
  const working = await startTcp((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
      void released.promise.then(() => socket.end(`${OK}content-length: 2\r\n\r\nok`));
    });
  });
  const egress = egressFor({ receiver: { ...RECEIVER, rate: { bytesPerSecond: 256, afterMs: 200 } } });
  const send = (url: string) => postOnce(egress, { url, headers: {}, body: '{}', totalMs: 25_000 });
  const waiting = send(working.url);
  const dripped = await send(dripping.url);
  released.resolve();
  const worked = await waiting;
  expect(dripped).toMatchObject({ ok: true, status: 200, answer: expect.stringMatching(/^z+$/) });
  expect(dripped.durationMs).toBeLessThan(15_000);
  expect(worked).toMatchObject({ ok: true, answer: 'ok' });
});

test('when twenty receivers hold attempts open behind small chunks, then little of what they sent is kept', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const piece = `1;${'e'.repeat(3_000)}\r\nx\r\n`;
  const server = await startTcp((socket) => {
    socket.once('data', () => {
      socket.write(`${OK}transfer-encoding: chunked\r\n\r\n`);
      // Apart from each other, so that each chunk is a view on a read of its own.
      const drip = setInterval(() => socket.write(piece), 5);
      socket.once('close', () => clearInterval(drip));
    });
  });
  const egress = egressFor();
  gc();
  const before = process.memoryUsage().arrayBuffers;
  const attempts = Array.from({ length: 20 }, () =>
    postOnce(egress, { url: server.url, headers: {}, body: '{}', totalMs: 1_000 }),
  );
  const results = await Promise.all(attempts);
  expect(results.every(({ status, answer }) => status === 200 && answer.length < 30)).toBe(true);
  gc();
  // Views would hold a buffer of up to 64 KiB for each of some twenty chunks of each attempt; a few reads of sockets are still under way.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
});
