import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import express, { type ErrorRequestHandler } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { sendNdjson } from '../src/http/send-ndjson.ts';

async function start(pages: () => AsyncGenerator<unknown[]>, signal?: AbortSignal) {
  const ended = Promise.withResolvers<void>();
  const app = express();
  app.get('/', async (_request, response) => {
    try {
      await sendNdjson(response, pages(), signal);
    } finally {
      ended.resolve();
    }
  });
  const failed: ErrorRequestHandler = (_error, _request, response, _next) => {
    if (response.headersSent) response.destroy();
    else response.status(503).json({});
  };
  app.use(failed);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/`, ended: ended.promise };
}

test('when pages come then each row is a line, and an answer without rows is empty', async () => {
  const { url } = await start(async function* () {
    yield [{ a: 1 }, { b: '\n' }];
    yield [];
    yield [{ c: 3 }];
  });
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  expect(await response.text()).toBe('{"a":1}\n{"b":"\\n"}\n{"c":3}\n');
  const none = await start(async function* () {});
  expect(await (await fetch(none.url)).text()).toBe('');
});

test('when the first page fails then it is a problem, and when a later one does then the answer is broken off', async () => {
  const early = await start(async function* () {
    yield await Promise.reject(new Error('away'));
  });
  expect((await fetch(early.url)).status).toBe(503);
  const late = await start(async function* () {
    yield [{ a: 1 }];
    throw new Error('away');
  });
  await expect(fetch(late.url).then((response) => response.text())).rejects.toThrow();
});

test('when its key ends while an answer is open then the answer is broken off and no more pages are read', async () => {
  const key = new AbortController();
  let pages = 0;
  const { url, ended } = await start(async function* () {
    for (;;) {
      pages += 1;
      yield [{ page: pages }];
      if (pages === 3) key.abort();
      await setImmediate();
    }
  }, key.signal);
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  await ended;
  expect(pages).toBeLessThanOrEqual(4);
});

test('when nobody takes the answer then no more pages are read, and when its reader goes then reading ends', async () => {
  let pages = 0;
  let closed = false;
  const row = { text: 'x'.repeat(100_000) };
  const { port, ended } = await start(async function* () {
    try {
      for (;;) {
        pages += 1;
        yield [row];
        await setImmediate();
      }
    } finally {
      closed = true;
    }
  });
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  // What the kernel holds for the reader is full when the number of pages stands still.
  await expect
    .poll(async () => {
      const before = pages;
      for (let turns = 0; turns < 1000; turns += 1) await setImmediate();
      return before > 0 && pages === before;
    })
    .toBe(true);
  expect(pages).toBeLessThan(1000);
  socket.destroy();
  await ended;
  expect(closed).toBe(true);
});
