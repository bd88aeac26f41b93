import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

const LOGGER = new URL('../src/logger.ts', import.meta.url).href;

test.each([
  ['at once', 'process.exit(0)'],
  ['by an error', "throw new Error('broken')"],
  ['when there is nothing left to do', ''],
])('when a process ends %s then all lines of its last turn are written', (_when, end) => {
  const program = `import { createLogger } from '${LOGGER}';
    const log = createLogger({ name: 'test', level: 'info', pretty: false });
    for (let n = 0; n < 300; n += 1) log.info({ n }, 'said');
    ${end}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(Array.from({ length: 300 }, (_, n) => n));
});

test('when a line comes while others are being written then it does not wait for the next one', async () => {
  const program = `import { createLogger } from '${LOGGER}';
    const log = createLogger({ name: 'test', level: 'info', pretty: false });
    log.info({ text: 'x'.repeat(1_000_000) }, 'more than a pipe holds');
    setImmediate(() => setImmediate(() => {
      log.info('last');
      setImmediate(() => process.stderr.write('said'));
    }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  // Nothing is read before, so that the write of the first line is under way; and the process lives on without another line.
  await once(child.stderr, 'data');
  for await (const line of createInterface({ input: child.stdout }))
    if ((JSON.parse(line) as { msg: string }).msg === 'last') return;
  expect.unreachable('it has ended');
});
