import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ask, json, type Task } from './client.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown[]>;
  readonly firstLine: Promise<string>;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  reader.on('line', (line) => lines.push(line));
  const firstLine = once(reader, 'line').then(([line]) => String(line));
  firstLine.catch(() => undefined);
  return { child, lines, ended: once(child, 'close'), firstLine };
}

test('--help prints every flag and ends with 0', async () => {
  const { lines, ended } = run('--help');
  expect((await ended)[0]).toBe(0);
  const text = lines.join('\n');
  for (const flag of ['--port', '--host', '--task-ms', '--chat-ms', '--seed', '--quiet', '--nodes', '--credits'])
    expect(text).toContain(flag);
});

test.each([
  [['--nonsense']],
  [['--task-ms', 'soon']],
  [['--nodes', '3']],
  [['--mix', 'F99=0.1']],
  [['--coding', 'zip']],
  [['--set', 'echo=model']],
  [['--set', 'nope=1']],
])('%j ends with 2 and one sentence', async (args) => {
  const { lines, ended } = run('--port', '0', ...args);
  expect((await ended)[0]).toBe(2);
  expect(lines.length).toBeLessThanOrEqual(2);
  expect(lines.join(' ')).toContain('See --help');
});

test('it prints its addresses in one line, serves, and SIGTERM ends it with 0', async () => {
  const { child, lines, ended, firstLine } = run(
    '--port',
    '0',
    '--nodes',
    '2',
    '--task-ms',
    '0',
    '--quiet',
    '--coding',
    'gzip',
    '--set',
    'coding="none"',
  );
  const [, url, second] = /^grsai-emulator (http:\/\/\S+) (http:\/\/\S+)$/.exec(await firstLine) ?? [];
  const ack = json<Task>(
    await ask(`${url}/v1/api/generate`, { body: { model: 'nano-banana-2', prompt: 'x', replyType: 'async' } }),
  );
  expect(json<Task>(await ask(`${second}/v1/api/result?id=${ack.id}`)).status).toBe('succeeded');
  const held = ask(`${url}/v1/api/generate`, { body: { model: 'nano-banana-2', prompt: 'x [[task-ms=60000]]' } });
  await ask(`${url}/_emulator/wait?count=2`);
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  expect((await held).end).toBe('none');
  expect(lines).toHaveLength(1);
});
