import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunOptions, runScript } from '@grsai-jobs/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Job, type Stack, shareStack, startStack } from './stack.ts';

/** `pnpm jobs` as a process against the whole service. */

const entry = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));

const freshStack = shareStack({ quickTasks: true });

function commandLine(stack: Pick<Stack, 'url' | 'tenant'>) {
  return async (args: readonly string[], more: Partial<RunOptions> = {}) =>
    await runScript({ entry, args, env: { GRSAI_JOBS_API: stack.url, GRSAI_JOBS_KEY: stack.tenant.key }, ...more });
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cli-'));
  onTestFinished(async () => await rm(dir, { recursive: true }));
  return dir;
}

const CHAT = ['submit', '--model', 'gemini-3.1-pro', '--chat'];
const IMAGE = ['submit', '--model', 'nano-banana-2', '--image'];

test('when chats and images are sent, watched, listed and saved then stdout holds the results and nothing else', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);

  const answer = await jobs([...CHAT, 'Say hello [[reply=hello]]', '--wait', '--metadata', 'order=A-17']);
  expect(answer).toMatchObject({ code: 0, stdout: 'hello\n' });
  expect(answer.stderr).toMatch(/^job_\w{26}$/m);

  const sent = await jobs([...IMAGE, 'a lighthouse [[format=png]]', '--aspect-ratio', '4:3', '--metadata', 'order=A-17']);
  const id = sent.stdout.trim();
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^job_\w{26}\n$/) });

  const watched = await jobs(['watch', id, '--json']);
  const events = watched.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; seq: number });
  expect(watched.code).toBe(0);
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['job.queued', 'job.generating', 'job.succeeded']));
  const after = await jobs(['watch', id, '--json', '--after', String(events.at(-2)?.seq)]);
  expect(after.stdout.trim().split('\n')).toHaveLength(1);

  const shown = await jobs(['get', id, '--json']);
  const job = JSON.parse(shown.stdout) as Job;
  expect(job).toMatchObject({ id, status: 'succeeded' });
  expect((await jobs(['get', id])).stdout).toMatch(/image 0 {2}image\/png .*\n.*http/);

  const listed = await jobs(['list', '--metadata', 'order=A-17', '--status', 'succeeded', '--json']);
  expect(listed.stdout.trim().split('\n')).toHaveLength(2);
  const all = await jobs(['list', '--limit', '1']);
  expect(all.stdout.trim().split('\n')).toHaveLength(2);
  expect(all.stdout).toMatch(/^JOB +TYPE +STATUS/);

  const dir = await folder();
  const saved = await jobs(['images', id, '--dir', dir]);
  expect(saved).toMatchObject({ code: 0 });
  expect((await readFile(join(dir, `${id}-0.png`))).length).toBe(job.result.images?.[0]?.bytes);

  expect(await jobs(['delete', id])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') });
  expect(await jobs(['delete', id, '--yes'])).toMatchObject({ code: 0, stdout: `${id} deleted\n` });
  expect(await jobs(['get', id])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/404 not_found[\s\S]*request id/),
  });
});

test('when a request comes from stdin twice under one key then one job is made, and a wrong field is reported with its pointer', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);
  const input = JSON.stringify({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Hi' }] } });
  const args = ['submit', '-', '--idempotency-key', 'order-A-17', '--metadata', 'a=b'];
  const [first, second] = [await jobs(args, { input }), await jobs(args, { input })];
  expect(first.code).toBe(0);
  expect(second.stdout).toBe(first.stdout);
  expect(await stack.tenant.finished(first.stdout.trim())).toMatchObject({ metadata: { a: 'b' } });

  const wrong = await jobs(['submit', '-'], { input: input.replace('"model"', '"modell"') });
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toMatch(/422 invalid_request/);
  expect(wrong.stderr).toMatch(/\/input\/modell?: /);
});

test('when a job fails then the end is 1, and it is canceled, retried and followed by hand', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);

  const failed = await jobs([...IMAGE, 'a [[outcome=violation]] lighthouse', '--wait']);
  expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('content_rejected') });

  const slow = (await jobs([...IMAGE, 'slow [[task-ms=600000]]'])).stdout.trim();
  const waiting = await jobs(['watch', slow, '--timeout', '1s']);
  expect(waiting).toMatchObject({ code: 5, stderr: expect.stringContaining(`pnpm jobs watch ${slow}`) });
  expect(await jobs(['cancel', slow])).toMatchObject({ code: 0, stdout: `${slow} canceled\n` });
  expect(await jobs(['cancel', slow])).toMatchObject({ code: 0, stdout: `${slow} canceled\n` });

  const chat = (await jobs([...CHAT, 'slow [[chat-ms=60000]]'])).stdout.trim();
  await jobs(['cancel', chat]);
  await stack.tenant.finished(chat);
  const retried = await jobs(['retry', chat, '--json']);
  expect(JSON.parse(retried.stdout)).toMatchObject({ id: chat, run: 2 });
  await jobs(['cancel', chat]);
  const end = await jobs(['watch', chat]);
  expect(end.code).toBe(1);
  expect(end.stdout).toMatch(/canceled/);
});

describe('while a job is awaited', () => {
  test('when Ctrl-C is pressed then the job goes on and the way to follow it is reported', async () => {
    const stack = await freshStack();
    const jobs = commandLine(stack);
    let pressed = false;
    const stopped = await jobs([...IMAGE, 'a paper lighthouse [[task-ms=3000]]', '--wait'], {
      onStderr: (soFar, kill) => {
        if (pressed || !soFar.includes('generating')) return;
        pressed = true;
        kill('SIGINT');
      },
    });
    const id = /job_\w{26}/.exec(stopped.stderr)?.[0] ?? '';
    expect(stopped).toMatchObject({ code: 130, stdout: '', stderr: expect.stringContaining(`pnpm jobs watch ${id}`) });
    expect(await jobs(['watch', id])).toMatchObject({ code: 0, stdout: expect.stringContaining('http') });
  });

  test('when the API dies and comes back then the events go on where they stopped', async () => {
    const stack = await startStack({ emulator: { taskMs: 4000 }, quickTasks: true });
    const jobs = commandLine(stack);
    let killed = false;
    const watched = await jobs([...IMAGE, 'a paper lighthouse', '--wait', '--json'], {
      onStderr: (soFar) => {
        if (killed || !soFar.includes('generating')) return;
        killed = true;
        void stack.api.stop().then(async () => await stack.startApi());
      },
    });
    expect(killed).toBe(true);
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringContaining('could not be reached') });
    expect(JSON.parse(watched.stdout)).toMatchObject({ status: 'succeeded' });
  });
});

test('when the key is wrong, missing or the service away then the end says which', async () => {
  const stack = await startStack();
  const jobs = commandLine(stack);
  expect(await jobs(['list', '--key', 'gj_wrong'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('401 unauthorized'),
  });
  expect(await jobs(['list'], { env: {} })).toMatchObject({ code: 2, stderr: expect.stringContaining('GRSAI_JOBS_KEY') });
  await stack.api.stop();
  expect(await jobs(['list'])).toMatchObject({ code: 3, stderr: expect.stringContaining('could not be reached') });
});
