import { describe, expect, test } from 'vitest';
import type { JobDoc } from '../doc.ts';
import type { JobRecord, NewAttempt } from '../job/job.ts';
import { newRecord } from '../job/new-job.ts';
import type { Transition } from '../job/transitions.ts';
import { JobRequest } from '../request.ts';
import { costAfter, NO_COST, viewJobCost } from './cost.ts';
import type { JobPrice } from './price.ts';
import { type CallEnd, endOfCall, settlementOf } from './settlement.ts';

const price: JobPrice = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
const VIP: JobPrice = { reserve: 10_000, refunds: { error: false, violation: false }, isOld: false };
const CHAT: JobPrice = { ...price, reserve: 700, tokens: { input: 30_000, output: 140_000 } };

const doc: JobDoc = {
  ...JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } }),
  on_unknown_submit: 'fail',
};
const queued = newRecord({ id: 'job_1', tenant: 'acme', doc, createdAt: 1000, turn: 3, price });
const lease = { token: 'A', acquired_at: 1100, expires_at: 2100 };
const task = { base: 'https://b', id: '1-t', submitted_at: 1200, polls: 2, last_polled_at: 1300 };
const submitting: JobRecord = { ...queued, status: 'running', stage: 'submitting', lease };
const generating: JobRecord = { ...queued, status: 'running', stage: 'generating', task };
const storing: JobRecord = { ...queued, status: 'running', stage: 'storing', unstored: { dies_at: 9 } };
const failed: JobRecord = { ...queued, status: 'failed', lease };

const attempt = (outcome: NewAttempt['outcome'], stage: NewAttempt['stage'] = 'submit'): NewAttempt => ({
  stage,
  started_at: 1,
  ended_at: 2,
  outcome,
});
const completion = (usage?: unknown) => ({ choices: [], ...(usage === undefined ? {} : { usage }) });

describe('when a transition happens then what became of the paid call is known by it', () => {
  test.each<[string, JobRecord, Transition, CallEnd | null]>([
    ['refused', submitting, { kind: 'release', waitMs: 0, attempt: attempt('retry') }, 'nothing'],
    ['given back before a byte was sent', submitting, { kind: 'release', waitMs: 0 }, 'nothing'],
    ['its answer lost', submitting, { kind: 'release', waitMs: 0, attempt: attempt('unknown') }, 'unknown'],
    ['cut by a stop', submitting, { kind: 'release', waitMs: 0, attempt: attempt('cut') }, 'unknown'],
    [
      'an answer that may be cut short',
      submitting,
      { kind: 'release', waitMs: 0, attempt: attempt('retry', 'call'), unstored: { completion: {}, dies_at: 9 } },
      'made',
    ],
    ['accepted', submitting, { kind: 'task_accepted', task, attempt: attempt('accepted'), firstPollMs: 1, aliveMs: 1 }, null],
    ['polled', generating, { kind: 'poll', progress: 3, polls: 1 }, null],
    ['done', generating, { kind: 'start_storing', unstored: { dies_at: 9 }, polls: 1 }, 'made'],
    ['failed and submitted again', generating, { kind: 'resubmit', waitMs: 0, attempt: attempt('retry', 'poll') }, 'failed'],
    ['a violation', generating, { kind: 'finish', status: 'failed', callEnd: 'violation' }, 'violation'],
    ['over its time, and polled late', generating, { kind: 'finish', status: 'failed', latePollMs: 9 }, null],
    ['canceled with its task alive', generating, { kind: 'cancel' }, null],
    [
      'given up with its lease kept',
      submitting,
      { kind: 'finish', status: 'failed', keepLease: true, attempt: attempt('unknown') },
      null,
    ],
    ['refused for good', submitting, { kind: 'finish', status: 'failed', attempt: attempt('failed') }, 'nothing'],
    ['all its outputs lost', submitting, { kind: 'finish', status: 'failed', attempt: attempt('accepted') }, 'made'],
    [
      'canceled while its task was accepted',
      submitting,
      { kind: 'finish', status: 'canceled', task, attempt: attempt('accepted') },
      null,
    ],
    ['stored', storing, { kind: 'finish', status: 'succeeded' }, 'made'],
    ['a late result', failed, { kind: 'reopen', to: 'running/storing', late: true }, 'made'],
    ['the answer of an earlier call is stored', failed, { kind: 'reopen', to: 'running/storing' }, 'unknown'],
    ['a late task', failed, { kind: 'reopen', to: 'running/generating', late: true, task }, null],
    ['run again', failed, { kind: 'reopen', to: 'queued' }, 'unknown'],
    ['failed behind the end of its run', failed, { kind: 'settle_call', callEnd: 'failed' }, 'failed'],
  ])('%s', (_, job, transition, end) => {
    expect(endOfCall(job, transition)).toBe(end);
  });
});

describe('when it is known what became of a call then its credits are settled by the terms of its price', () => {
  const ended = (of: JobPrice | null, callEnd: CallEnd) =>
    settlementOf({ ...submitting, price: of }, { kind: 'finish', status: 'failed', callEnd })?.as;
  test.each<[CallEnd, string, string]>([
    ['made', 'charged', 'charged'],
    ['nothing', 'released', 'released'],
    ['failed', 'refunded', 'charged'],
    ['perhaps_failed', 'refunded', 'unknown'],
    ['violation', 'charged', 'charged'],
    ['perhaps_violation', 'unknown', 'unknown'],
    ['unknown', 'unknown', 'unknown'],
  ])('%s', (end, usual, withoutRefunds) => {
    expect(ended(price, end)).toBe(usual);
    expect(ended(VIP, end)).toBe(withoutRefunds);
    expect(ended(null, end)).toBeUndefined();
  });

  test('a violation that is refunded', () => {
    const kind: JobPrice = { ...price, refunds: { error: true, violation: true } };
    expect([ended(kind, 'violation'), ended(kind, 'perhaps_violation')]).toEqual(['refunded', 'refunded']);
  });
});

describe('when a failover has forgotten a call then the one before comes to what its holder knows', () => {
  const held = (cost: object, record: Partial<JobRecord['cost']> = { open: 1200 }) =>
    settlementOf(
      { ...submitting, cost: { ...NO_COST, ...record } },
      {
        ...{ kind: 'reassert_call', token: 'B', heldMs: 1, leftMs: 1, attempts: [], attemptsUsed: 0, startedAt: 1 },
        cost: { ...NO_COST, open: 1800, ...cost },
      },
    );
  test.each<[object, object]>([
    [{}, { as: 'released' }],
    [{ refunded: 1200 }, { as: 'refunded' }],
    [{ charged: 7 }, { as: 'charged', credits: 7 }],
    [{ unknown: 1200 }, { as: 'unknown' }],
  ])('%j', (cost, before) => {
    expect(held(cost)).toEqual({ as: 'reserved', before });
    expect(held(cost, { open: null })).toEqual({ as: 'reserved' });
  });

  test('and the record has both', () => {
    const cost = { ...NO_COST, open: 1200 };
    const again = costAfter(cost, 1800, held({ unknown: 1200 }));
    expect(again).toEqual({ ...NO_COST, open: 1800, unknown: 1200 });
    expect(costAfter(cost, 1800, held({}))).toEqual({ ...NO_COST, open: 1800 });
  });
});

describe('when a chat has an answer then it costs what its tokens do, rounded up', () => {
  const settled = (usage: unknown) =>
    settlementOf(
      { ...submitting, price: CHAT },
      { kind: 'finish', status: 'succeeded', output: { kind: 'chat', completion: completion(usage) } },
    );
  test('also where nobody waits for it any more, as its job was canceled', () => {
    const unwanted = completion({ prompt_tokens: 11, completion_tokens: 204 });
    const canceled = { kind: 'finish', status: 'canceled', callEnd: 'made', unwanted } as const;
    expect(settlementOf({ ...submitting, price: CHAT }, canceled)).toMatchObject({ as: 'charged', credits: 29 });
    const settled = { kind: 'settle_call', callEnd: 'made', unwanted } as const;
    expect(settlementOf({ ...submitting, price: CHAT }, settled)).toMatchObject({ as: 'charged', credits: 29 });
  });

  test.each<[unknown, object]>([
    [
      { prompt_tokens: 11, completion_tokens: 204 },
      { credits: 29, tokens: { prompt: 11, completion: 204 } },
    ],
    [
      { prompt_tokens: 0, completion_tokens: 0 },
      { credits: 0, tokens: { prompt: 0, completion: 0 } },
    ],
    [undefined, { guess: true }],
    [null, { guess: true }],
    [{ total_tokens: 40 }, { guess: true }],
    [{ prompt_tokens: -1, completion_tokens: 4 }, { guess: true }],
    [
      { prompt_tokens: '11', completion_tokens: '4' },
      { credits: 1, tokens: { prompt: 11, completion: 4 } },
    ],
    [{ prompt_tokens: 'eleven', completion_tokens: 4 }, { guess: true }],
    [{ prompt_tokens: 1e300, completion_tokens: 4 }, { guess: true }],
  ])('%j', (usage, expected) => {
    expect(settled(usage)).toEqual({ as: 'charged', ...expected });
  });
});

test('when calls of a job are settled then its cost adds up, and a call that is settled is not settled again', () => {
  const open = (cost: JobRecord['cost']) => costAfter(cost, 1200, { as: 'reserved' });
  let cost = costAfter(open(NO_COST), 1200, { as: 'refunded' });
  cost = costAfter(cost, 1200, { as: 'charged' });
  expect(cost).toMatchObject({ refunded: 1200, charged: null, open: null });
  cost = costAfter(open(cost), 1200, { as: 'unknown' });
  cost = costAfter(open(cost), 1200, { as: 'charged', credits: 7, guess: true });
  cost = costAfter(open(cost), 1200, { as: 'released' });
  expect(cost).toEqual({ refunded: 1200, unknown: 1200, charged: 7, open: null, isGuess: true });
});

test('when a job is shown then its cost says what is known, and that an estimate is one', () => {
  const view = (more: Partial<JobRecord>) => viewJobCost({ ...queued, ...more });
  const cost = (more: object) => ({ cost: { ...NO_COST, ...more } });
  expect(view({ price: null })).toBeNull();
  expect(view({})).toEqual({ credits: 0, reserved: 0, state: 'none', estimated: false });
  expect(view({ ...cost({ open: 1200 }), status: 'running' })).toEqual({
    credits: 0,
    reserved: 1200,
    state: 'reserved',
    estimated: true,
  });
  expect(view({ ...cost({ open: 1200 }), status: 'canceled' })).toMatchObject({ reserved: 1200, state: 'unknown' });
  expect(view(cost({ charged: 1200, unknown: 1200 }))).toMatchObject({ credits: 1200, reserved: 1200, state: 'unknown' });
  expect(view(cost({ charged: 1200, refunded: 1200 }))).toEqual({
    credits: 1200,
    reserved: 0,
    state: 'charged',
    estimated: false,
  });
  expect(view(cost({ refunded: 1200 }))).toMatchObject({ credits: 0, state: 'refunded' });
  expect(view({ ...cost({ charged: 0 }), price: { ...price, isOld: true } })).toMatchObject({
    state: 'charged',
    estimated: true,
  });
});
