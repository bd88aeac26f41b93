import { expect, test } from 'vitest';
import { MOVES, type Move } from './moves.ts';
import { isTerminal, type State, type Status } from './states.ts';

const rows = Object.entries(MOVES) as [string, Move][];
const terminal = (state: State): boolean => isTerminal(state.split('/')[0] as Status);

test('every state that a move leads to can be left again, unless it is succeeded', () => {
  const reached = new Set(rows.flatMap(([, move]) => (move.to === 'same' ? [] : [...move.to])));
  const left = new Set(rows.flatMap(([, move]) => [...move.from]));
  expect([...reached].filter((state) => !left.has(state))).toEqual(['succeeded']);
});

test('only reopen leaves a terminal state', () => {
  expect(rows.filter(([, move]) => move.from.some(terminal)).map(([name]) => name)).toEqual(['reopen']);
});

test('a move that ends a run leaves nothing due, and every other one does', () => {
  for (const [name, move] of rows) {
    const ends = move.to !== 'same' && move.to.every(terminal);
    expect(`${name}: ${move.dueMs === null}`).toBe(`${name}: ${ends}`);
  }
});

test('a move that hands the job to a new entry takes a new step', () => {
  // refused, look and store_again keep their entry waiting; begin, tell and cancel_open leave it with its holder.
  const same = rows.filter(([, move]) => move.step === 'same').map(([name]) => name);
  expect(same.sort()).toEqual(['begin', 'cancel_open', 'look', 'refused', 'store_again', 'tell']);
});

test('all but intake run on a full Redis, since they record what was paid for', () => {
  expect(rows.filter(([, move]) => !move.paid).map(([name]) => name)).toEqual(['accept']);
});
