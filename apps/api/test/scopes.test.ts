import { readFileSync } from 'node:fs';
import { createClient } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';

/** Which scope each route asks for. A route that is not here, or is here and does not exist, fails the test. */
const NEEDS: Readonly<Record<string, string>> = {
  'GET /v1/jobs': 'jobs:read',
  'POST /v1/jobs': 'jobs:write',
  'GET /v1/jobs/{id}': 'jobs:read',
  'DELETE /v1/jobs/{id}': 'jobs:write',
  'POST /v1/jobs/{id}/cancel': 'jobs:write',
  'POST /v1/jobs/{id}/retry': 'jobs:write',
  'GET /v1/jobs/{id}/events': 'jobs:read',
  'GET /v1/jobs/{id}/stream': 'jobs:read',
  'GET /v1/jobs/{id}/images/{n}': 'jobs:read',
  'GET /v1/batches': 'jobs:read',
  'POST /v1/batches': 'jobs:write',
  'GET /v1/batches/{id}': 'jobs:read',
  'GET /v1/batches/{id}/results': 'jobs:read',
  'GET /v1/batches/{id}/errors': 'jobs:read',
  'POST /v1/batches/{id}/cancel': 'jobs:write',
  'POST /v1/batches/{id}/retry-failed': 'jobs:write',
  'GET /v1/usage': 'jobs:read',
  'GET /admin/v1/usage': 'admin:read',
  'GET /v1/models': 'jobs:read',
  'GET /v1/models/{id}': 'jobs:read',
  'GET /v1/webhook-secret': 'webhooks:write',
  'POST /v1/webhook-secret/rotate': 'webhooks:write',
  'GET /v1/webhook-deliveries': 'jobs:read',
  'GET /v1/webhook-deliveries/{id}': 'jobs:read',
  'POST /v1/webhook-deliveries/{id}/resend': 'webhooks:write',
  'POST /v1/webhook-deliveries/recover': 'webhooks:write',
  'GET /admin/v1/overview': 'admin:read',
  'GET /admin/v1/failures': 'admin:read',
  'GET /admin/v1/jobs': 'admin:read',
  'GET /admin/v1/jobs/{id}': 'admin:read',
  'POST /admin/v1/jobs/{id}/requeue': 'admin:write',
  'GET /admin/v1/webhook-deliveries': 'admin:read',
  'GET /admin/v1/webhook-deliveries/{id}': 'admin:read',
  'POST /admin/v1/webhook-deliveries/{id}/resend': 'admin:write',
  'GET /admin/v1/batches': 'admin:read',
  'GET /admin/v1/batches/{id}': 'admin:read',
  'GET /admin/v1/queues': 'admin:read',
  'PATCH /admin/v1/queues/{name}': 'admin:write',
  'GET /admin/v1/queues/{name}/entries': 'admin:read',
  'GET /admin/v1/suspects': 'admin:read',
  'POST /admin/v1/suspects': 'admin:write',
  'POST /admin/v1/restored': 'admin:write',
  'GET /admin/v1/tenants/{tenant}': 'admin:read',
  'PUT /admin/v1/tenants/{tenant}': 'admin:write',
  'GET /admin/v1/keys': 'admin:read',
  'POST /admin/v1/keys': 'admin:keys',
  'DELETE /admin/v1/keys/{id}': 'admin:write',
  'GET /admin/v1/bulk-actions': 'admin:read',
  'POST /admin/v1/bulk-actions': 'admin:write',
  'GET /admin/v1/bulk-actions/{id}': 'admin:read',
  'POST /admin/v1/bulk-actions/{id}/abort': 'admin:write',
  'POST /admin/v1/bulk-actions/{id}/resume': 'admin:write',
  'GET /admin/v1/audit': 'admin:read',
};

const OPEN = ['GET /livez', 'GET /readyz', 'GET /metrics'];
const SCOPES = ['jobs:read', 'jobs:write', 'webhooks:write', 'admin:read', 'admin:write', 'admin:keys'];

interface OpenApi {
  paths: Record<string, Record<string, { responses?: object }>>;
}

const routes = (): string[] => {
  const { paths } = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as OpenApi;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) => (responses ? [`${method.toUpperCase()} ${path}`] : [])),
  );
};

test('when a key has one scope then the routes of that scope take it, all others refuse it, and none takes a key any other way', async () => {
  expect([...Object.keys(NEEDS), ...OPEN].sort()).toEqual(routes().sort());
  const api = await startApi();
  const keys = new Map<string, string>();
  for (const scope of SCOPES) {
    const { key } = await api.admin.post<{ key: string }>('/admin/v1/keys', { tenant: 'one', name: scope, scopes: [scope] });
    keys.set(scope, key);
  }
  const basic = `Basic ${Buffer.from(`x:${api.admin.key}`).toString('base64')}`;
  for (const [route, needs] of Object.entries(NEEDS)) {
    const [method = '', template = ''] = route.split(' ');
    const path = template
      .replace('{id}', `job_${'0'.repeat(26)}`)
      .replace('{n}', '0')
      .replace('{name}', 'none');
    const allowed: string[] = [];
    for (const [scope, key] of keys) {
      const { status } = await createClient(api.url, key).send(method, path, method === 'GET' ? undefined : {});
      expect(status, `${route} with ${scope}`).toBeLessThan(500);
      if (status !== 403) allowed.push(scope);
    }
    expect(`${route} ${allowed.join()}`).toBe(`${route} ${needs}`);
    const query = `${api.url}${path}?key=${api.admin.key}&access_token=${api.admin.key}`;
    for (const [url, headers] of [
      [api.url + path, {}],
      [api.url + path, { authorization: basic }],
      [api.url + path, { cookie: `key=${api.admin.key}` }],
      [query, {}],
    ] as const)
      expect(`${route} ${(await fetch(url, { method, headers })).status}`).toBe(`${route} 401`);
  }
});

test('when a key makes keys then it gives no more than it has: scopes, and an end that is not after its own', async () => {
  const api = await startApi();
  const expires_at = new Date(Date.now() + 3600_000).toISOString();
  const maker = async (scopes: string[], more: object = {}) => {
    const body = { tenant: 'platform', name: scopes.join(' '), scopes, ...more };
    return createClient(api.url, (await api.admin.post<{ key: string }>('/admin/v1/keys', body)).key);
  };
  const make = async (client: Awaited<ReturnType<typeof maker>>, scopes: string[], more: object = {}) =>
    (await client.send('POST', '/admin/v1/keys', { tenant: 'acme', name: 'made', scopes, ...more })).status;

  const operator = await maker(['admin:read', 'admin:write']);
  expect(await make(operator, ['admin:read'])).toBe(403);
  const platform = await maker(['admin:keys', 'jobs:read']);
  expect(await make(platform, ['jobs:read'])).toBe(201);
  for (const beyond of [['jobs:write'], ['jobs:read', 'admin:write'], ['admin:read']])
    expect(await make(platform, beyond)).toBe(403);
  const passing = await maker(['admin:keys', 'jobs:read'], { expires_at });
  expect(await make(passing, ['jobs:read'])).toBe(422);
  expect(await make(passing, ['jobs:read'], { expires_at: new Date(Date.now() + 7200_000).toISOString() })).toBe(422);
  expect(await make(passing, ['admin:keys'], { expires_at })).toBe(201);
});
