import { createJobStore } from '@grsai-jobs/job-store';
import { dateOf, dayOf } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { image, type Job } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const HOOK = { url: 'https://caller.example/hook' };
const today = () => dateOf(dayOf(Date.now()));

/** Begins the call of a job, as a worker does. */
async function beginCalls(api: TestApi, ...jobs: Job[]) {
  const redis = await connectRedis(api.redis.url, 'producer', { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  for (const { id } of jobs)
    await store.transitions.startCall(
      { id, step: 1 },
      { token: id, limitMs: 1000 },
      { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 },
    );
}

const picture = (api: TestApi) => api.tenant.post<Job>('/v1/jobs', image(HOOK, 'a lighthouse'));

test('when calls began then a tenant reads what they came to, operators that of all, and a job says what it has set aside', async () => {
  const api = await startApi();
  const [first, second] = [await picture(api), await picture(api)];
  await beginCalls(api, first, second);
  const cost = { credits: 0, reserved: 1200, state: 'reserved', estimated: true };
  expect(await api.tenant.get(`/v1/jobs/${first.id}`)).toMatchObject({ cost });
  const sums = { jobs: 2, credits: 0, reserved: 2400, refunded: 0, prompt_tokens: 0, completion_tokens: 0 };
  const row = { day: today(), model: 'nano-banana-2', key: expect.stringMatching(/^key_/), ...sums };
  expect(await api.tenant.get('/v1/usage?group_by=day,model,key')).toMatchObject({ object: 'usage', to: today(), data: [row] });
  expect(await api.tenant.get('/v1/usage')).toMatchObject({ data: [{ day: today(), model: null, key: null, ...sums }] });
  expect(await api.admin.get('/admin/v1/usage?group_by=tenant')).toMatchObject({
    data: [{ tenant: 'acme', day: null, ...sums }],
  });
  expect(await api.admin.get('/admin/v1/usage?tenant=nobody')).toMatchObject({ data: [] });
});

test('when usage is asked for wrongly then it is refused with what is wrong', async () => {
  const api = await startApi();
  const rows: readonly [string, string, RegExp][] = [
    ['from=2026-02-02&to=2026-02-01', '/from', /must not be after/],
    ['from=2026-02-30', '/from', /date such as/],
    ['from=2020-01-01', '/from', /kept for 400 days, since \d{4}-/],
    ['from=2999-01-01&to=2999-01-02', '/from', /still to come/],
    ['group_by=day,week', '/group_by/1', /day, model, key/],
    ['tenant=other', '/tenant', /./],
  ];
  for (const [query, pointer, message] of rows) {
    const answer = await api.tenant.send('GET', `/v1/usage?${query}`);
    const { errors } = (await answer.json()) as { errors: { pointer: string; message: string }[] };
    expect({ query, status: answer.status, errors }).toMatchObject({ query, status: 422, errors: [{ pointer }] });
    expect(errors[0]?.message).toMatch(message);
  }
});

test('when operators ask for more than 31 days of all tenants then they are told to name one', async () => {
  const api = await startApi();
  const from = dateOf(dayOf(Date.now()) - 31);
  const answer = await api.admin.send('GET', `/admin/v1/usage?from=${from}`);
  expect(await answer.json()).toMatchObject({
    status: 422,
    errors: [{ pointer: '/to', message: expect.stringMatching(/name a tenant/) }],
  });
  expect(await api.admin.get(`/admin/v1/usage?tenant=acme&from=${from}`)).toMatchObject({ data: [] });
});

test('when the budget of a tenant is reached then its jobs and batches are refused with 402, others are taken, and a spent total is no budget', async () => {
  const api = await startApi();
  const put = (budget: object) => api.admin.send('PUT', '/admin/v1/tenants/acme', { budget });
  await put({ credits: 1200, period: 'month' });
  await beginCalls(api, await picture(api));
  const refused = await api.tenant.send('POST', '/v1/jobs', image(HOOK, 'another'));
  expect([refused.status, await refused.json()]).toMatchObject([
    402,
    { code: 'budget_exceeded', detail: expect.stringMatching(/1200 credits in this month.*its budget is 1200.*free again at/s) },
  ]);
  const batch = await api.tenant.send('POST', '/v1/batches', { items: [{ custom_id: 'a', ...image(HOOK, 'one of many') }] });
  expect([batch.status, await batch.json()]).toMatchObject([402, { code: 'budget_exceeded' }]);
  expect(await api.admin.get('/admin/v1/tenants/acme')).toMatchObject({
    effective: { budget: { credits: 1200, period: 'month' } },
    used: { budget_credits: 1200 },
  });
  const spent = await put({ credits: 1200, period: 'total' });
  expect(await spent.json()).toMatchObject({ status: 422, errors: [{ pointer: '/budget/credits' }] });
  await put({ credits: 1201, period: 'total' });
  const third = await picture(api);
  // One that was set before it was spent can be sent again.
  await put({ credits: 2400, period: 'total' });
  await beginCalls(api, third);
  expect((await put({ credits: 2400, period: 'total' })).status).toBe(200);
  expect((await put({ credits: 2399, period: 'total' })).status).toBe(422);
});
