import { chat, createClient, type Job, redisBinary, startRedis, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

const IDEMPOTENCY_KEY = 'order-A-17';

const post = (api: TestApi, headers: Record<string, string> = { 'idempotency-key': IDEMPOTENCY_KEY }) =>
  api.tenant.send('POST', '/v1/jobs', chat(api.receiver), headers);

/** The script that writes the record names the key of the job among its keys, as the queue's scripts never do. */
const isRecordScript = (command: { name: string; args: readonly string[] }) =>
  command.name.startsWith('eval') && command.args.some((arg) => arg.startsWith('{gj}:job:'));
const isQueueScript = (command: { name: string; args: readonly string[] }) =>
  command.name.startsWith('eval') && command.args.some((arg) => arg.startsWith('{gj-q}:call:'));

/** The connection comes back by itself; what is asked meanwhile is refused. */
const postUntilTaken = (api: TestApi): Promise<Response> =>
  waitFor(
    async () => {
      const answer = await post(api);
      return answer.status === 202 ? answer : undefined;
    },
    { what: 'the post to be taken' },
  );

const jobs = async (api: TestApi) => (await api.tenant.get<{ data: Job[] }>('/v1/jobs')).data;

test('when the record script never reached Redis then the same Idempotency-Key makes the job', async () => {
  const api = await startApi();
  const cut = api.proxy.cutBefore(isRecordScript);
  const lost = await post(api);
  await cut;
  expect([lost.status, ((await lost.json()) as { code: string }).code]).toEqual([503, 'unavailable']);
  const again = await postUntilTaken(api);
  expect(again.headers.get('idempotent-replayed')).toBeNull();
  expect(await jobs(api)).toHaveLength(1);
});

/** The same chat as an OpenAI SDK sends it. */
const complete = (api: TestApi, more: object) =>
  api.tenant.send('POST', '/openai/v1/chat/completions', {
    model: 'gemini-3.1-pro',
    messages: [{ role: 'user', content: 'a paper lighthouse' }],
    ...more,
  });

test('when nothing joins a repeated request of an SDK with its lost job then the answer has it not sent again', async () => {
  const api = await startApi();
  const cut = api.proxy.cutAfterNextReply(isRecordScript);
  const lost = await complete(api, { grsai: { attach: 'never' } });
  await cut;
  expect([lost.status, lost.headers.get('x-should-retry'), lost.headers.get('retry-after')]).toEqual([400, 'false', null]);
  expect(await lost.json()).toMatchObject({ error: { code: 'unavailable', message: expect.stringContaining('may') } });
  await expect.poll(async () => (await api.tenant.send('GET', '/v1/jobs')).status).toBe(200);
  expect(await jobs(api)).toHaveLength(1);
});

test('when a repeated request of an SDK would get the same job then the answer lets it be sent again', async () => {
  const api = await startApi();
  const cut = api.proxy.cutAfterNextReply(isRecordScript);
  const lost = await complete(api, {});
  await cut;
  expect([lost.status, lost.headers.get('x-should-retry')]).toEqual([503, null]);
});

test('when only some of the images of a request were made then the same request makes the others, and no image twice', async () => {
  const api = await startApi();
  const records = new Set<string>();
  const isSecondRecord = (command: { name: string; args: readonly string[] }) => {
    const record = command.name.startsWith('eval') ? command.args.find((arg) => arg.startsWith('{gj}:job:job_')) : undefined;
    if (record !== undefined) records.add(record);
    return records.size === 2;
  };
  const images = () =>
    api.tenant.send('POST', '/openai/v1/images/generations', { model: 'nano-banana-2', prompt: 'a paper lighthouse', n: 3 });
  const cut = api.proxy.cutBefore(isSecondRecord);
  const lost = await images();
  await cut;
  expect(lost.status).toBe(503);
  await expect.poll(async () => (await api.tenant.send('GET', '/v1/jobs')).status).toBe(200);
  expect(await jobs(api)).toHaveLength(1);
  const again = images();
  let answered = false;
  void again.finally(() => {
    answered = true;
  });
  await waitFor(
    async () => {
      for (const { id } of await jobs(api)) await api.tenant.send('POST', `/v1/jobs/${id}/cancel`);
      return answered || undefined;
    },
    { what: 'the answer of the request that was sent again' },
  );
  expect(await jobs(api)).toHaveLength(3);
});

test('when the record is written and its entry cannot be added then the answer is 202 all the same', async () => {
  const api = await startApi();
  const cut = api.proxy.cutBefore(isQueueScript);
  const taken = await post(api);
  await cut;
  expect(taken.status).toBe(202);
  const { id } = (await taken.json()) as Job;
  await expect.poll(async () => (await api.tenant.send('GET', `/v1/jobs/${id}`)).status).toBe(200);
  expect(api.lines).toContainEqual(expect.objectContaining({ event: 'job.entry_missing', job_id: id }));
});

test.runIf(await redisBinary())(
  'when no replica confirms a job then the answer says that it may exist, and the same key tells as soon as one does',
  async () => {
    const api = await startApi();
    const { url } = await api.startAnother({ REDIS_DURABILITY: 'replica' });
    const there = createClient(url, api.tenant.key);
    const postThere = () => there.send('POST', '/v1/jobs', chat(api.receiver), { 'idempotency-key': IDEMPOTENCY_KEY });
    const refused = await postThere();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: 'unavailable',
      detail: expect.stringMatching(/^No replica .* may have been accepted.*same Idempotency-Key/),
    });
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', new URL(api.redis.url).port] });
    onTestFinished(() => replica.stop());
    await expect.poll(async () => (await postThere()).status).toBe(202);
    expect((await postThere()).headers.get('idempotent-replayed')).toBe('true');
    expect(await jobs(api)).toHaveLength(1);
  },
);
