import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { webhookHandler } from './fetch.ts';
import { verifyWebhook } from './verify.ts';

const NOW = new Date('2026-11-23T06:43:28Z');
const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`;
const secret = secretOf(Buffer.alloc(32, 1));
const older = secretOf(Buffer.alloc(32, 2));
const event = {
  id: 'evt_1',
  type: 'job.succeeded',
  timestamp: NOW.toISOString(),
  sequence: 1,
  data: { id: 'job_1', status: 'succeeded' },
};
const body = JSON.stringify(event);

const sign = (text: string, by: string | readonly string[] = secret, at = NOW) => ({
  'webhook-id': 'evt_1',
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': [by]
    .flat()
    .map((each) => new Webhook(each).sign('evt_1', at, text))
    .join(' '),
});
const verify = (text: unknown, headers: Headers | Record<string, string | undefined>, by: string | string[] = secret) =>
  verifyWebhook(text as string, headers as Record<string, string>, by, { now: () => NOW.getTime() });

test('when the reference library signed any body with any secret then it is verified, and with a byte changed it is not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.uint8Array({ minLength: 24, maxLength: 64 }), fc.nat(), async (value, key, at) => {
      const text = JSON.stringify(value);
      const headers = sign(text, secretOf(key));
      expect(await verify(text, headers, secretOf(key))).toEqual(JSON.parse(text));
      const bytes = Buffer.from(text);
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
      await expect(verify(bytes, headers, secretOf(key))).rejects.toMatchObject({ code: 'no_signature_fits' });
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['text', body],
  ['a Buffer', Buffer.from(body)],
  ['an ArrayBuffer', new TextEncoder().encode(body).buffer],
])('when the body is %s then the event is returned', async (_, raw) => {
  expect(await verify(raw, sign(body))).toEqual(event);
});

test('when headers are those of a Request, or have capitals, then they are found', async () => {
  expect(await verify(body, new Headers(sign(body)))).toEqual(event);
  const capitals = Object.fromEntries(Object.entries(sign(body)).map(([name, value]) => [name.toUpperCase(), value]));
  expect(await verify(body, capitals)).toEqual(event);
});

test('when a rotation is under way then either side may know either secret', async () => {
  expect(await verify(body, sign(body, [secret, older]), older)).toEqual(event);
  expect(await verify(body, sign(body, older), [secret, older])).toEqual(event);
  await expect(verify(body, sign(body, older), secret)).rejects.toMatchObject({ code: 'no_signature_fits' });
});

test('when the time is within five minutes then it is verified, beyond that not', async () => {
  const at = (s: number) => sign(body, secret, new Date(NOW.getTime() + s * 1000));
  for (const s of [-300, 300]) expect(await verify(body, at(s))).toEqual(event);
  for (const s of [-301, 301]) await expect(verify(body, at(s))).rejects.toMatchObject({ code: 'timestamp_out_of_tolerance' });
});

test.each([
  ['has no signature', body, { ...sign(body), 'webhook-signature': undefined }, secret, 'header_missing'],
  ['has no id', body, { ...sign(body), 'webhook-id': '' }, secret, 'header_missing'],
  ['has a time that is none', body, { ...sign(body), 'webhook-timestamp': '1e9' }, secret, 'timestamp_out_of_tolerance'],
  [
    'has a signature that is none',
    body,
    { ...sign(body), 'webhook-signature': 'v1 v1, v2,xx v1,%%%' },
    secret,
    'no_signature_fits',
  ],
  ['was parsed before', event, sign(body), secret, 'body_parsed'],
  ['meets a secret that is none', body, sign(body), 'whsec_%%%', 'bad_secret'],
  ['is signed and not JSON', 'hello', sign('hello'), secret, 'not_json'],
])('when a webhook %s then it is refused as that', async (_, raw, headers, by, code) => {
  await expect(verify(raw, headers, by)).rejects.toMatchObject({ name: 'WebhookVerificationError', code, retryable: false });
});

test('when a fetch-style server gets a webhook then it is handled and answered with 204, and what is not ours with 400', async () => {
  const seen: unknown[] = [];
  const handler = webhookHandler({ secret: () => [secret], onEvent: (each) => void seen.push(each) });
  const post = (text: string, headers: Record<string, string>) =>
    handler(new Request('https://caller.example/hooks', { method: 'POST', body: text, headers }));
  const headers = sign(body, secret, new Date());
  expect((await post(body, headers)).status).toBe(204);
  const refused = await post(`${body} `, headers);
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('No webhook-signature fits')]);
  expect((await post(' '.repeat(1024 * 1024 + 1), headers)).status).toBe(413);
  expect((await handler(new Request('https://caller.example/hooks'))).status).toBe(405);
  expect(seen).toEqual([event]);
});

test('when the handler of an event fails then so does the request, so that the webhook is sent again', async () => {
  const handler = webhookHandler({ secret, onEvent: () => Promise.reject(new Error('no room')) });
  const request = new Request('https://caller.example/hooks', { method: 'POST', body, headers: sign(body, secret, new Date()) });
  await expect(handler(request)).rejects.toThrow('no room');
});
