import { expect, onTestFinished, test } from 'vitest';
import { type ProcessOptions, startProcess } from '../src/process.ts';
import { waitFor } from '../src/wait-for.ts';

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;

async function child(options: Partial<ProcessOptions> = {}) {
  const it = await startProcess({ entry: fixture('child.ts'), ready: (line) => line.msg === 'ready', ...options });
  onTestFinished(() => it.stop());
  return it;
}

test('it returns when the line was logged, with the fields of each line', async () => {
  const it = await child({ args: ['--x'] });
  expect(it.lines[0]).toMatchObject({ msg: 'plain words', stream: 'stdout' });
  expect(await it.waitForLine(/ready/)).toMatchObject({ level: 30, msg: 'ready', args: ['--x'] });
  expect(it.running).toBe(true);
});

test('the child sees only what it was given, not the environment of the test', async () => {
  const it = await child({ env: { OURS: '1' } });
  const { env } = (await it.waitForLine(/ready/)) as unknown as { env: string[] };
  expect(env).toContain('OURS');
  expect(env.filter((name) => name.startsWith('VITEST'))).toEqual([]);
});

test('a signal is delivered, later lines are found, and the exit is reported', async () => {
  const it = await child();
  it.kill('SIGTERM');
  expect(await it.exited).toEqual({ code: 3, signal: null });
  expect(await it.waitForLine(/bye/)).toMatchObject({ msg: 'bye' });
  expect(it.running).toBe(false);
});

test('stop kills, and may be called twice', async () => {
  const it = await child();
  await Promise.all([it.stop(), it.stop()]);
  expect(await it.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a child that ends before it is ready rejects with its last lines', async () => {
  await expect(child({ env: { FAIL: '1' } })).rejects.toThrow(/ended \(9\)[\s\S]*cannot start: no luck/);
});

test('a child that never gets ready is ended', async () => {
  await expect(child({ ready: /never/, readyTimeoutMs: 500 })).rejects.toThrow(/never/);
});

test('when the process that started it ends, the child ends too', async () => {
  const parent = await child({ entry: fixture('parent.ts'), ready: (line) => line.msg === 'child' });
  const { pid } = (await parent.waitForLine(/"child"/)) as unknown as { pid: number };
  await parent.exited;
  await waitFor(() => !exists(pid), { what: `process ${pid} to be gone` });
});

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
