import type { Conflict } from '@grsai-jobs/job-store';
import { type State, TRANSITIONS, type Transition } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { type Resolution, resolve } from './conflicts.ts';

const attempt = { stage: 'submit', started_at: 1, ended_at: 2, outcome: 'accepted' } as const;
const unstored = { links: [{ url: 'https://f/1.png' }], dies_at: 9 };

const WANTED = {
  release: { kind: 'release', waitMs: 0 },
  task_accepted: { kind: 'task_accepted', task: { base: 'b', id: 't' }, attempt, firstPollMs: 0, aliveMs: 1 },
  start_storing: { kind: 'start_storing', unstored },
  retry_storing: { kind: 'retry_storing', attempt, waitMs: 1 },
  'finish as failed': { kind: 'finish', status: 'failed' },
  'finish as succeeded': { kind: 'finish', status: 'succeeded', output: { kind: 'chat', completion: {} } },
  poll: { kind: 'poll', progress: 1, polls: 1 },
  requeue: { kind: 'requeue' },
  report_progress: { kind: 'report_progress', progress: 1 },
} as const satisfies Record<string, Transition>;

const STALE: Conflict = { kind: 'stale', state: 'running/generating' };
const wrong = (state: State): Conflict => ({ kind: 'wrong', state });

test.each<[keyof typeof WANTED, string, Conflict, Resolution]>([
  ['release', 'canceling', wrong('canceling/submitting'), 'finish_canceled'],
  ['task_accepted', 'canceling', wrong('canceling/submitting'), 'finish_canceled'],
  ['finish as failed', 'canceling', wrong('canceling/submitting'), 'finish_canceled'],
  ['retry_storing', 'canceling', wrong('canceling/storing'), 'finish_canceled'],
  ['task_accepted', 'given up', wrong('failed'), 'reopen_late'],
  ['start_storing', 'given up', wrong('failed'), 'reopen_late'],
  ['finish as succeeded', 'given up', wrong('failed'), 'reopen_late'],
  ['finish as failed', 'given up', wrong('failed'), 'settle_call'],
  ['release', 'given up', wrong('failed'), 'settle_call'],
  ['release', 'canceled', wrong('canceled'), 'settle_call'],
  ['task_accepted', 'canceled', wrong('canceled'), 'record_task'],
  ['task_accepted', 'expired', wrong('expired'), 'record_task'],
  ['task_accepted', 'in other hands', STALE, 'record_task'],
  ['task_accepted', 'gone', { kind: 'missing' }, 'record_task'],
  ['start_storing', 'canceled', wrong('canceled'), 'settle_call'],
  ['finish as succeeded', 'canceled', wrong('canceled'), 'settle_call'],
  ['release', 'in other hands', STALE, 'drop'],
  ['poll', 'canceled', wrong('canceled'), 'drop'],
  ['requeue', 'ended', wrong('succeeded'), 'drop'],
  ['report_progress', 'canceling', wrong('canceling/submitting'), 'drop'],
  ['retry_storing', 'gone', { kind: 'missing' }, 'drop'],
])('when %s meets a job that is %s then the table of conflicts decides', (wanted, _, found, as) => {
  expect(resolve(WANTED[wanted], found)).toBe(as);
});

test('when a result of a call meets a job that is to be canceled then the table of transitions takes it, without a conflict', () => {
  expect(TRANSITIONS.start_storing.from).toContain('canceling/submitting');
  expect(TRANSITIONS.finish.from).toContain('canceling/submitting');
});
