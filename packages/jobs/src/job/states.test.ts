import { expect, test } from 'vitest';
import { queueOf } from './after.ts';
import { hasExpired, LIVE, STAGES, STATES, STATUSES, type State, type StateRow, TERMINAL } from './states.ts';

const rows = Object.entries(STATES) as [State, StateRow][];
const partsOf = (state: State) => state.split('/');

test('the states are made of the statuses and stages that callers know, and of no others', () => {
  const statuses = rows.map(([state]) => partsOf(state)[0]);
  expect(new Set(statuses)).toEqual(new Set(STATUSES));
  expect(new Set(rows.flatMap(([state]) => partsOf(state)[1] ?? []))).toEqual(new Set(STAGES));
});

test('every live state has a queue in which its entry waits, and no other state has one', () => {
  expect(rows.filter(([, { queue }]) => queue !== null).map(([state]) => state)).toEqual(LIVE);
  expect(rows.filter(([, { end }]) => end !== null).map(([state]) => state)).toEqual(TERMINAL);
});

test('a job that is to be canceled has the queue, the needs and the sets of what is in flight', () => {
  for (const [state, row] of rows.filter(([each]) => each.startsWith('canceling/'))) {
    const of = STATES[state.replace('canceling', 'running') as keyof typeof STATES];
    expect([state, row]).toEqual([state, { ...of, expires: false, outlives: null }]);
  }
});

test.each([
  ['queued', null, 'call'],
  ['running/submitting', 'submitting', 'call'],
  ['running/generating', 'generating', 'poll'],
  ['running/storing', 'storing', 'store'],
] as const)('when a chat is %s then its entry waits in the queue of that state', (_, stage, queue) => {
  expect(queueOf(stage, 'call')).toBe(queue);
});

test('when its time is over then a job expires where nothing is in flight that it would lose, and not before', () => {
  const expired = (now: number) => rows.map(([state]) => state).filter((state) => hasExpired(state, 1000, now));
  expect([expired(999), expired(1000)]).toEqual([[], ['queued', 'running/generating']]);
});
