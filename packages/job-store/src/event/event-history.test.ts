import { expect, test } from 'vitest';
import { createEventHistory, type FeedEvent } from './event-history.ts';

const event = (job_id: string, seq: number): FeedEvent => ({
  job_id,
  seq,
  type: 'job.progress',
  status: 'running',
  stage: null,
  run: 1,
  progress: 0,
  at: 0,
});

test('when more happened than is kept then the oldest of all jobs are forgotten, and what is left of a job has no gaps', () => {
  const history = createEventHistory(4);
  const seqs = (job: string) => history.of(job).map(({ seq }) => seq);
  for (const [job, seq] of [
    ['A', 1],
    ['B', 1],
    ['A', 2],
    ['A', 3],
  ] as const)
    history.add(event(job, seq));
  expect([seqs('A'), seqs('B')]).toEqual([[1, 2, 3], [1]]);
  history.add(event('B', 2));
  expect([seqs('A'), seqs('B')]).toEqual([
    [2, 3],
    [1, 2],
  ]);
  history.add(event('C', 1));
  expect([seqs('A'), seqs('B'), seqs('C')]).toEqual([[2, 3], [2], [1]]);
});

test('when events of a job are missing then only those behind the gap are known', () => {
  const history = createEventHistory(10);
  for (const seq of [1, 2, 5, 6, 3]) history.add(event('A', seq));
  expect(history.of('A').map(({ seq }) => seq)).toEqual([3]);
});
