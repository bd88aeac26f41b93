import { expect, test } from 'vitest';
import { json, lost, serve } from './service.ts';

const delivery = { id: 'evt_1', object: 'webhook_delivery', state: 'failed' };

test('when a secret is rotated then the overlap goes out as it is given, and the request is sent once', async () => {
  const secret = { object: 'webhook_secret', id: 'whk_2', secret: 'whsec_AAAA', older: [] };
  const service = await serve(json(secret), json(secret), lost);
  const { webhooks } = service.client();
  expect(await webhooks.rotateSecret({ overlap_s: 0 })).toEqual(secret);
  await webhooks.rotateSecret();
  await expect(webhooks.rotateSecret()).rejects.toMatchObject({ code: 'connection' });
  expect(service.came.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['POST', '/v1/webhook-secret/rotate', '{"overlap_s":0}'],
    ['POST', '/v1/webhook-secret/rotate', '{}'],
    ['POST', '/v1/webhook-secret/rotate', '{}'],
  ]);
});

test('when deliveries are listed, looked at, resent and recovered then the routes of deliveries are asked', async () => {
  const page = (id: string, next_cursor: string | null) => json({ data: [{ ...delivery, id }], next_cursor });
  const service = await serve(page('evt_1', 'c1'), page('evt_2', null), json(delivery), json(delivery, 202), json({}, 202));
  const { webhooks } = service.client();
  const listed = await Array.fromAsync(webhooks.deliveries({ state: ['failed', 'skipped'], url: 'https://c.example/h?x=1' }));
  expect(listed.map(({ id }) => id)).toEqual(['evt_1', 'evt_2']);
  await webhooks.delivery('evt/1');
  await webhooks.resend('evt_1');
  await webhooks.recover({ url: 'https://c.example/h', since: '2026-11-20T00:00:00Z' });
  const query = 'limit=100&state=failed%2Cskipped&url=https%3A%2F%2Fc.example%2Fh%3Fx%3D1';
  expect(service.lines()).toEqual([
    `GET /v1/webhook-deliveries?${query}`,
    `GET /v1/webhook-deliveries?${query}&cursor=c1`,
    'GET /v1/webhook-deliveries/evt%2F1',
    'POST /v1/webhook-deliveries/evt_1/resend',
    'POST /v1/webhook-deliveries/recover',
  ]);
  expect(JSON.parse(service.came[4]?.body ?? '')).toEqual({ url: 'https://c.example/h', since: '2026-11-20T00:00:00Z' });
});
