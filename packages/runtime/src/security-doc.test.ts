import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/security.md', root), 'utf8');

/** The rows of the table of threats: threat, control, tests. */
const rows = (page.split(/^## /m).find((section) => section.startsWith('Threats\n')) ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));

/** A test as the table names it: its file, and a part of its name. */
const TEST = /`([\w./-]+\.test\.ts)` "([^"]+)"/g;

const sourceOf = (path: string): string => {
  try {
    return readFileSync(new URL(path, root), 'utf8').replaceAll("\\'", "'");
  } catch {
    return '';
  }
};

test('every threat in docs/security.md has a control and names tests, and nothing else stands where the tests are', () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const [threat = '', control = '', tests = '', ...more] of rows) {
    expect([threat, control, more]).toEqual([expect.stringMatching(/\w{3}/), expect.stringMatching(/\w{3}/), []]);
    expect.soft(tests.replaceAll(TEST, '').replaceAll(' · ', ''), threat).toBe('');
    expect.soft([...tests.matchAll(TEST)], threat).not.toEqual([]);
  }
});

test('every test that docs/security.md names exists', () => {
  const missing = rows.flatMap(([, , tests = '']) =>
    [...tests.matchAll(TEST)].filter(([, path = '', name = '']) => !sourceOf(path).includes(name)).map(([all]) => all),
  );
  expect(missing).toEqual([]);
});
