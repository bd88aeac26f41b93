import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXITS } from './exit.ts';

test('when docs/cli.md lists the exit codes then they are those of the program', () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, about]) => [
    Number(code),
    about?.replaceAll('`', ''),
  ]);
  expect(rows).toEqual(Object.values(EXITS).map(({ code, about }) => [code, about]));
});
