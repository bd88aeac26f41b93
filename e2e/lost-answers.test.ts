import { waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, type Job, type Stack, startStack } from './stack.ts';

/** Where the connection to Redis breaks while a job is accepted. Each test breaks it at one place. */

const IDEMPOTENCY_KEY = 'order-A-17';

const post = (stack: Stack, headers: Record<string, string> = { 'idempotency-key': IDEMPOTENCY_KEY }) =>
  stack.tenant.send('POST', '/v1/jobs', chat(stack.receiver), headers);

/** The script that writes the record names the key of the job among its keys, as the queue's scripts never do. */
const isRecordScript = (command: { name: string; args: readonly string[] }) =>
  command.name.startsWith('eval') && command.args.some((arg) => arg.startsWith('{gj}:job:'));

/** The connection comes back by itself; what is asked meanwhile is refused. */
const postUntilTaken = (stack: Stack): Promise<Response> =>
  waitFor(
    async () => {
      const answer = await post(stack);
      return answer.status === 202 ? answer : undefined;
    },
    { timeoutMs: 10_000, what: 'the post to be taken' },
  );

const jobs = async (stack: Stack) => (await stack.tenant.get<{ data: Job[] }>('/v1/jobs')).data;

test('when the answer of the record script is lost then the 503 says so, and the same Idempotency-Key answers with the one job', async () => {
  const stack = await startStack({ kills: true, workers: 0 });
  const cut = stack.proxy.cutAfterNextReply(isRecordScript);
  const lost = await post(stack);
  await cut;
  const problem = (await lost.json()) as { code: string; detail: string };
  expect([lost.status, problem.code, lost.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
  expect(problem.detail).toContain('may have been accepted');
  expect(problem.detail).toContain('same Idempotency-Key');

  const again = await postUntilTaken(stack);
  const job = (await again.json()) as Job;
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.headers.get('location')).toBe(`/v1/jobs/${job.id}`);
  expect((await jobs(stack)).map(({ id }) => id)).toEqual([job.id]);

  // The replay has also put the job into its queue, which the first request did not come to.
  await stack.startWorker();
  expect(await stack.tenant.finished(job.id, 15_000)).toMatchObject({ status: 'succeeded', run: 1 });
  expect(stack.emulator.requests.filter(({ kind }) => kind === 'chat')).toHaveLength(1);
});
