import type { Attempt } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { keptAttempts } from './attempts.ts';

type Short = [stage: Attempt['stage'], outcome: Attempt['outcome'], code?: string];

const attempt = ([stage, outcome, code]: Short, at: number): Attempt => ({
  run: 1,
  stage,
  number: at,
  started_at: at,
  ended_at: at,
  outcome,
  ...(code === undefined ? {} : { error_code: code }),
});
const times = (count: number, short: Short): Short[] => Array.from({ length: count }, () => short);
const store: Short = ['store', 'retry', 'http'];
const submit: Short = ['submit', 'accepted'];

test.each<[string, Short[], Record<string, number>]>([
  ['30 stores follow a submit: it stays', [submit, ...times(30, store)], { submit: 1, store: 20 }],
  ['each of 4 runs has 30 stores', times(4, submit).flatMap((each) => [each, ...times(30, store)]), { submit: 4, store: 20 }],
  [
    'looks and stores fail',
    [submit, ...times(15, ['poll', 'retry', 'no_link']), ...times(15, store)],
    { submit: 1, poll: 5, store: 15 },
  ],
  [
    'upstream throttles for a day: those calls cost nothing',
    [submit, ...times(500, ['submit', 'retry', 'upstream_rate_limited'])],
    { submit: 21 },
  ],
  ...['upstream_busy', 'upstream_refusal', 'probe_failed'].map((code): [string, Short[], Record<string, number>] => [
    `calls cost nothing (${code}) for a day`,
    [submit, ...times(200, ['submit', 'retry', code])],
    { submit: 21 },
  ]),
  ['calls fail and are paid again', times(30, ['call', 'retry', 'upstream_unavailable']), { call: 30 }],
  ['there are more than 100 paid calls: the newest stay', times(130, ['call', 'unknown', 'submit_unknown']), { call: 100 }],
])('when %s', (_, shorts, counts) => {
  const all = shorts.map(attempt);
  // As it happens: one is added, the list is cut, and is read again.
  let left: Attempt[] = [];
  for (const each of all) left = JSON.parse(keptAttempts([...left, each])) as Attempt[];
  expect(Object.fromEntries([...Map.groupBy(left, ({ stage }) => stage)].map(([stage, of]) => [stage, of.length]))).toEqual(
    counts,
  );
  expect(left).toEqual(left.toSorted((a, b) => a.started_at - b.started_at));
  expect(left.at(-1)).toEqual(all.at(-1));
});
