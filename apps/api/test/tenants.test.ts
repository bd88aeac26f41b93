import { createHash } from 'node:crypto';
import { chat, image } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi, writtenInRedis } from './api.ts';
import { type Documented, documented } from './openapi-document.ts';

/**
 * What stands between tenants: each operation of openapi.json is tried, so that a new route has its test by itself. A new kind of id in
 * a path needs a row in `thingsOfAcme`.
 */

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40_000, 7)]);

/** Models are the same for every tenant. */
const OF_NOBODY = '/v1/models/';

/** What the tenant acme has, by the path that names it, each with an id of the same form that nothing has. */
async function thingsOfAcme({ tenant, receiver }: TestApi): Promise<Record<string, { own: string; never: string }>> {
  const never = '01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
  const picture = `data:image/png;base64,${PNG.toString('base64')}`;
  const order = image(receiver, 'a paper lighthouse', { metadata: { order: 'A-17' } });
  const job = await tenant.post<{ id: string }>('/v1/jobs', { ...order, input: { ...order.input, images: [picture] } });
  const batch = await tenant.post<{ id: string }>('/v1/batches', { items: [{ custom_id: 'a', ...chat(receiver) }] });
  const canceled = await tenant.post<{ id: string }>('/v1/jobs', chat(receiver, 'to be canceled'));
  await tenant.post(`/v1/jobs/${canceled.id}/cancel`);
  return {
    '/v1/jobs/': { own: job.id, never: `job_${never}` },
    '/v1/batches/': { own: batch.id, never: `batch_${never}` },
    '/v1/webhook-deliveries/': { own: `evt_${canceled.id.slice(4)}_1_job_canceled`, never: `evt_${never}_1_job_canceled` },
  };
}

/** All that the service holds, without the beats of a process and what the sign-in of a key writes. */
async function held({ redis, s3 }: TestApi): Promise<string> {
  return createHash('sha256')
    .update(JSON.stringify([await writtenInRedis({ redis }), await s3.keys()]))
    .digest('hex');
}

const send = (api: TestApi, key: string, { method, body }: Documented, path: string) =>
  fetch(api.url + path, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': body.type } : {}) },
    ...(body ? { body: body.text } : {}),
  });

/** An answer without what differs between two of the same request. */
async function told(response: Response, id: string): Promise<object> {
  const { request_id: _, ...problem } = JSON.parse((await response.text()).replaceAll(id, '{id}')) as Record<string, unknown>;
  const headers = [...response.headers.keys()].filter((name) => name !== 'date').sort();
  return { status: response.status, problem, headers };
}

test('when a route takes the id of another tenant then it answers as for an id that never was, and changes nothing', async () => {
  const api = await startApi();
  const things = await thingsOfAcme(api);
  const { key } = await api.clientOf('rival', ['jobs:read', 'jobs:write', 'webhooks:write']);
  const before = await held(api);
  const rows = documented().filter(({ path }) => path.startsWith('/v1/') && path.includes('{') && !path.startsWith(OF_NOBODY));
  for (const row of rows) {
    const ids = Object.entries(things).find(([start]) => row.path.startsWith(start))?.[1];
    expect(ids, `${row.name} needs a row in thingsOfAcme`).toBeDefined();
    const { own = '', never = '' } = ids ?? {};
    const pathOf = (id: string) => row.path.replace('{id}', id).replace('{n}', '0');
    const ofAcme = await told(await send(api, key, row, pathOf(own)), own);
    expect(ofAcme, row.name).toMatchObject({ status: 404, problem: { code: 'not_found' } });
    expect(ofAcme, row.name).toEqual(await told(await send(api, key, row, pathOf(never)), never));
  }
  expect(rows.length).toBeGreaterThanOrEqual(13);
  expect(await held(api)).toBe(before);
  // Its owner reaches each of them.
  for (const [start, { own }] of Object.entries(things))
    expect((await api.tenant.send('GET', `${start}${own}`)).status).toBe(200);
});

test('when a tenant lists what there is then nothing of another tenant is in it, whatever it filters by', async () => {
  const api = await startApi();
  const ids = Object.values(await thingsOfAcme(api)).map(({ own }) => own);
  const rival = await api.clientOf('rival');
  const [job = '', batch = ''] = ids;
  for (const path of [
    ...['/v1/jobs', '/v1/batches', '/v1/webhook-deliveries'],
    ...['metadata.order=A-17', `batch_id=${batch}`, 'status=queued'].map((filter) => `/v1/jobs?${filter}`),
    ...[`job_id=${job}`, `url=${encodeURIComponent(api.receiver.url)}`].map((filter) => `/v1/webhook-deliveries?${filter}`),
  ])
    expect([path, await rival.get(path)]).toEqual([path, { object: 'list', data: [], next_cursor: null }]);
});

test('when a route of operators is asked with the key of a tenant, or with none, then it is refused and changes nothing', async () => {
  const api = await startApi();
  const things = await thingsOfAcme(api);
  const [job = { own: '' }] = Object.values(things);
  const bulk = { action: 'cancel', ids: [job.own], rate_per_min: 1, reason: 'r' };
  const { id } = await api.admin.post<{ id: string }>('/admin/v1/bulk-actions', bulk);
  const [key] = (await api.admin.get<{ data: { id: string }[] }>('/admin/v1/keys')).data;
  const idOf = (path: string): string => {
    if (path.startsWith('/admin/v1/bulk-actions/')) return id;
    if (path.startsWith('/admin/v1/keys/')) return key?.id ?? '';
    return Object.entries(things).find(([start]) => path.startsWith(`/admin${start}`))?.[1].own ?? job.own;
  };
  const before = await held(api);
  const rows = documented().filter(({ path }) => path.startsWith('/admin/'));
  for (const row of rows) {
    const path = row.path.replace('{id}', idOf(row.path)).replace('{name}', 'submit');
    const own = await send(api, api.tenant.key, row, path);
    expect([row.name, own.status, ((await own.json()) as { code: string }).code]).toEqual([row.name, 403, 'forbidden']);
    const nobody = await fetch(api.url + path, { method: row.method });
    expect([row.name, nobody.status]).toEqual([row.name, 401]);
  }
  expect(rows.length).toBeGreaterThanOrEqual(22);
  expect(await held(api)).toBe(before);
});
