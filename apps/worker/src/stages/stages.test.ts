import { GrsaiError, type TaskState } from '@grsai-jobs/grsai';
import {
  type Attempt,
  type Generating,
  type JobDoc,
  JobRequest,
  newRecord,
  type Submitting,
  UNKNOWN_DURATIONS,
} from '@grsai-jobs/jobs';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { systemTimers } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import type { CallIo, PaidCall, PaidDecision } from '../runner/decision.ts';
import { createCallStage } from './call.ts';
import { afterFailedCall } from './failed-call.ts';
import { createPollStage } from './poll.ts';
import { createSubmitStage } from './submit.ts';
import { createKnownTasks, taskFacts } from './task/task-facts.ts';

/** What each stage decides for each answer of upstream: no Redis, no queue, no clock but this one. */
const NOW = 1_800_000_000_000;
const clock = { now: () => NOW };

const docOf = (request: object): JobDoc => ({ ...JobRequest.parse(request), on_unknown_submit: 'fail' });
const IMAGE = docOf({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } });
const CHAT = docOf({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } });

const lease = { token: 'A', acquired_at: NOW - 100, expires_at: NOW + 1000 };
const submitting = (doc: JobDoc): Submitting => ({
  ...newRecord({ id: 'job_1', tenant: 'acme', doc, createdAt: NOW - 1000, turn: 1 }),
  status: 'running',
  stage: 'submitting',
  lease,
});
const callOf = (doc: JobDoc): PaidCall => ({ job: submitting(doc), startedAt: NOW - 50, refusals: null });

const io: CallIo = {
  signal: new AbortController().signal,
  canceled: () => false,
  report: () => undefined,
  piece: () => undefined,
  renewLease: async () => undefined,
  untilTaken: (write) => write(),
};
const nothing = {
  inputs: { into: async (body: unknown) => body as never, whole: async (doc: JobDoc) => doc },
  objects: {} as ObjectStore,
  keyPrefix: '',
  storage: { stored: () => undefined, failed: () => undefined },
  pace: { durations: () => UNKNOWN_DURATIONS, learn: () => undefined },
  clock,
  timers: systemTimers,
  random: () => 0.5,
  backoff: () => 7,
};

const kindOf = ({ transition, entry }: PaidDecision) => [
  transition?.kind ?? 'nothing',
  transition?.kind === 'finish' ? (transition.error?.code ?? transition.status) : '',
  typeof entry === 'object' ? entry : 'done',
];

test.each<[string, object, unknown[]]>([
  ['a task', { id: '1-t', base: 'b' }, ['task_accepted', '', 'done']],
  [
    'a task that is done, by a link',
    { id: '1-t', base: 'b', outputs: [{ kind: 'link', url: 'https://f/1.png' }] },
    ['start_storing', '', 'done'],
  ],
  ['a task that is done, with no output', { id: '1-t', base: 'b', outputs: [] }, ['finish', 'upstream_result_lost', 'done']],
])('submit: when upstream answers with %s then that is the decision', async (_, taken, expected) => {
  const stage = createSubmitStage({ ...nothing, grsai: { images: { submit: async () => taken } } as never });
  const decision = await stage.decide(callOf(IMAGE), io);
  expect(kindOf(decision)).toEqual(expected);
  expect(decision.upstreamAccepted).toBe(true);
});

const completion = (content: string, finish: string | null = 'stop') => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
});
const callStage = (grsai: object, more: object = {}) =>
  createCallStage({
    ...nothing,
    grsai: grsai as never,
    pauses: { reasons: async () => new Map() },
    notSent: async () => undefined,
    storeProven: () => true,
    ...more,
  });

test('call: when upstream answers a chat then the run ends with the answer, and a large one is stored first', async () => {
  const small = await callStage({ chat: { complete: async () => completion('hello') } }).decide(callOf(CHAT), io);
  expect(kindOf(small)).toEqual(['finish', 'succeeded', 'done']);
  const large = await callStage({ chat: { complete: async () => completion('x'.repeat(300_000)) } }).decide(callOf(CHAT), io);
  expect(kindOf(large)).toEqual(['start_storing', '', 'done']);
});

test('call: when S3 takes nothing then an image call goes back before a byte is sent, and uses up no attempt', async () => {
  const image = docOf({ type: 'image', via: 'generations', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } });
  const told: PaidCall[] = [];
  const stage = callStage({}, { storeProven: () => false, notSent: async (call: PaidCall) => void told.push(call) });
  const decision = await stage.decide(callOf(image), io);
  expect(decision).toEqual({ transition: { kind: 'release', waitMs: 5000, unsent: true }, entry: { waitMs: 5000 } });
  expect(told).toHaveLength(1);
});

const generating: Generating = {
  ...newRecord({ id: 'job_1', tenant: 'acme', doc: IMAGE, createdAt: NOW - 60_000, turn: 1 }),
  status: 'running',
  stage: 'generating',
  step: 2,
  attempts_used: 1,
  task: { base: 'b', id: '1-t', submitted_at: NOW - 50_000, polls: 1, last_polled_at: null },
};

const poll = (answer: () => Promise<Partial<TaskState>>, job: Generating = generating) => {
  const stage = createPollStage({
    ...nothing,
    store: { jobs: { read: async () => job }, pauses: { all: async () => ({}) } },
    grsai: { images: { result: answer } } as never,
    tasks: createKnownTasks(systemTimers),
    trouble: { judge: async () => 'own' },
    shutdown: { stopping: new AbortController().signal },
    reportProgress: () => undefined,
  });
  return stage.decide(taskFacts(job));
};
const state =
  (status: TaskState['status'], more: object = {}) =>
  async () => ({ status, outputs: [], ...more });

test.each<[string, () => Promise<Partial<TaskState>>, unknown[]]>([
  ['it runs, and no further than before', state('running', { progress: 0 }), ['nothing', '', { waitMs: expect.any(Number) }]],
  ['it runs, and further', state('running', { progress: 40 }), ['poll', '', { waitMs: expect.any(Number) }]],
  ['it is done', state('succeeded', { outputs: [{ kind: 'link', url: 'https://f/1' }] }), ['start_storing', '', 'done']],
  ['it is done, without a link', state('succeeded'), ['poll', '', { waitMs: 5000 }]],
  ['it is not known', state('missing'), ['poll', '', { waitMs: 15_000 }]],
  [
    'it violates the policy',
    state('violation', { error: 'output_moderation', category: 'moderation' }),
    ['finish', 'content_rejected', 'done'],
  ],
  ['it failed in passing', state('failed', { error: 'generate failed', category: 'failed' }), ['resubmit', '', 'done']],
])('poll: when upstream says of a task that %s then that is the decision', async (_, answer, expected) => {
  expect(kindOf(await poll(answer))).toEqual(expected);
});

test('poll: when upstream cannot be read then the entry waits and nothing is written', async () => {
  const error = new GrsaiError({ code: 'timeout', outcome: 'unknown', message: 'm', retryable: true, category: 'transient' });
  const decision = await poll(() => Promise.reject(error));
  expect(decision).toEqual({ entry: { waitMs: 5000 }, observed: { stage: 'poll', outcome: 'retry', error_code: 'timeout' } });
});

test('poll: when the job is past its time then it expires, and its task is polled late', async () => {
  const decision = await poll(state('running'), { ...generating, expires_at: NOW });
  expect(decision.transition).toMatchObject({ kind: 'finish', status: 'expired', latePollMs: 60_000 });
});

const notFound: Attempt = {
  run: 1,
  number: 1,
  stage: 'poll',
  started_at: NOW - 30_000,
  ended_at: NOW - 29_000,
  outcome: 'retry',
  error_code: 'not_found',
};
const old = NOW - 3 * 3600_000;

test.each<[string, Parameters<typeof poll>[0], Partial<Generating>, string]>([
  ['is not known five times in a row', state('missing'), { attempts: Array<Attempt>(4).fill(notFound) }, 'upstream_result_lost'],
  [
    'runs for too long',
    state('running'),
    { created_at: old, expires_at: old + 86_400_000, task: { ...generating.task, submitted_at: old } },
    'upstream_timeout',
  ],
])('poll: when a task %s then its run fails, and the task is polled late', async (_, answer, job, code) => {
  const { transition } = await poll(answer, { ...generating, ...job });
  expect(transition).toMatchObject({ kind: 'finish', status: 'failed', error: { code }, latePollMs: 60_000 });
});

test.each([
  ['known since', { ...generating.task, last_polled_at: NOW - 5000 }],
  ['one before it', { ...generating.task, submitted_at: NOW - 20_000 }],
])('poll: when a task is not known, and was not four times before, but %s, then it is asked for again', async (_, task) => {
  const job = { ...generating, task, attempts: Array<Attempt>(4).fill(notFound) };
  expect(kindOf(await poll(state('missing'), job))).toEqual(['poll', '', { waitMs: 15_000 }]);
});

test('poll: when a task is known again that was not then that is written', async () => {
  const found = await poll(state('running', { progress: 0 }), { ...generating, attempts: [notFound] });
  expect(found.transition).toEqual({ kind: 'poll', progress: 0, polls: 2 });
});

test('a call that failed: when its error is not of upstream then it goes on to whoever counts crashes', async () => {
  const deps = { ...nothing, shutdown: { cutting: new AbortController().signal } } as never;
  await expect(afterFailedCall(deps, callOf(IMAGE), 'submit', new TypeError('ours'), io)).rejects.toThrow('ours');
});
