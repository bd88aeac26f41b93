import type { Job } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const jobs = async (api: TestApi) => (await api.tenant.get<{ data: Job[] }>('/v1/jobs')).data;

/** Two images under one key. */
const images = (api: TestApi, n = 2) =>
  api.tenant.send(
    'POST',
    '/openai/v1/images/generations',
    { model: 'nano-banana-2', prompt: 'a paper lighthouse', n },
    { 'idempotency-key': 'order-A-17' },
  );

const limit = (api: TestApi, max_queued: number) => api.admin.send('PUT', '/admin/v1/tenants/acme', { max_queued });

const statuses = async (api: TestApi) => (await jobs(api)).map(({ status }) => status).sort();

/** With room for it the same request makes two images beside the one that was taken back. */
async function makesAllAfresh(api: TestApi): Promise<void> {
  await limit(api, 10);
  const again = images(api);
  await expect.poll(() => statuses(api)).toEqual(['canceled', 'queued', 'queued']);
  for (const { id } of await jobs(api)) await api.tenant.send('POST', `/v1/jobs/${id}/cancel`);
  await again;
}

test('when a later image of a request with a key is refused then the same request makes all images afresh', async () => {
  const api = await startApi();
  expect((await limit(api, 1)).status).toBe(200);
  const refused = await images(api);
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'tenant_queue_full' } }]);
  expect(await statuses(api)).toEqual(['canceled']);
  await makesAllAfresh(api);
});

test('when an image of a request with a key was deleted then the same request cancels none of the others', async () => {
  const api = await startApi();
  const first = images(api);
  await expect.poll(() => statuses(api)).toEqual(['queued', 'queued']);
  const [last, earlier] = await jobs(api);
  await api.tenant.send('POST', `/v1/jobs/${last?.id}/cancel`);
  expect((await api.tenant.send('DELETE', `/v1/jobs/${last?.id}`)).status).toBe(204);
  expect((await images(api)).status).toBe(404);
  expect(await jobs(api)).toMatchObject([{ id: earlier?.id, status: 'queued' }]);
  await api.tenant.send('POST', `/v1/jobs/${earlier?.id}/cancel`);
  await first;
});

test('when the API dies before it has freed the key of images that it took back then the same request makes all afresh', async () => {
  const api = await startApi();
  await limit(api, 1);
  const cut = api.proxy.cutBefore(
    (command) =>
      command.name.startsWith('eval') && command.args.some((arg) => arg.startsWith('{gj}:idem:')) && command.args[1] === '1',
  );
  const lost = images(api);
  await cut;
  expect((await lost).status).not.toBe(200);
  await expect.poll(async () => (await api.tenant.send('GET', '/v1/jobs')).status).toBe(200);
  expect(await statuses(api)).toEqual(['canceled']);
  await makesAllAfresh(api);
});
