import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@grsai-jobs/testkit';
import express, { type Response } from 'express';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type EventStream, openEventStream, openPacedStream, type PacedStream } from '../src/http/event-stream.ts';

const EVENT = {
  job_id: 'job_A',
  seq: 7,
  type: 'job.progress',
  status: 'running',
  stage: 'generating',
  run: 1,
  progress: 40,
  at: 0,
} as const;

const startStream = (heartbeatMs: number) => serve<EventStream>((response) => openEventStream(response, heartbeatMs));

async function serve<S>(open: (response: Response) => S) {
  const { url, opened } = await listen(open);
  const answer = await fetch(url);
  return { stream: await opened, response: answer };
}

async function listen<S>(open: (response: Response) => S) {
  const { promise: opened, resolve } = Promise.withResolvers<S>();
  const app = express();
  app.get('/', (_request, response) => resolve(open(response)));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, opened };
}

test('when nothing happens then comments keep the stream open, and an event is reported by id, name and data', async () => {
  const { stream, response } = await startStream(10);
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.split(': still here\n\n').length === 4) {
      stream.send(EVENT);
      stream.end();
      stream.send(EVENT);
    }
  }
  expect(text.startsWith('retry: 2000\n\n')).toBe(true);
  const { at: _at, ...rest } = EVENT;
  const [block] = text.split('\n\n').filter((each) => each.startsWith('id:'));
  expect(block).toBe(`id: 7\nevent: job.progress\ndata: ${JSON.stringify({ ...rest, timestamp: '1970-01-01T00:00:00.000Z' })}`);
  expect(text.match(/^id:/gm)).toHaveLength(1);
});

/** A stream whose reader takes nothing yet, and how much of it waits in the process. */
async function startPaced(heartbeatMs: number, takesNothingMs: number) {
  const waiting = { bytes: () => 0, closed: Promise.resolve() };
  const { stream, response } = await serve<PacedStream>((answer) => {
    waiting.bytes = () => answer.writableLength;
    waiting.closed = new Promise((resolve) => answer.once('close', () => resolve()));
    return openPacedStream(answer, heartbeatMs, takesNothingMs);
  });
  return { stream, response, waiting };
}

test('when a reader takes nothing then who writes waits, no comments pile up, and all comes when it reads', async () => {
  const { stream, response, waiting } = await startPaced(1, 60_000);
  const text = 'x'.repeat(100_000);
  let [written, most] = [0, 0];
  const writing = (async () => {
    for (; written < 400; written += 1) {
      await stream.write(text);
      most = Math.max(most, waiting.bytes());
    }
    stream.end();
  })();
  await waitFor(() => waiting.bytes() > 0);
  const held = waiting.bytes();
  expect(held).toBeLessThan(200_000);
  expect(written).toBeLessThan(400);
  let bytes = 0;
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? [])
    bytes += chunk.replaceAll(': still here\n\n', '').length;
  await writing;
  expect(bytes).toBe(400 * text.length);
  expect(most).toBeLessThan(200_000);
});

test('when a reader takes nothing for too long then it is let go', async () => {
  const { stream, response, waiting } = await startPaced(60_000, 20);
  const writing = (async () => {
    for (let n = 0; n < 1000; n += 1) await stream.write('x'.repeat(100_000));
  })();
  await waiting.closed;
  await writing;
  await response.body?.cancel().catch(() => undefined);
});

test('when a comment has filled what waits for a reader then the piece behind it comes all the same', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { stream, response } = await serve<PacedStream>((answer) => {
    resolve(answer);
    return openPacedStream(answer, 1);
  });
  const answer = await promise;
  // Nothing leaves the process, so that what waits is as long as wanted.
  answer.socket?.cork();
  await stream.write('x'.repeat((answer.socket?.writableHighWaterMark ?? 0) - answer.writableLength - 500));
  expect(answer.writableNeedDrain).toBe(false);
  await waitFor(() => answer.writableNeedDrain);
  const written = stream.write('the piece');
  answer.socket?.uncork();
  await written;
  stream.end();
  expect(await response.text()).toContain('the piece');
});

test('when a stream is opened for somebody who has left then nothing of it stays', async () => {
  const { url, opened } = await listen((answer) => ({ answer, closed: once(answer, 'close') }));
  const leaves = new AbortController();
  const asked = fetch(url, { signal: leaves.signal }).catch(() => undefined);
  const { answer, closed } = await opened;
  leaves.abort();
  await Promise.all([asked, closed]);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  await openPacedStream(answer, 10).write('a piece');
  expect(vi.getTimerCount()).toBe(0);
});
