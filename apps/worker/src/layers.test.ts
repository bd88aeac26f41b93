import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const SRC = new URL('./', import.meta.url).pathname;

/** The folders of the worker: each may import from those before it. */
const LAYERS = ['webhooks', 'pauses', 'queues', 'runner', 'recovery', 'stages', 'operations', 'maintenance'];

const folderOf = (path: string): string => path.split('/')[0] ?? '';

test('when folders of the worker import from each other then it is always from an earlier one', () => {
  const files = globSync('*/**/*.ts', { cwd: SRC });
  expect([...new Set(files.map(folderOf))].sort()).toEqual([...LAYERS].sort());
  const back = files.flatMap((file) =>
    [...readFileSync(SRC + file, 'utf8').matchAll(/from '((?:\.\.?\/)+[^']+)'/g)]
      .map(([, to = '']) => folderOf(new URL(to, `file:///${file}`).pathname.slice(1)))
      .filter((to) => LAYERS.indexOf(to) > LAYERS.indexOf(folderOf(file)))
      .map((to) => `${file} imports from ${to}`),
  );
  expect(back).toEqual([]);
});
