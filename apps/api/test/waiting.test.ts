import { chat, type Job, line, ndjson, sendLines } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';

interface Waits {
  id: string;
  created_at: string;
  status: string;
  waiting: { reason: string; since: string; position: number | null } | null;
}

test('when jobs are queued then reading them says why and where they stand, and the version of one changes with its place', async () => {
  const api = await startApi();
  const send = async () => (await (await api.tenant.send('POST', '/v1/jobs', chat(api.receiver))).json()) as Job & Waits;
  const [first, second] = [await send(), await send()];
  expect(second.waiting).toBeNull();
  const read = (id: string, headers = {}) => api.tenant.send('GET', `/v1/jobs/${id}`, undefined, headers);
  const answer = await read(second.id);
  expect(((await answer.json()) as Waits).waiting).toEqual({ reason: 'turn', since: second.created_at, position: 2 });
  const etag = { 'if-none-match': answer.headers.get('etag') ?? '' };
  expect((await read(second.id, etag)).status).toBe(304);
  await api.tenant.send('POST', `/v1/jobs/${first.id}/cancel`);
  const moved = await read(second.id, etag);
  expect([moved.status, ((await moved.json()) as Waits).waiting?.position]).toEqual([200, 1]);
  for (const [client, path] of [
    [api.tenant, '/v1/jobs'],
    [api.admin, '/admin/v1/jobs'],
  ] as const) {
    const { data } = await client.get<{ data: Waits[] }>(path);
    expect(data.map(({ status, waiting }) => [status, waiting?.position])).toEqual([
      ['queued', 1],
      ['canceled', undefined],
    ]);
  }
  expect((await api.admin.send('PATCH', '/admin/v1/queues/call', { paused: true, reason: 'a test' })).status).toBe(200);
  expect(await api.admin.get<Waits>(`/admin/v1/jobs/${second.id}`)).toMatchObject({
    waiting: { reason: 'paused:operator', position: 1 },
  });
});

test('when a batch is accepted then its answer says no reason, and from then on each reading says how its first line waits', async () => {
  const api = await startApi();
  const batch = (await (await sendLines(api, ndjson(line('a'), line('b')))).json()) as Waits;
  expect(batch).toMatchObject({ status: 'running', waiting: null });
  const waiting = { reason: 'turn', position: 1 };
  for (const path of [`/v1/batches/${batch.id}`, `/admin/v1/batches/${batch.id}`])
    expect(path.startsWith('/v1') ? await api.tenant.get(path) : await api.admin.get(path)).toMatchObject({ waiting });
  expect(await api.tenant.get('/v1/batches')).toMatchObject({ data: [{ id: batch.id, waiting }] });
});

test('when nobody waits although a call could begin then the metric of each queue is 0', async () => {
  const api = await startApi();
  const text = await api.admin.send('GET', '/metrics').then((answer) => answer.text());
  for (const queue of ['call', 'submit']) expect(text).toContain(`grsai_jobs_tenant_first_wait_seconds{queue="${queue}"} 0`);
});
