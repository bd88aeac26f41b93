import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunOptions, runScript } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type Stack, shareStack } from './stack.ts';

/** `pnpm jobs batch` as a process against the whole service. */

const entry = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));

const freshStack = shareStack();

const commandLine =
  (stack: Pick<Stack, 'url' | 'tenant'>) =>
  async (args: readonly string[], more: Partial<RunOptions> = {}) =>
    await runScript({
      entry,
      args: ['batch', ...args],
      env: { GRSAI_JOBS_API: stack.url, GRSAI_JOBS_KEY: stack.tenant.key },
      ...more,
    });

const line = (custom_id: string, text: string) => ({
  custom_id,
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: text }] },
});

const ndjson = (...items: object[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('');

const rowsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each) as { line: number; custom_id: string; status: string; job_id: string });

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cli-batch-'));
  onTestFinished(async () => await rm(dir, { recursive: true }));
  return dir;
}

test('when a packed file is sent and followed then its results are saved; what failed runs again in a second round', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);
  const dir = await folder();
  const out = join(dir, 'out.ndjson');
  const items = Array.from({ length: 20 }, (_, at) => line(`c${at}`, `Hello ${at}`));
  // Fails for as long as four attempts last, and works in the next run.
  const lame = { ...line('lame', 'Hi [[fault=F4]]'), max_attempts: 1 };
  await writeFile(join(dir, 'in.ndjson'), ndjson(...items, lame));

  const sent = await jobs(['submit', join(dir, 'in.ndjson'), '--gzip', '--results', out, '--metadata', 'order=A-17']);
  expect(sent.stdout).toMatch(/completed after .*: 21 of 21: 20 succeeded, 1 failed/);
  expect(sent.code).toBe(1);
  const rows = rowsOf(await readFile(out, 'utf8'));
  expect(rows.map(({ line: number }) => number)).toEqual(Array.from({ length: 21 }, (_, at) => at + 1));
  expect(rows.filter(({ status }) => status !== 'succeeded').map(({ custom_id }) => custom_id)).toEqual(['lame']);

  const listed = await jobs(['list', '--json']);
  const batch = JSON.parse(listed.stdout) as { id: string; metadata: object };
  expect(batch.metadata).toEqual({ order: 'A-17' });
  expect((await jobs(['results', batch.id, '--status', 'failed'])).stdout.trim().split('\n')).toHaveLength(1);
  expect((await jobs(['get', batch.id])).stdout).toMatch(/jobs +21 of 21: 20 succeeded, 1 failed/);

  const again = await jobs(['retry-failed', batch.id, '--results', out, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ round: 2, status: 'completed', counts: { succeeded: 21 } });
  expect(again.code).toBe(0);
  expect(rowsOf(await readFile(out, 'utf8')).every(({ status }) => status === 'succeeded')).toBe(true);
});

test('when lines are bad then nothing is accepted, or the others are and the bad ones can be listed', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);
  const input = ndjson(line('good', 'Hello'), { ...line('bad', 'Hello'), input: { messages: [] } }, line('good', 'twice'));
  const rejected = await jobs(['submit', '-'], { input });
  expect(rejected).toMatchObject({ code: 1, stdout: '' });
  expect(rejected.stderr).toMatch(/line 2 \/input\/m/);
  expect(rejected.stderr).toMatch(/line 3 \/custom_id/);
  expect((await jobs(['list'])).stdout).toBe('');

  const taken = await jobs(['submit', '-', '--on-invalid', 'skip', '--json'], { input });
  expect(JSON.parse(taken.stdout)).toMatchObject({ status: 'completed', counts: { total: 1, succeeded: 1 }, invalid_count: 2 });
  expect(taken.code).toBe(0);
  const { id } = JSON.parse(taken.stdout) as { id: string };
  const errors = await jobs(['errors', id]);
  expect(errors.stdout).toMatch(/LINE +CUSTOM ID +WHERE +WHY\n +2 +bad +\/input\/m[^\n]*\n +3 +good +\/custom_id/);
});

test('when Ctrl-C is pressed while a batch is followed then it goes on, and it is canceled by hand', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);
  const input = ndjson(line('slow', 'Hello [[chat-ms=60000]]'), line('quick', 'Hello'));
  let pressed = false;
  const stopped = await jobs(['submit', '-', '--idempotency-key', 'k1'], {
    input,
    onStderr: (soFar, kill) => {
      if (pressed || !/of 2: /.test(soFar)) return;
      pressed = true;
      kill('SIGINT');
    },
  });
  const id = /batch_\w{26}/.exec(stopped.stderr)?.[0] ?? '';
  expect(stopped).toMatchObject({ code: 130, stdout: '', stderr: expect.stringContaining(`pnpm jobs batch get ${id} --wait`) });

  expect(await jobs(['submit', '-', '--no-wait', '--idempotency-key', 'k1'], { input })).toMatchObject({
    code: 0,
    stdout: `${id}\n`,
  });
  expect(await jobs(['get', id, '--wait', '--timeout', '1s'])).toMatchObject({ code: 5 });
  expect(await jobs(['cancel', id])).toMatchObject({ code: 0, stdout: expect.stringContaining('canceling') });
  const end = await jobs(['get', id, '--wait', '--json']);
  expect(end.code).toBe(1);
  expect(JSON.parse(end.stdout)).toMatchObject({ status: 'canceled', counts: { canceled: 1, succeeded: 1 } });
  expect(await jobs(['cancel', id])).toMatchObject({ code: 0, stdout: expect.stringContaining('canceled') });
});

test('when a large file is refused at its first line, or for its key, then the refusal is reported and not a broken pipe', async () => {
  const stack = await freshStack();
  const jobs = commandLine(stack);
  const dir = await folder();
  const large = join(dir, 'large.ndjson');
  await writeFile(large, `{"custom_id":1}\n${' '.repeat(1023).concat('\n').repeat(30_000)}`);
  expect(await jobs(['submit', large, '--key', 'gj_wrong'])).toMatchObject({ code: 4, stderr: expect.stringContaining('401') });
  expect(await jobs(['submit', large, '--expires-in', '1s'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('/expires_in_s'),
  });
  expect(await jobs(['submit', large])).toMatchObject({ code: 1, stderr: expect.stringContaining('line 1 ') });
});
