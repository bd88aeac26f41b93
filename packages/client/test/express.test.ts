import { createServer } from 'node:http';
import { listen } from '@grsai-jobs/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { expressWebhooks, type NodeRequest } from '../src/webhooks/express.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const event = {
  id: 'evt_1',
  type: 'job.failed',
  timestamp: '2026-11-23T06:43:28Z',
  sequence: 1,
  data: { id: 'job_1', status: 'failed' },
};
const body = JSON.stringify(event);

/** A server with the receiver, and what is done to the request before it. */
async function receiver({
  before,
  onEvent = () => undefined,
  next,
}: {
  before?: (request: NodeRequest) => Promise<void>;
  onEvent?: (each: unknown) => void;
  next?: (error: unknown) => void;
}) {
  const receive = expressWebhooks({ secret, onEvent });
  const server = createServer(async (request, response) => {
    await before?.(request);
    await receive(
      request,
      response,
      next === undefined
        ? undefined
        : (error) => {
            next(error);
            response.writeHead(500).end();
          },
    );
  });
  const url = await listen(server, onTestFinished);
  return async (text = body, signed = text) => {
    const now = new Date();
    const headers = {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('evt_1', now, signed),
    };
    const response = await fetch(url, { method: 'POST', body: text, headers });
    return { status: response.status, text: await response.text() };
  };
}

async function read(request: NodeRequest): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('when a webhook comes then it is handed on and answered with 204, and one that is not ours with 400', async () => {
  const seen: unknown[] = [];
  const post = await receiver({ onEvent: (each) => void seen.push(each) });
  expect(await post()).toEqual({ status: 204, text: '' });
  expect(await post(body, `${body} `)).toEqual({ status: 400, text: expect.stringContaining('No webhook-signature fits') });
  expect((await post('x'.repeat(1024 * 1024 + 1))).status).toBe(413);
  expect(seen).toEqual([event]);
});

test('when a parser has kept the raw body then that is verified', async () => {
  const raw = await receiver({ before: async (request) => void Object.assign(request, { body: await read(request) }) });
  expect((await raw()).status).toBe(204);
  const beside = await receiver({
    before: async (request) => {
      const rawBody = await read(request);
      Object.assign(request, { rawBody, body: JSON.parse(String(rawBody)) });
    },
  });
  expect((await beside()).status).toBe(204);
});

test('when a JSON parser ate the body then the error that next gets says where to put the route', async () => {
  const errors: unknown[] = [];
  const post = await receiver({
    before: async (request) => void Object.assign(request, { body: JSON.parse(String(await read(request))) }),
    next: (error) => errors.push(error),
  });
  expect((await post()).status).toBe(500);
  expect(errors).toEqual([expect.objectContaining({ code: 'body_parsed', message: expect.stringContaining('express.json()') })]);
});

test('when the handler of an event fails then the answer is no 2xx, with a next and without', async () => {
  const onEvent = () => Promise.reject(new Error('no room'));
  const errors: unknown[] = [];
  expect((await (await receiver({ onEvent }))()).status).toBe(500);
  expect((await (await receiver({ onEvent, next: (error) => errors.push(error) }))()).status).toBe(500);
  expect(errors).toEqual([expect.objectContaining({ message: 'no room' })]);
});
