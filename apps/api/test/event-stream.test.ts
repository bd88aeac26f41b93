import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { type EventStream, openEventStream } from '../src/http/event-stream.ts';

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

async function startStream(heartbeatMs: number) {
  const { promise, resolve } = Promise.withResolvers<EventStream>();
  const app = express();
  app.get('/', (_request, response) => resolve(openEventStream(response, heartbeatMs)));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  onTestFinished(() => void server.close());
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { stream: await promise, response };
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
