import { chat } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';

const FIELDS = { policy: '"default";q=10;w=60', limit: /^"default";r=(\d+);t=(\d+)$/ };

const fieldsOf = ({ headers }: Response) => {
  const [, left, reset] = FIELDS.limit.exec(headers.get('ratelimit') ?? '') ?? [];
  return { policy: headers.get('ratelimit-policy'), left: Number(left), reset: Number(reset) };
};

test('when two API processes serve one key then they share its limit, and another key has its own', async () => {
  const api = await startApi({ env: { RATE_LIMIT_RPM: '10' } });
  const second = await api.startAnother();
  const ask = (url: string, key = api.tenant.key) => fetch(`${url}/v1/jobs`, { headers: { authorization: `Bearer ${key}` } });
  const urls = [api.url, second.url];

  const left: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const answer = await ask(urls[n % 2] ?? '');
    const told = fieldsOf(answer);
    expect([answer.status, told.policy]).toEqual([200, FIELDS.policy]);
    expect(told.reset).toBeGreaterThan(0);
    expect(told.reset).toBeLessThanOrEqual(60);
    left.push(told.left);
  }
  expect(left).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);

  for (const url of [...urls, ...urls]) {
    const post = await fetch(`${url}/v1/jobs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.tenant.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat(api.receiver)),
    });
    const problem = (await post.json()) as { code: string; detail: string; request_id: string };
    const told = fieldsOf(post);
    expect([post.status, problem.code, told.policy, told.left]).toEqual([429, 'rate_limited', FIELDS.policy, 0]);
    expect(post.headers.get('content-type')).toContain('application/problem+json');
    expect(post.headers.get('retry-after')).toBe(String(told.reset));
    expect(post.headers.get('x-request-id')).toBe(problem.request_id);
    expect(problem.detail).toContain(`Send it again in ${told.reset} s`);
  }

  const { key, id } = await api.admin.post<{ key: string; id: string }>('/admin/v1/keys', {
    tenant: 'acme',
    name: 'a second key of the same tenant',
    scopes: ['jobs:read'],
  });
  const other = await ask(urls[1] ?? '', key);
  expect([other.status, fieldsOf(other).left]).toEqual([200, 9]);
  expect(((await other.json()) as { data: unknown[] }).data).toEqual([]);
  expect(id).toMatch(/^key_/);
  for (const path of ['/livez', '/openapi.json']) expect((await fetch(api.url + path)).headers.get('ratelimit')).toBeNull();
  const unknown = await ask(api.url, 'gj_nobody');
  expect([unknown.status, unknown.headers.get('ratelimit')]).toEqual([401, null]);
});

test('when Redis is away or silent then the limiter refuses nothing and holds nothing back: the route answers', async () => {
  const silence = { commandTimeout: 1500, socketTimeout: 2000 };
  const api = await startApi({ env: { RATE_LIMIT_RPM: '10' }, silence });
  await api.tenant.get('/v1/jobs');
  const timed = async () => {
    const started = performance.now();
    const answer = await api.tenant.send('GET', '/v1/jobs');
    const { code } = (await answer.json()) as { code: string };
    return { status: answer.status, code, limit: answer.headers.get('ratelimit'), ms: performance.now() - started };
  };
  api.proxy.stall();
  const silent = await timed();
  api.proxy.resume();
  expect(silent).toMatchObject({ status: 503, code: 'unavailable', limit: null });
  // What the route itself waits, and not twice that.
  expect(silent.ms).toBeLessThan(3000);

  await api.proxy.refuse(true);
  const away = await timed();
  expect(away).toMatchObject({ status: 503, code: 'unavailable', limit: null });
  expect(away.ms).toBeLessThan(1000);
  await api.proxy.refuse(false);
  await expect.poll(async () => (await api.tenant.send('GET', '/v1/jobs')).status).toBe(200);
  expect(api.lines.some((line) => line['event'] === 'rate_limit.uncounted')).toBe(true);
});

test('when no limit is set then no answer speaks of one and nothing is counted', async () => {
  const api = await startApi();
  await api.tenant.get('/v1/jobs');
  api.proxy.resetCounts();
  const answer = await api.tenant.send('GET', '/v1/jobs');
  expect([answer.status, answer.headers.get('ratelimit'), answer.headers.get('ratelimit-policy')]).toEqual([200, null, null]);
  expect(api.proxy.counts).not.toHaveProperty('evalsha');
});
