import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

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
