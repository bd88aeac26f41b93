import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULTS, DIRECTIVES, FAULTS } from '../src/index.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const rows = [...README.matchAll(/^\| (F\d+) +\|.*$/gm)];

test('the README has a row for each fault, naming all its forms and parameters', () => {
  expect(rows.map(([, id]) => id)).toEqual(Object.keys(FAULTS));
  for (const [row, id] of rows) {
    const fault = FAULTS[id as keyof typeof FAULTS];
    for (const name of ['as' in fault ? fault.as : [], 'params' in fault ? Object.keys(fault.params) : []].flat()) {
      expect(row, `${id} ${name}`).toContain(`\`${name}\``);
    }
  }
});

test('the README names every directive and every setting', () => {
  const missing = [...Object.keys(DIRECTIVES), ...Object.keys(DEFAULTS)].filter(
    (name) => !new RegExp(`[\`\\[ ]${name}\\b`).test(README),
  );
  expect(missing).toEqual([]);
});
