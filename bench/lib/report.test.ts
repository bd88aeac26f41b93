import { expect, test } from 'vitest';
import { check } from './check.ts';
import { report } from './report.ts';
import type { Measured, Row } from './row.ts';

const row: Row = {
  name: 'a-row',
  measures: [
    { what: 'what we aim at', against: 'a peer', unit: '', aim: { is: 'at least', value: 0.7 }, tolerance: 0 },
    { what: 'what we only tell', against: '–', unit: 'MiB' },
  ],
  ...{ rounds: 1, seconds: 1 },
  run: async () => [],
};

const linesOf = (...measured: readonly Measured[]): string[] =>
  report([{ row, measured }])
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').trim());

test('when nothing could be measured then the row is skipped and says why, and the check passes over it', () => {
  const measured = [{ figures: [], skipped: 'the peer is not installed' }, { figures: [2] }];
  const lines = linesOf(...measured);
  expect(lines).toContain('| what we aim at | a peer | – | – | – | – | ≥ 0.7 | skipped |');
  expect(lines).toContain('* `a-row`: the peer is not installed');
  const kept = { 'a-row': { commit: 'c', machine: 'm', rounds: 1, figures: { 'what we aim at': 1, 'what we only tell': 2 } } };
  const { table, worse } = check([{ row, measured }], kept);
  expect(worse).toEqual([]);
  expect(table).not.toContain('what we aim at');
});

test('when there is no aim then nothing is reached or missed', () => {
  const lines = linesOf({ figures: [0.5] }, { figures: [2] });
  expect(lines).toContain('| what we aim at, 1 rounds | a peer | – | – | 0.50 | 0.50 – 0.50 | ≥ 0.7 | missed |');
  expect(lines).toContain('| what we only tell, 1 rounds | – | – | – | 2.00 MiB | 2.00 MiB – 2.00 MiB | – | |');
});

test('when a figure may not be worse at all then nothing may stay nothing, and one is too many', () => {
  const measure = { what: 'lost', against: '–', unit: 'jobs', aim: { is: 'at most', value: 0 }, tolerance: 0 } as const;
  const kept = { lost: { commit: 'c', machine: 'm', rounds: 1, figures: { lost: 0 } } };
  const at = (figure: number) =>
    check([{ row: { ...row, name: 'lost', measures: [measure] }, measured: [{ figures: [figure] }] }], kept);
  expect(at(0).worse).toEqual([]);
  expect(at(0).table).toMatch(/\| ok +\|$/);
  expect(at(1).worse).toEqual(['lost: lost']);
});
