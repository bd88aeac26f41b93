import { expect, test } from 'vitest';
import { NO_COST } from '../cost/cost.ts';
import type { JobDoc } from '../doc.ts';
import { JobRequest } from '../request.ts';
import { after, delayOf, messageAfter } from './after.ts';
import type { JobRecord, NewAttempt } from './job.ts';
import { newRecord } from './new-job.ts';
import { bringsPaid, plan } from './plan.ts';
import { stateIn } from './states.ts';
import { TRANSITIONS, type Transition } from './transitions.ts';

const doc: JobDoc = {
  ...JobRequest.parse({
    type: 'image',
    input: { model: 'nano-banana-2', prompt: 'a lighthouse' },
    webhook: { url: 'https://caller.example/hook' },
  }),
  on_unknown_submit: 'fail',
};
const queued = newRecord({ id: 'job_1', tenant: 'acme', doc, createdAt: 1000, turn: 3 });
const lease = { token: 'A', acquired_at: 1100, expires_at: 2100 };
const task = { base: 'https://b', id: '1-t', submitted_at: 1200, polls: 2, last_polled_at: 1300 };
const unstored = { links: [{ url: 'https://f/1.png' }], dies_at: 9000 };
const attempt: NewAttempt = { stage: 'submit', started_at: 1100, ended_at: 1200, outcome: 'accepted' };

const submitting: JobRecord = { ...queued, status: 'running', stage: 'submitting', lease, attempts_used: 1 };
const generating: JobRecord = { ...queued, status: 'running', stage: 'generating', task, step: 2, attempts_used: 2 };
const storing: JobRecord = { ...generating, stage: 'storing', unstored, step: 3 };
const failed: JobRecord = { ...generating, status: 'failed', stage: null, unstored, lease, step: 4, progress: 40 };

const facts = { at: 5000, ver: 9, step: 7, turn: 11, seq: 12 };
const applied = (job: JobRecord, t: Transition) => {
  const order = plan(job, t);
  return after(job, order, { ...facts, state: order.to ?? stateIn(job) });
};

test.each<[string, JobRecord, Transition, object]>([
  [
    'reassert_call',
    generating,
    {
      kind: 'reassert_call',
      token: 'B',
      heldMs: 100,
      leftMs: 900,
      attempts: [{ ...attempt, run: 1, number: 1 }],
      attemptsUsed: 2,
      startedAt: 1,
      cost: NO_COST,
    },
    {
      status: 'running',
      stage: 'submitting',
      task: null,
      lease: { token: 'B', acquired_at: 4900, expires_at: 5900 },
      attempts_used: 2,
      attempts: [{ ...attempt, run: 1, number: 1 }],
    },
  ],
  [
    'release',
    submitting,
    { kind: 'release', waitMs: 0, attempt, attemptsUsed: 2 },
    { status: 'queued', stage: null, lease: null, attempts_used: 2 },
  ],
  [
    'task_accepted',
    submitting,
    { kind: 'task_accepted', task: { base: 'b', id: 't' }, attempt, firstPollMs: 100, aliveMs: 1 },
    {
      status: 'running',
      stage: 'generating',
      lease: null,
      attempts_used: 2,
      task: { base: 'b', id: 't', submitted_at: 5000, polls: 0, last_polled_at: null },
      attempts: [{ ...attempt, run: 1, number: 1 }],
    },
  ],
  [
    'poll',
    generating,
    { kind: 'poll', progress: 30, polls: 3 },
    { progress: 30, task: { ...task, polls: 3, last_polled_at: 5000 } },
  ],
  [
    'poll that did not find the task',
    generating,
    { kind: 'poll', progress: 20, polls: 3, attempt },
    { task: { ...task, polls: 3 } },
  ],
  ['resubmit', generating, { kind: 'resubmit', attempt, waitMs: 5 }, { status: 'queued', task: null, attempts_used: 2 }],
  [
    'start_storing of a task',
    generating,
    { kind: 'start_storing', unstored, polls: 3 },
    { stage: 'storing', unstored, attempts_used: 2 },
  ],
  [
    'start_storing of a call',
    submitting,
    { kind: 'start_storing', unstored, attempt },
    { stage: 'storing', unstored, attempts_used: 2, lease: null },
  ],
  [
    'finish',
    storing,
    { kind: 'finish', status: 'succeeded', output: { kind: 'images', images: [] } },
    {
      status: 'succeeded',
      stage: null,
      progress: 100,
      unstored: null,
      finished_at: 5000,
      webhook: { state: 'pending', last_delivery_id: 'evt_1_1_job_succeeded' },
    },
  ],
  [
    'a finish that keeps the lease',
    submitting,
    { kind: 'finish', status: 'failed', keepLease: true },
    { status: 'failed', lease },
  ],
  ['request_cancel of a store', storing, { kind: 'request_cancel' }, { status: 'canceling', stage: 'storing' }],
  [
    'a reopen that submits anew',
    failed,
    { kind: 'reopen', to: 'queued' },
    {
      status: 'queued',
      run: 2,
      progress: 0,
      attempts_used: 0,
      task: null,
      unstored: null,
      lease: null,
      expires_at: 5000 + 86_400_000,
    },
  ],
  ['a reopen that goes on', failed, { kind: 'reopen', to: 'running/storing' }, { stage: 'storing', run: 2, task, unstored }],
  ['record_crash', storing, { kind: 'record_crash', cause: 'thrown', waitMs: 1 }, { crashes: 1, stage: 'storing' }],
])('when %s has happened then the job holds what the record does, with the numbers of the script', (_, job, t, expected) => {
  expect(applied(job, t)).toMatchObject({ ...expected, ver: 9, step: 7, turn: 11, seq: 12 });
});

test('a plan holds durations and no times, so the same job and transition give the same order at any time', () => {
  const later = { ...submitting, created_at: 0 };
  const t: Transition = { kind: 'task_accepted', task: { base: 'b', id: 't' }, attempt, firstPollMs: 100, aliveMs: 600_000 };
  expect(plan(later, t)).toEqual(plan(submitting, t));
  expect(plan(submitting, t)).toMatchObject({ stamps: { submitted_at: 0 }, due: 60_100, inFlightMs: 600_000 });
});

test.each<[string, JobRecord, Transition, string | null]>([
  [
    'a task',
    submitting,
    { kind: 'task_accepted', task: { base: 'b', id: 't' }, attempt, firstPollMs: 100, aliveMs: 1 },
    'poll after 100',
  ],
  ['a resubmit', generating, { kind: 'resubmit', attempt, waitMs: 5 }, 'submit after 5'],
  ['a result', generating, { kind: 'start_storing', unstored }, 'store after 0'],
  ['a release, whose entry waits', submitting, { kind: 'release', waitMs: 9 }, null],
  ['an end', storing, { kind: 'finish', status: 'failed' }, null],
  ['a lost entry of a canceling call', { ...submitting, status: 'canceling' }, { kind: 'requeue' }, 'submit after 0'],
])('when there is %s then its queue entry follows from the transition', (_, job, t, expected) => {
  const message = messageAfter(applied(job, t), plan(job, t), delayOf(t));
  expect(message === null ? null : `${message.queue} after ${message.delayMs}`).toBe(expected);
});

test('when a reopened job goes on with its result then what was refused or lost is tried again, and what is stored is kept', () => {
  const stored = { index: 0, content_type: 'image/png', bytes: 1, width: 1, height: 1, sha256: 'a', key: 'k' };
  const refused = { since: 1, times: 3, next: 2, reason: 'gone' };
  const links = [
    { url: 'https://f/0', stored },
    { url: 'https://f/1', lost: 'gone' },
    { url: 'https://f/2', refused },
  ];
  const job = { ...failed, unstored: { links, dies_at: 9000 } };
  expect(applied(job, { kind: 'reopen', to: 'running/storing' }).unstored).toEqual({
    links: [{ url: 'https://f/0', stored }, { url: 'https://f/1' }, { url: 'https://f/2' }],
    dies_at: 9000,
  });
});

test('while a call is in flight its lease guards the transition, and nobody without it can end the call', () => {
  expect(plan(submitting, { kind: 'finish', status: 'failed' }).guard).toEqual({ lease: 'A' });
  const withoutLease = plan({ ...queued, step: 5 }, { kind: 'finish', status: 'expired' });
  expect(withoutLease.guard).toEqual({ step: 5 });
  expect(withoutLease.from.filter((state) => state.endsWith('/submitting'))).toEqual([]);
  expect(() => plan(queued, { kind: 'release', waitMs: 0 })).toThrow('has no lease');
});

test('when a job is polled without its record then what needs the record is refused', () => {
  const polled = { id: 'job_1', tenant: 'acme', step: 2, progress: 10, batch_id: null };
  expect(plan(polled, { kind: 'poll', progress: 30, polls: 3 }).atLeast).toEqual({ progress: 30, polls: 3 });
  expect(() => plan(polled, { kind: 'poll', progress: 30, polls: 3, attempt })).toThrow('was not read');
});

test('a cancel asked of a job that was read before its call began starts from no state, so that it is read again', () => {
  expect(plan(queued, { kind: 'request_cancel' }).from).toEqual([]);
  expect(plan(storing, { kind: 'request_cancel' })).toMatchObject({ from: ['running/storing'], to: 'canceling/storing' });
});

test('every transition of the table that is a value has a plan', () => {
  const own = ['create', 'stage_line', 'let_in', 'park', 'discard_line', 'start_call', 'begin_erase', 'erase'];
  const planned = Object.keys(TRANSITIONS).filter((name) => !own.includes(name));
  expect(planned).toHaveLength(16);
});

test.each<[string, JobRecord, Transition, boolean]>([
  ['a task id', submitting, { kind: 'task_accepted', task, attempt, firstPollMs: 0, aliveMs: 1 }, true],
  ['the result of a call', submitting, { kind: 'start_storing', unstored, attempt }, true],
  ['an answer', submitting, { kind: 'finish', status: 'succeeded', output: { kind: 'chat', completion: {} } }, true],
  ['an answer that may be cut short', submitting, { kind: 'release', waitMs: 0, unstored }, true],
  ['a task id for a run that has ended', failed, { kind: 'record_task', task, latePollMs: 1 }, true],
  ['no more than a failure', submitting, { kind: 'finish', status: 'failed' }, false],
  ['no more than an attempt', submitting, { kind: 'release', waitMs: 0, attempt }, false],
  ['the result of a task on record', generating, { kind: 'start_storing', unstored, polls: 3 }, false],
  ['stored outputs', storing, { kind: 'finish', status: 'succeeded', output: { kind: 'images', images: [] } }, false],
])('when a transition brings %s then it says whether that stands nowhere else', (_, job, t, paid) => {
  expect(bringsPaid(job, t)).toBe(paid);
});
