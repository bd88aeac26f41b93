import { expect, test } from 'vitest';
import { isTerminal, type State, type Status } from './states.ts';
import { TRANSITIONS, type TransitionRow } from './transitions.ts';

const rows = Object.entries(TRANSITIONS) as [string, TransitionRow][];
const terminal = (state: State): boolean => isTerminal(state.split('/')[0] as Status);
const leads = (row: TransitionRow) => (row.to === 'same' ? [] : row.to);

test('every state that a transition leads to can be left again, unless it is succeeded', () => {
  const reached = new Set(rows.flatMap(([, row]) => [...leads(row)]));
  const left = new Set(rows.filter(([, row]) => leads(row).length > 0).flatMap(([, row]) => [...row.from]));
  expect([...reached].filter((state) => !left.has(state))).toEqual(['succeeded']);
});

test('only reopen leads from a terminal state to another state', () => {
  const leave = rows.filter(([, row]) => leads(row).length > 0 && row.from.some(terminal));
  expect(leave.map(([name]) => name)).toEqual(['reopen']);
});

test('a transition that ends a run leaves nothing due, and every other one of a live job does', () => {
  for (const [name, row] of rows) {
    if (name.endsWith('_line') || row.due === 'keep') continue;
    const ends = row.to !== 'same' && row.to.every(terminal);
    expect(`${name}: ${row.due === null}`).toBe(`${name}: ${ends}`);
  }
});

test('every live state can be finished, requeued and counted as crashed, and a running one canceled or asked to be', () => {
  const live = [...new Set(rows.flatMap(([, row]) => [...leads(row)]))].filter((state) => !terminal(state));
  for (const name of ['finish', 'requeue', 'record_crash'] as const)
    expect([...TRANSITIONS[name].from].sort()).toEqual([...live].sort());
  const cancelable = [...TRANSITIONS.cancel.from, ...TRANSITIONS.request_cancel.from];
  expect(cancelable.sort()).toEqual(live.filter((state) => !state.startsWith('canceling/')).sort());
  for (const state of TRANSITIONS.request_cancel.from)
    expect(TRANSITIONS.request_cancel.to).toContain(state.replace('running/', 'canceling/'));
});

test('a transition that hands the job to a new queue entry takes a new step', () => {
  const next = rows.filter(([, row]) => row.step === 'next').map(([name]) => name);
  expect(next).toEqual([
    'park',
    'task_accepted',
    'resubmit',
    'start_storing',
    'finish',
    'cancel',
    'reopen',
    'requeue',
    'record_crash',
  ]);
});

test('all but intake run on a full Redis, since they record what was paid for or free memory', () => {
  expect(rows.filter(([, row]) => !row.paid).map(([name]) => name)).toEqual(['create', 'stage_line']);
});
