import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TERMINAL } from './states.ts';
import { TRANSITIONS, type TransitionName, type TransitionRow } from './transitions.ts';

const page = readFileSync(new URL('../../../../docs/design.md', import.meta.url), 'utf8');
const rows = Object.entries(TRANSITIONS) as [TransitionName, TransitionRow][];

const LIVE: readonly string[] = TRANSITIONS.requeue.from;
const statesIn = (states: readonly string[]): string => {
  if (states.length === LIVE.length && LIVE.every((state) => states.includes(state))) return 'any live';
  if (states.length === TERMINAL.length && TERMINAL.every((state) => states.includes(state))) return 'any ended';
  return states.map((state) => `\`${state}\``).join(' ');
};
const dueIn = ({ due }: TransitionRow): string => {
  if (due === null) return 'nothing';
  if (due === 'lease') return 'end of the lease';
  if (due === 'keep') return 'unchanged';
  if (due === 'expiry') return 'its expiry';
  return due < 60_000 ? `${due / 1000} s` : `${due / 60_000} min`;
};

test('docs/design.md has the table of transitions as the code has it', () => {
  const table = /^\| transition .*\n(?:\|.*\n)+/m.exec(page)?.[0] ?? '';
  const told = [...table.matchAll(/^\| `([a-z_]+)` +\|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
    name,
    ...rest.split('|').map((cell) => cell.trim()),
  ]);
  const expected = rows.map(([name, row]) => [
    name,
    row.from.length === 0 ? '–' : statesIn(row.from),
    row.to === 'same' ? 'same' : row.to.length === 0 ? 'deleted' : statesIn(row.to),
    { first: '1', same: 'same', next: '+ 1' }[row.step],
    row.guard === 'none' ? '–' : row.guard,
    dueIn(row),
    row.paid ? 'yes' : 'no',
  ]);
  expect(told.map((cells) => cells.slice(0, 7))).toEqual(expected);
});

/** The states of the code behind each state of the drawing. */
const DRAWN: Readonly<Record<string, readonly string[]>> = {
  queued: ['queued'],
  submitting: ['running/submitting'],
  generating: ['running/generating'],
  storing: ['running/storing'],
  csubmitting: ['canceling/submitting'],
  cstoring: ['canceling/storing'],
  ended: TERMINAL,
};

const edges = [...(/```mermaid\n([\s\S]*?)```/.exec(page)?.[1] ?? '').matchAll(/^ {2}(\S+) --> (\S+): (.+)$/gm)].flatMap(
  ([, from = '', to = '', names = '']) => names.split(', ').map((name) => ({ from, to, name })),
);

test.each(edges)(
  'when docs/design.md draws $name from $from to $to then the table of transitions has it',
  ({ from, to, name }) => {
    const row: TransitionRow = TRANSITIONS[name as TransitionName];
    const includes = (states: readonly string[], drawn: string) =>
      drawn === '[*]' ? states.length === 0 : (DRAWN[drawn] ?? []).some((state) => states.includes(state));
    expect(includes(row.from, from)).toBe(true);
    expect(row.to === 'same' ? from === to : includes(row.to, to)).toBe(true);
  },
);

test('when a transition leads to another state then docs/design.md draws it', () => {
  const drawn = new Set(edges.map(({ name }) => name));
  expect(rows.filter(([name, { to }]) => to !== 'same' && !drawn.has(name)).map(([name]) => name)).toEqual([]);
});
