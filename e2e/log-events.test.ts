import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The `event` of each line that the service logs, as it stands in the sources. */
const logged = globSync(['apps/{api,worker}/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root })
  .filter((path) => !path.endsWith('.test.ts'))
  .flatMap((path) => [
    ...readFileSync(`${root}/${path}`, 'utf8').matchAll(/\.(?:info|warn|error|fatal)\(\s*\{\s*event: '([a-z_.]+)'/g),
  ])
  .map(([, event = '']) => event);

test('when the service logs an event then docs/operations.md says when to look at it', () => {
  const page = readFileSync(`${root}/docs/operations.md`, 'utf8');
  expect(logged.length).toBeGreaterThan(50);
  expect([...new Set(logged)].filter((event) => !page.includes(`\`${event}\``)).sort()).toEqual([]);
});
