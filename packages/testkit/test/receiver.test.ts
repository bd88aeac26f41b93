import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { startReceiver } from '../src/receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

async function receiver(options: { secret?: string } = {}) {
  const it = await startReceiver(options);
  onTestFinished(() => it.stop());
  return it;
}
const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers, redirect: 'manual' });

test('what was posted can be read back, and 200 is the answer', async () => {
  const it = await receiver();
  const answer = await post(it.url, '{"a":1}', { 'x-test': 'yes' });
  expect(answer.status).toBe(200);
  expect(it.received).toMatchObject([{ method: 'POST', path: '/hook', body: '{"a":1}', json: { a: 1 }, signature: 'unchecked' }]);
  expect(it.received[0]?.headers['x-test']).toBe('yes');
});

test('answers are used in turn, the last one for ever', async () => {
  const it = await receiver();
  it.respond(500, { redirect: 'http://127.0.0.1:1/' }, { status: 429, headers: { 'retry-after': '3' }, body: 'slow' }, 410);
  const answers = [];
  for (let i = 0; i < 5; i += 1) answers.push(await post(it.url, ''));
  expect(answers.map((a) => a.status)).toEqual([500, 302, 429, 410, 410]);
  expect(answers[1]?.headers.get('location')).toBe('http://127.0.0.1:1/');
  expect(answers[2]?.headers.get('retry-after')).toBe('3');
});

test('a function decides by what came in', async () => {
  const it = await receiver();
  it.respond((request, index) => (request.body === 'bad' ? 400 : 200 + index));
  expect((await post(it.url, 'bad')).status).toBe(400);
  expect((await post(it.url, 'ok')).status).toBe(201);
});

test('hang never answers, reset breaks the connection, and both were received', async () => {
  const it = await receiver();
  it.respond('hang', 'reset');
  const stop = new AbortController();
  const hanging = fetch(it.url, { method: 'POST', signal: stop.signal }).catch((error: unknown) => error);
  await it.waitFor(1);
  await expect(post(it.url, 'x')).rejects.toThrow();
  stop.abort();
  await hanging;
  expect(it.received).toHaveLength(2);
  expect(it.peak).toBe(2);
});

test('waitFor finds past and future requests, by number and by content', async () => {
  const it = await receiver();
  const second = it.waitFor((request) => request.body === 'two');
  await post(it.url, 'one');
  await post(it.url, 'two');
  expect((await second).body).toBe('two');
  expect((await it.waitFor(2)).map((r) => r.body)).toEqual(['one', 'two']);
  await expect(it.waitFor(3, { timeoutMs: 1 })).rejects.toThrow(/3 requests; 2 came: one \| two/);
});

test('a signature is checked with the reference library', async () => {
  const it = await receiver({ secret: SECRET });
  const at = new Date();
  const signed = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign('evt_1', at, '{}'),
  };
  await post(it.url, '{}', signed);
  await post(it.url, '{ }', signed);
  await post(it.url, '{}');
  expect(it.received.map((r) => r.signature)).toEqual(['valid', 'invalid', 'invalid']);
});
