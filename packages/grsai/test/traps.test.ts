import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const rows = read('TRAPS.md')
  .split('\n')
  .filter((line) => /^\| [TF]\d/.test(line))
  .map((line) => {
    const [, number = '', , , covered = ''] = line.split('|').map((cell) => cell.trim());
    const [, file = '', name = ''] = /^`(\S+)` › (.+)$/.exec(covered) ?? [];
    return { number, file, name: name.replaceAll('\\`', '`') };
  });

const upTo = (letter: string, last: number): string[] => Array.from({ length: last }, (_, index) => `${letter}${index + 1}`);

test('every trap and every fault of the reference has its row, once and in order', () => {
  expect(rows.map(({ number }) => number)).toEqual([...upTo('T', 22), ...upTo('F', 22)]);
});

/** The name as it stands in a call of `test` or `describe`, plain or `each`. */
const isTest = (source: string, name: string): boolean => {
  const calls = source.replaceAll(/\(\s+/g, '(');
  return ["'", '`', '"'].some(
    (quote) => calls.includes(`(${quote}${name}${quote}, `) || calls.includes(`(${quote}${name}${quote},\n`),
  );
};

test.each(rows)('$number is covered by a test that exists: $name', ({ file, name }) => {
  expect(file).toMatch(/\.test\.ts$/);
  expect(isTest(read(file), name)).toBe(true);
});
