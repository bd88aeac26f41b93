import type { FeedEvent } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { missedEvents } from './missed-events.ts';

const job = (seq: number, more: Partial<JobRecord> = {}) =>
  ({ id: 'job_A', seq, status: 'succeeded', stage: null, run: 1, progress: 100, ...more }) as JobRecord;

const event = (seq: number): FeedEvent => ({
  job_id: 'job_A',
  seq,
  type: `job.e${seq}`,
  status: 'running',
  stage: null,
  run: 1,
  progress: 0,
  at: 0,
});

const known = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => event(from + i));

/** Newest seq of the record, what is known, what was seen → what is told; `!` marks the one made from the record. */
test.each([
  ['all is known and nothing was seen', 4, known(1, 4), 0, '1 2 3 4'],
  ['all is known and some was seen', 4, known(1, 4), 2, '3 4'],
  ['all was seen', 4, known(1, 4), 4, ''],
  ['nothing is known and all was seen', 4, [], 4, ''],
  ['nothing is known', 4, [], 2, '4!'],
  ['the older ones are forgotten', 9, known(7, 9), 2, '9!'],
  ['just what was seen is forgotten', 9, known(7, 9), 6, '7 8 9'],
  ['something came after the record was read', 4, known(3, 6), 0, '4! 5 6'],
  ['the record is newer than what is known', 6, known(1, 4), 2, '3 4 6!'],
  ['the record is newer than what is known and all of that was seen', 6, known(1, 4), 4, '6!'],
  ['a number was never given', 4, known(1, 4), 999, '1 2 3 4'],
  ['a number was never given and nothing is known', 4, [], 999, '4!'],
])('when %s then nothing that matters is missed', (_what, seq, events, after, told) => {
  const missed = missedEvents(events, job(seq), after, 5);
  expect(missed.map((each) => `${each.seq}${each.type === `job.e${each.seq}` ? '' : '!'}`).join(' ')).toBe(told);
});

test.each([
  [{ status: 'queued' }, 'job.queued'],
  [{ status: 'running', stage: 'submitting' }, 'job.started'],
  [{ status: 'running', stage: 'generating' }, 'job.generating'],
  [{ status: 'canceling', stage: 'storing' }, 'job.canceling'],
  [{ status: 'expired' }, 'job.expired'],
] as [Partial<JobRecord>, string][])('when the record is %j then the event that stands for it is %s', (state, type) => {
  expect(missedEvents([], job(3, state), 0, 5)).toMatchObject([{ ...state, type, seq: 3 }]);
});

test('whatever is known and was seen, numbers rise and the newest one is sent or was seen', () => {
  const nat = fc.nat({ max: 12 });
  fc.assert(
    fc.property(nat, nat, nat, (first, length, after) => {
      const events = known(first + 1, first + length);
      const newest = first + length;
      const told = missedEvents(events, job(newest), after, 5).map(({ seq }) => seq);
      expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
      if (newest > 0 && after !== newest) expect(told.at(-1)).toBe(newest);
    }),
  );
});
