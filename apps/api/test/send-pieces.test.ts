import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Response } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { sendNdjson } from '../src/http/send-ndjson.ts';
import { sendPieces } from '../src/http/send-pieces.ts';

/** A request whose answer the test writes, and the socket of its caller. */
async function startRequest() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  const set = (headers: Record<string, string>) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  };
  return { socket, response: Object.assign(response, { set }) as unknown as Response };
}

const endless = (letGo: () => void) =>
  (async function* () {
    try {
      for (;;) yield ['x'.repeat(1000)];
    } finally {
      letGo();
    }
  })();
const flat = async function* (pages: AsyncIterable<string[]>) {
  for await (const page of pages) yield* page;
};

type Send = (response: Response, pages: AsyncIterable<string[]>, ended: AbortSignal) => Promise<void>;
const WAYS: readonly (readonly [string, Send])[] = [
  ['pieces', async (response, pages, ended) => await sendPieces(response, flat(pages), { headers: {}, ended })],
  ['lines', sendNdjson],
];

test.each(WAYS)('when the caller has left before the first of its %s then they are let go of', async (_, send) => {
  const { socket, response } = await startRequest();
  const closed = once(response, 'close');
  socket.destroy();
  await closed;
  let gone = false;
  await send(
    response,
    endless(() => (gone = true)),
    new AbortController().signal,
  );
  expect(gone).toBe(true);
});

test.each(WAYS)('when a key has ended before the first of its %s then the connection is broken off', async (_, send) => {
  const { socket, response } = await startRequest();
  let gone = false;
  let got = '';
  socket.on('data', (chunk) => (got += String(chunk)));
  await send(
    response,
    endless(() => (gone = true)),
    AbortSignal.abort(),
  );
  expect([gone, got]).toEqual([true, '']);
});
