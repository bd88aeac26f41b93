import { expect, test } from 'vitest';
import { startApi } from './api.ts';

const PATH = '/admin/v1/bulk-actions';

const REFUSED: readonly [what: string, body: object, pointer: string][] = [
  ['no action', { ids: ['job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D'], reason: 'r' }, '/action'],
  ['neither filter nor ids', { action: 'cancel', reason: 'r' }, '/filter'],
  ['both', { action: 'cancel', ids: ['job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D'], filter: { tenant: 'a' }, reason: 'r' }, '/filter'],
  ['an empty filter', { action: 'cancel', filter: {}, reason: 'r' }, '/filter'],
  ['a status that is not for it', { action: 'requeue', filter: { status: ['running'] }, reason: 'r' }, '/filter/status'],
  ['an unknown filter', { action: 'cancel', filter: { state: 'queued' }, reason: 'r' }, '/filter/state'],
  ['an id that is none', { action: 'cancel', ids: ['x'], reason: 'r' }, '/ids/0'],
  ['a rate of 0', { action: 'cancel', filter: { tenant: 'a' }, rate_per_min: 0, reason: 'r' }, '/rate_per_min'],
  ['no reason', { action: 'cancel', filter: { tenant: 'a' } }, '/reason'],
  [
    'a cancel of what has failed',
    { action: 'cancel', filter: { signature: 'sig_0123456789abcdef' }, reason: 'r' },
    '/filter/signature',
  ],
  ['a cancel by an error', { action: 'cancel', filter: { error_code: ['internal'] }, reason: 'r' }, '/filter/error_code'],
];

test('when an order cannot be carried out then it is refused with a pointer, and nothing stands', async () => {
  const api = await startApi();
  for (const [what, body, pointer] of REFUSED) {
    const answer = await api.admin.send('POST', PATH, body);
    const problem = (await answer.json()) as { errors?: { pointer: string }[] };
    expect([what, answer.status, problem.errors?.[0]?.pointer]).toEqual([what, 422, pointer]);
  }
  expect((await api.tenant.send('GET', PATH)).status).toBe(403);
  expect((await api.admin.send('GET', `${PATH}/bulk_x`)).status).toBe(404);
  expect((await api.admin.get<{ data: unknown[] }>(PATH)).data).toEqual([]);
});

test('when two orders come at once with one Idempotency-Key and different bodies then one is refused', async () => {
  const api = await startApi();
  const post = (key: string, rate: number) =>
    api.admin.send(
      'POST',
      PATH,
      { action: 'cancel', filter: { tenant: 'acme' }, rate_per_min: rate, reason: 'r' },
      { 'idempotency-key': key },
    );
  for (let n = 0; n < 10; n += 1) {
    const answers = await Promise.all([post(`both-${n}`, 1), post(`both-${n}`, 2)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 422]);
  }
});
