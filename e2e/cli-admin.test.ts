import { fileURLToPath } from 'node:url';
import { runScript } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, image, type Job, type Stack, shareStack, startStack } from './stack.ts';

/** What operators type, as processes against the whole service. */

const entry = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));

const freshStack = shareStack();

const commandLine =
  (stack: Pick<Stack, 'url' | 'admin'>) =>
  async (...args: readonly string[]) =>
    await runScript({ entry, args, env: { GRSAI_JOBS_API: stack.url, GRSAI_JOBS_KEY: stack.admin.key } });

const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

test('when a queue is paused, set and resumed by hand then it holds and runs its jobs, and the overview says why', async () => {
  const stack = await freshStack();
  const operator = commandLine(stack);
  expect((await operator('queues', 'pause', 'call', '--reason', 'the account moves')).stdout).toMatch(/call +paused/);
  const id = await send(stack, chat(stack.receiver));
  const overview = await operator('overview');
  expect(overview.stdout).toMatch(/live +1 job: 1 queued/);
  expect(overview.stdout).toMatch(/call +paused +1 .*operator.*the account moves/);
  expect(overview.stdout).toMatch(/WORKER +VERSION/);
  expect((await operator('queues', 'set', 'call', '--concurrency', '3', '--reason', 'slowly')).stdout).toMatch(/\(3 each\)/);
  expect(await operator('queues', 'set', 'call', '--reason', 'x')).toMatchObject({ code: 2 });
  expect((await operator('queues', 'resume', 'call', '--reason', 'it has moved')).stdout).toMatch(/call +open/);
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  expect((await operator('queues')).stdout.trim().split('\n').length).toBeGreaterThan(5);
  expect(
    (await operator('queues', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name),
  ).toContain('call');
  expect(await operator('queues', 'pause', 'nope', '--reason', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('404'),
  });
});

test('when jobs fail then an operator sees the group, lists its jobs, runs one again, and it stands in the audit log', async () => {
  const stack = await freshStack();
  const operator = commandLine(stack);
  const refused = (prompt: string) => image(stack.receiver, `${prompt} [[fault=F20:as=refused,times=1]]`, { max_attempts: 1 });
  const ids = [await send(stack, refused('one')), await send(stack, refused('two'))];
  for (const id of ids) await stack.tenant.finished(id);

  const seen = await operator('failures');
  expect(seen.stdout).toMatch(/^ *JOBS +CODE[^\n]*\n +2 +upstream_failed +submitting/);
  expect(seen.stderr).toContain('2 jobs in 1 group.');
  const group = JSON.parse((await operator('failures', '--json')).stdout) as { id: string; samples: string[] };
  const listed = await operator('list', '--signature', group.id);
  expect(listed.stdout).toMatch(/^TENANT +JOB/);
  expect(listed.stdout.match(new RegExp(`^${stack.tenantName} +job_`, 'gm'))).toHaveLength(2);

  const again = await operator('requeue', ids[0] ?? '', '--reason', 'upstream is well');
  expect(again).toMatchObject({ code: 0, stdout: `${ids[0]} of ${stack.tenantName} runs again (run 2, queued)\n` });
  expect(await operator('requeue', ids[0] ?? '', '--reason', 'twice')).toMatchObject({ code: 1, stdout: '' });
  expect(await operator('requeue', ids[1] ?? '')).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') });
  const audit = await operator('audit', '--action', 'job.requeue');
  expect(audit.stdout).toMatch(/refused +twice[^\n]*\n[^\n]*done +upstream is well/);
});

test('when a key is made by hand then it works until it is revoked, and its text stands on stdout alone', async () => {
  const stack = await freshStack();
  const operator = commandLine(stack);
  const made = await operator(
    'keys',
    'create',
    '--tenant',
    'shop',
    '--name',
    'till',
    '--scopes',
    'jobs:read,jobs:write',
    '--lives',
    '1d',
  );
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gj_\S+\n$/) });
  const key = made.stdout.trim();
  expect(made.stderr).not.toContain(key);
  expect(await operator('list', '--key', key)).toMatchObject({ code: 0 });
  expect(await operator('failures', '--key', key)).toMatchObject({ code: 4 });

  const listed = await operator('keys', '--tenant', 'shop', '--json');
  const { id } = JSON.parse(listed.stdout) as { id: string };
  expect((await operator('keys')).stdout).toMatch(/shop +till +jobs:read jobs:write/);
  expect(await operator('keys', 'revoke', id, '--reason', 'it was in a log')).toMatchObject({
    code: 0,
    stdout: `${id} revoked\n`,
  });
  expect(await operator('list', '--key', key)).toMatchObject({ code: 4 });
});

test('when many jobs failed of one cause then an operator tries, runs and reads a bulk action by hand', async () => {
  const stack = await startStack();
  const operator = commandLine(stack);
  const refused = (n: number) => image(stack.receiver, `${n} [[fault=F20:as=refused,times=1]]`, { max_attempts: 1 });
  const ids = await Promise.all([1, 2, 3].map((n) => send(stack, refused(n))));
  for (const id of ids) await stack.tenant.finished(id);
  const { id: signature } = JSON.parse((await operator('failures', '--json')).stdout) as { id: string };
  const args = ['bulk', 'requeue', '--signature', signature, '--reason', 'upstream is well'];

  const dry = await operator(...args, '--dry-run');
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/requeue {2}dry run\n\nmatched +3\nresubmit +3\n/) });
  expect(dry.stdout).toContain(signature);
  expect(await operator(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });

  const done = await operator(...args, '--yes', '--rate', '6000', '--idempotency-key', 'k1');
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/completed\n\nmatched +3\ndone +3\n/) });
  for (const id of ids) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2 });
  const again = await operator(...args, '--yes', '--rate', '6000', '--idempotency-key', 'k1', '--no-wait');
  expect(done.stdout).toContain(again.stdout.trim());
  expect((await operator('bulk', 'list')).stdout.match(/^bulk_\w+ +requeue +completed +3 +3 +0 +0/gm)).toHaveLength(1);

  await operator('queues', 'pause', 'call', '--reason', 'so that jobs wait');
  for (const n of [1, 2, 3]) await send(stack, chat(stack.receiver, `waits ${n}`));
  const cancel = ['bulk', 'cancel', '--status', 'queued', '--rate', '1', '--reason', 'asked by acme', '--yes', '--no-wait'];
  const slow = (await operator(...cancel)).stdout.trim();
  const aborted = await operator('bulk', 'abort', slow, '--reason', 'the wrong group');
  expect(aborted).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted') });
  expect(await operator('bulk', 'get', slow, '--wait')).toMatchObject({ code: 1, stdout: expect.stringContaining('aborted') });
  expect(await operator('bulk', 'resume', slow, '--reason', 'the right one', '--no-wait')).toMatchObject({
    code: 0,
    stdout: `${slow}\n`,
  });
});
