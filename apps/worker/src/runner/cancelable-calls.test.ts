import type { JobHead } from '@grsai-jobs/job-store';
import { expect, test } from 'vitest';
import { createCancelableCalls } from './cancelable-calls.ts';

test('when a job is canceled then all of its in-flight calls are aborted and no other, and a closed one is left alone', () => {
  const calls = createCancelableCalls();
  const [first, second, closed, other] = [calls.open('A'), calls.open('A'), calls.open('A'), calls.open('B')];
  closed.close();
  calls.cancel('A');
  calls.cancel('C');
  expect([first, second, closed, other].map(({ signal }) => signal.aborted)).toEqual([true, true, false, false]);
});

test('when signals were missed then the records say which calls are aborted', async () => {
  const calls = createCancelableCalls();
  const [canceling, running, gone, over] = [calls.open('A'), calls.open('B'), calls.open('C'), calls.open('D')];
  over.close();
  const asked: string[] = [];
  await calls.catchUp({
    heads: async (ids) => {
      asked.push(...ids);
      return ids.map((id) => (id === 'C' ? null : ({ id, status: id === 'A' ? 'canceling' : 'running' } as JobHead)));
    },
  });
  expect(asked).toEqual(['A', 'B', 'C']);
  expect([canceling, running, gone].map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
});
