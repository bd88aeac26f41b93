import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadline, type Limits } from './deadline.ts';

const LIMITS: Limits = { connectMs: 5, uploadIdleMs: 10, answerMs: 15, idleMs: 20, totalMs: 1000 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const phaseAfter = (deadline: Deadline, ms: number) => {
  vi.advanceTimersByTime(ms);
  return deadline.stop?.phase;
};

test.each<[string, (deadline: Deadline) => void, number]>([
  ['connect', (d) => d.connecting(), 5],
  ['upload', (d) => d.uploaded(false), 10],
  ['answer', (d) => d.uploaded(true), 15],
  ['idle', (d) => d.received(), 20],
])('the limit of the phase %s passes at its time, not before', (phase, enter, ms) => {
  const deadline = new Deadline(LIMITS, undefined);
  enter(deadline);
  expect(phaseAfter(deadline, ms - 1)).toBeUndefined();
  expect(phaseAfter(deadline, 1)).toBe(phase);
});

test('a new phase starts its own time', () => {
  const deadline = new Deadline(LIMITS, undefined);
  deadline.connecting();
  vi.advanceTimersByTime(4);
  deadline.uploaded(false);
  vi.advanceTimersByTime(9);
  deadline.uploaded(true);
  expect(phaseAfter(deadline, 14)).toBeUndefined();
});

test('without a limit on silence the answer has one time to its end', () => {
  const { idleMs: _, ...submit } = LIMITS;
  const deadline = new Deadline(submit, undefined);
  deadline.uploaded(true);
  vi.advanceTimersByTime(10);
  deadline.received();
  deadline.pause();
  expect(phaseAfter(deadline, 5)).toBe('answer');
});

test('the whole call has a limit whatever happens in it', () => {
  const deadline = new Deadline(LIMITS, undefined);
  for (let i = 0; i < 99; i++) {
    deadline.received();
    vi.advanceTimersByTime(10);
  }
  deadline.received();
  expect(phaseAfter(deadline, 10)).toBe('total');
});

test('the time of a busy reader does not count as silence', () => {
  const deadline = new Deadline(LIMITS, undefined);
  deadline.received();
  deadline.pause();
  expect(phaseAfter(deadline, 500)).toBeUndefined();
});

test('a last limit is not put off by what still comes', () => {
  const deadline = new Deadline(LIMITS, undefined);
  deadline.last(8);
  vi.advanceTimersByTime(5);
  deadline.received();
  expect(phaseAfter(deadline, 3)).toBe('idle');
});

test('a caller that fires ends the call, with its reason kept', () => {
  const caller = new AbortController();
  const deadline = new Deadline(LIMITS, caller.signal);
  caller.abort('enough');
  expect(deadline.stop).toMatchObject({ kind: 'aborted', cause: 'enough' });
});

test('nothing is left after the call', () => {
  const caller = new AbortController();
  const deadline = new Deadline(LIMITS, caller.signal);
  deadline.connecting();
  deadline.clear();
  expect(vi.getTimerCount()).toBe(0);
  caller.abort();
  expect(deadline.stop).toBeUndefined();
});
