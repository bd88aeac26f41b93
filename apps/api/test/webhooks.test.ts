import { expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

interface Secret {
  id: string;
  secret: string;
  older: { id: string; expires_at: string }[];
}

const current = (api: TestApi) => api.tenant.get<Secret>('/v1/webhook-secret');

test('wrong filters, cursors and ids are refused, and a key without the scope reads and resends nothing', async () => {
  const api = await startApi();
  const status = async (path: string) => (await api.tenant.send('GET', `/v1/webhook-deliveries${path}`)).status;
  for (const query of [
    '?state=gone',
    '?type=job',
    '?job_id=x',
    '?limit=0',
    '?limit=101',
    '?state=failed&state=failed',
    '?x=1',
    '?url=nonsense',
  ])
    expect([query, await status(query)]).toEqual([query, 422]);
  expect(await status('?cursor=abc')).toBe(400);
  for (const id of ['/nonsense', `/job_${'0'.repeat(26)}`, `/evt_${'0'.repeat(26)}_1_job_succeeded`, '/evt_%00_1_job_x'])
    expect([id, await status(id)]).toEqual([id, 404]);
  const refused = async (scope: string, method: string, path: string) => {
    const { key } = await api.admin.post<{ key: string }>('/admin/v1/keys', { tenant: 'acme', name: 'k', scopes: [scope] });
    const headers = { authorization: `Bearer ${key}` };
    return (await fetch(`${api.url}/v1/webhook-deliveries${path}`, { method, headers })).status;
  };
  const nobody = `/evt_${'0'.repeat(26)}_1_job_succeeded`;
  for (const path of ['', nobody]) expect(await refused('webhooks:write', 'GET', path)).toBe(403);
  for (const path of ['/recover', `${nobody}/resend`]) expect(await refused('jobs:read', 'POST', path)).toBe(403);
});

test('a rotation with a wrong overlap is refused and changes nothing, and a key without the scope sees no secret', async () => {
  const api = await startApi();
  const before = await current(api);
  for (const body of [{ overlap_s: -1 }, { overlap_s: 604_801 }, { overlap_s: 1.5 }, { overlap: 1 }, []]) {
    expect((await api.tenant.send('POST', '/v1/webhook-secret/rotate', body)).status).toBe(422);
  }
  expect(await current(api)).toEqual(before);
  const { key } = await api.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'reader',
    scopes: ['jobs:read', 'jobs:write'],
  });
  for (const [method, path] of [
    ['GET', '/v1/webhook-secret'],
    ['POST', '/v1/webhook-secret/rotate'],
  ] as const) {
    const answer = await fetch(api.url + path, { method, headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(403);
  }
});
