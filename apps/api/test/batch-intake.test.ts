import { gzipSync } from 'node:zlib';
import { answerTo, type Batch, keysInRedis, lines, type Refusal, sendLines, upload, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const written = async (api: TestApi, count: number): Promise<void> => {
  await waitFor(async () => (await keysInRedis(api.redis.url, '*:job:*:doc')).length >= count || undefined, {
    what: `${count} records`,
  });
};

test('when lines come slowly then they are written as they come, nobody sees them before the end, and all are there after it', async () => {
  const api = await startApi();
  const sent = upload(api);
  sent.write(lines(600));
  await written(api, 500);
  expect(await api.tenant.get('/v1/batches')).toMatchObject({ data: [] });
  expect(await api.tenant.get('/v1/jobs')).toMatchObject({ data: [] });
  const [hidden] = await keysInRedis(api.redis.url, '*:job:*:doc');
  expect((await api.tenant.send('GET', `/v1/jobs/${hidden?.split(':').at(-2)}`)).status).toBe(404);
  const [batchKey] = (await keysInRedis(api.redis.url, '*:batch:*')).filter((key) => !key.endsWith(':jobs'));
  expect((await api.tenant.send('GET', `/v1/batches/${batchKey?.split(':').at(-1)}`)).status).toBe(404);
  sent.end(lines(10, 600));
  const { status, body } = await answerTo(sent);
  expect([status, (body as Batch).counts.total]).toEqual([202, 610]);
});

test('when a key is used again then the same body answers the same batch, another body is refused, and while it is open it is 409', async () => {
  const api = await startApi();
  const key = { 'idempotency-key': 'order-17' };
  const sent = upload(api, key);
  sent.write(lines(600));
  await written(api, 500);
  const open = await sendLines(api, lines(600), { headers: key });
  expect([open.status, open.headers.get('retry-after')]).toEqual([409, '5']);
  expect(await open.json()).toMatchObject({ code: 'idempotency_key_in_use' });
  sent.end();
  const first = await answerTo(sent);
  expect(first.status).toBe(202);

  const again = await sendLines(api, gzipSync(lines(600)), { headers: { ...key, 'content-encoding': 'gzip' } });
  expect([again.status, again.headers.get('idempotent-replayed'), again.headers.get('retry-after')]).toEqual([202, 'true', '2']);
  expect(again.headers.get('location')).toBe(first.headers.location);
  expect(((await again.json()) as Batch).id).toBe((first.body as Batch).id);
  for (const [body, query] of [
    [lines(601), ''],
    [lines(600).slice(0, -1), ''],
    ['', ''],
    [lines(600), '?priority=high'],
  ] as const) {
    const other = await sendLines(api, body, { headers: key, query });
    expect([other.status, ((await other.json()) as Refusal).code]).toEqual([422, 'idempotency_key_reused']);
  }
  expect(await api.tenant.get('/v1/batches')).toMatchObject({ data: [{ id: (first.body as Batch).id }] });
  expect(await keysInRedis(api.redis.url, '*:job:*:doc')).toHaveLength(600);
});

test('when two send the same batch with one key at once then there is one batch', async () => {
  const api = await startApi();
  const send = async () => await sendLines(api, lines(700), { headers: { 'idempotency-key': 'once' } });
  const statuses = (await Promise.all([send(), send(), send(), send()])).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 409)).toContain(202);
  expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
  expect((await api.tenant.get<{ data: Batch[] }>('/v1/batches')).data).toHaveLength(1);
  expect(await keysInRedis(api.redis.url, '*:job:*:doc')).toHaveLength(700);
});

test('when the answer of the commit is lost then the 503 says so, and the same key shows that the batch is there', async () => {
  const api = await startApi();
  const headers = { 'idempotency-key': 'once' };
  // Redis knows the scripts from then on.
  expect((await sendLines(api, lines(1))).status).toBe(202);
  const cut = api.proxy.cutAfterNextReply(
    (command) => command.name.startsWith('evalsha') && command.args.join(' ').includes(':batch-expire:'),
  );
  const lost = await sendLines(api, lines(10), { headers });
  await cut;
  const problem = (await lost.json()) as Refusal;
  expect([lost.status, problem.detail]).toEqual([503, expect.stringContaining('same Idempotency-Key')]);
  const again = await waitFor(
    async () => {
      const response = await sendLines(api, lines(10), { headers });
      return response.status === 503 ? undefined : response;
    },
    { what: 'Redis to be back' },
  );
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
});
