import { chat, type Job, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
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
    { timeoutMs: 10_000, what: 'the post to be taken' },
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

test('when the record is written and its entry cannot be added then the answer is 202 all the same', async () => {
  const api = await startApi();
  const cut = api.proxy.cutBefore(isQueueScript);
  const taken = await post(api);
  await cut;
  expect(taken.status).toBe(202);
  const { id } = (await taken.json()) as Job;
  await expect.poll(async () => (await api.tenant.send('GET', `/v1/jobs/${id}`)).status, { timeout: 10_000 }).toBe(200);
  expect(api.lines).toContainEqual(expect.objectContaining({ event: 'job.entry_missing', job_id: id }));
});
