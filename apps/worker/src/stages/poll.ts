import { type GrsaiApi, GrsaiError, judgeTask, type TaskState } from '@grsai-jobs/grsai';
import type { JobStore } from '@grsai-jobs/job-store';
import {
  budgetMs,
  type CallEnd,
  decideTask,
  type FailureCode,
  FIRST_LATE_POLL_MS,
  type Generating,
  hasExpired,
  type JobDoc,
  jobError,
  likelyDurationMs,
  mayRepeatFailed,
  nextModel,
  nextPollMs,
  TASK_LIFE_MS,
  upstreamWaitMs,
  withoutInput,
} from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { type Entry, entryId } from '@grsai-jobs/queue';
import type { Backoff, Clock } from '@grsai-jobs/runtime';
import type { AccountTrouble } from '../pauses/account-trouble.ts';
import { type Decision, done, type FreeStage } from '../runner/decision.ts';
import { type ExpireDeps, expire } from '../runner/expire.ts';

import type { Shutdown } from '../runner/until-taken.ts';
import { attemptAt } from './attempt.ts';
import { unstoredOf } from './outputs/unstored.ts';
import type { LearnedPace } from './task/learned-pace.ts';
import { type KnownTasks, missesOf, type TaskFacts, taskFacts } from './task/task-facts.ts';
import type { InputObjects } from './upstream/input-objects.ts';

/** A task is not always visible at once (upstream.md §4, §12 T7). */
const VISIBLE_AFTER_MS = 15_000;
const VISIBLE_AGAIN_MS = 2_000;
/** `succeeded` without a link is polled again a few times (upstream.md §12 T9). */
const POLLS_WITHOUT_LINK = 5;
const POLL_AGAIN_MS = 5_000;
/** An id that was readable and is not, once, may be a hiccup of a proxy: it is believed after so many polls. */
const POLLS_WITHOUT_TASK = 5;
const MISSING_AGAIN_MS = 15_000;
/** An input that cannot be read now. */
const INPUT_AGAIN_MS = 15_000;

export interface PollDeps extends ExpireDeps {
  store: ExpireDeps['store'] & { jobs: Pick<JobStore['jobs'], 'read'> };
  grsai: Pick<GrsaiApi, 'images'>;
  tasks: KnownTasks;
  pace: Pick<LearnedPace, 'durations' | 'learn'>;
  trouble: Pick<AccountTrouble, 'judge'>;
  inputs: Pick<InputObjects, 'whole'>;
  clock: Clock;
  random: () => number;
  backoff: Backoff;
  shutdown: Pick<Shutdown, 'stopping'>;
  /** Reports the progress of a task to a caller who asked for it. */
  reportProgress: (task: TaskFacts, percent: number) => void;
}

/** poll: asks for the task once, and sleeps in the queue until the next poll. No slot, socket or timer is held meanwhile (P5). */
export function createPollStage(d: PollDeps): FreeStage<TaskFacts> {
  return {
    name: 'poll',
    find: (entry) => findTask(d, entry),
    decide: (task) => poll(d, task),
    settled(entry, task, { transition, entry: left }, committed) {
      if (committed?.kind === 'poll') task.missed = committed.attempt !== undefined;
      if (committed?.kind === 'poll' && committed.progress > task.progress) {
        task.progress = committed.progress;
        d.reportProgress(task, committed.progress);
      }
      const goesOn = left !== 'done' && (transition === undefined || committed !== null);
      if (!goesOn) d.tasks.delete(entryId(entry));
    },
  };
}

async function findTask(d: PollDeps, entry: Entry): Promise<TaskFacts | null> {
  const known = d.tasks.get(entryId(entry));
  if (known) return known;
  const job = await readGenerating(d, entry);
  if (job === null) return null;
  const facts = taskFacts(job);
  d.tasks.set(entryId(entry), facts);
  return facts;
}

/** The job, if its queue entry still counts. */
async function readGenerating(d: Pick<PollDeps, 'store'>, entry: Pick<Entry, 'id' | 'step'>): Promise<Generating | null> {
  const job = await d.store.jobs.read(entry.id);
  return job?.step === entry.step && job.status === 'running' && job.stage === 'generating' ? job : null;
}

async function poll(d: PollDeps, task: TaskFacts): Promise<Decision> {
  const now = d.clock.now();
  if (hasExpired('running/generating', task.expires_at, now))
    return await withJob(d, task, async (job) => ({ transition: await expire(d, job), entry: 'done' }));
  try {
    const state = await d.grsai.images.result(task.taskId, { base: task.base, signal: d.shutdown.stopping });
    task.polls += 1;
    return await decide(d, task, state, now - task.submittedAt);
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
    if (error.code === 'aborted') return { entry: { waitMs: 0 } };
    if (isOverBudget(d, task)) return await giveUp(d, task);
    // Polls are free and always safe to repeat (upstream.md §11.3). The wait is bounded: the result dies two hours after the submit (P3).
    return {
      entry: { waitMs: Math.max(POLL_AGAIN_MS, upstreamWaitMs(error.retryAfterMs, POLL_AGAIN_MS)) },
      observed: {
        stage: 'poll',
        outcome: 'retry',
        error_code: error.code,
        ...(error.status === undefined ? {} : { upstream_status: error.status }),
      },
    };
  }
}

async function decide(d: PollDeps, task: TaskFacts, state: TaskState, age: number): Promise<Decision> {
  switch (state.status) {
    case 'running':
      return await stillRunning(d, task, state, age);
    case 'succeeded':
      return state.outputs.length > 0 ? takeOutputs(d, task, state, age) : await emptyPoll(d, task, EMPTY.withoutLink);
    case 'missing':
      return age < VISIBLE_AFTER_MS ? { entry: { waitMs: VISIBLE_AGAIN_MS } } : await emptyPoll(d, task, EMPTY.missing);
    case 'violation':
    case 'failed':
      return await withJob(d, task, (job) => taskEnded(d, task, job, state));
  }
}

async function stillRunning(d: PollDeps, task: TaskFacts, state: TaskState, age: number): Promise<Decision> {
  // Its word may be one that nobody knows; the outputs are there all the same.
  if (isOverBudget(d, task)) return state.outputs.length > 0 ? takeOutputs(d, task, state, age) : await giveUp(d, task);
  const progress = Math.min(99, Math.round(state.progress ?? 0));
  task.runningAtMs = age;
  const entry = { waitMs: nextPollMs(age, d.pace.durations(task.kind), d.random) };
  const isNews = progress > task.progress || task.missed;
  return isNews ? { transition: { kind: 'poll', progress, polls: task.polls }, entry } : { entry };
}

/** The links die two hours after the submit at the latest, so storing goes first from here on (P3). */
function takeOutputs(d: PollDeps, task: TaskFacts, state: TaskState, age: number): Decision {
  const took = likelyDurationMs(age, task.runningAtMs, d.pace.durations(task.kind), d.random);
  if (took !== null) d.pace.learn(task.kind, took);
  const unstored = { links: unstoredOf(state.outputs), dies_at: task.submittedAt + TASK_LIFE_MS };
  return { transition: { kind: 'start_storing', unstored, polls: task.polls }, entry: 'done' };
}

/** Polls that find nothing although there should be something; a few in a row are believed. */
const EMPTY = {
  withoutLink: {
    code: 'no_link',
    polls: POLLS_WITHOUT_LINK,
    againMs: POLL_AGAIN_MS,
    message: 'The task succeeded, but no link to its result ever came.',
    ended: { callEnd: 'made' },
  },
  missing: {
    code: 'not_found',
    polls: POLLS_WITHOUT_TASK,
    againMs: MISSING_AGAIN_MS,
    message: 'The upstream no longer knows the task.',
    ended: {},
  },
} as const;

const emptyPoll = (d: PollDeps, task: TaskFacts, seen: (typeof EMPTY)[keyof typeof EMPTY]): Promise<Decision> =>
  withJob(d, task, async (job) => {
    const before = missesOf(job).filter(({ error_code }) => error_code === seen.code).length;
    const now = d.clock.now();
    const attempt = attemptAt('poll', now, now, 'retry', { code: seen.code, base: task.base });
    if (before + 1 < seen.polls && !isOverBudget(d, task))
      return {
        transition: { kind: 'poll', progress: task.progress, polls: task.polls, attempt },
        entry: { waitMs: seen.againMs },
        reason: seen.message,
      };
    const error = jobError('upstream_result_lost', job.stage, { message: seen.message });
    return {
      transition: {
        kind: 'finish',
        status: 'failed',
        error,
        attempt,
        latePollMs: FIRST_LATE_POLL_MS,
        ...seen.ended,
      },
      entry: 'done',
      reason: seen.message,
    };
  });

/** What the caller wrote may stand in upstream's words and proves nothing there, so it is read first, however large. */
async function taskEnded(d: PollDeps, task: TaskFacts, job: Generating, state: TaskState): Promise<Decision> {
  const doc = await wholeDoc(d, task, job);
  return doc === null ? { entry: { waitMs: INPUT_AGAIN_MS } } : await taskFailed(d, job, judgeTask(state, doc.input));
}

/** `null`: it cannot be read now, and there is time to try again. */
const wholeDoc = (d: PollDeps, task: TaskFacts, { doc }: Generating): Promise<JobDoc | null> =>
  d.inputs.whole(doc, d.shutdown.stopping).catch((error: unknown) => {
    if (!(error instanceof GrsaiError)) throw error;
    const gone = error.cause instanceof ObjectStoreError && error.cause.code === 'not_found';
    return gone || isOverBudget(d, task) ? doc : null;
  });

/** Failed tasks are refunded (upstream.md §10.4) but on some tiers, so a passing trouble is worth another submit. */
async function taskFailed(d: PollDeps, job: Generating, state: TaskState): Promise<Decision> {
  const { category = 'unknown', error: said = '' } = state;
  // What upstream says itself of the key or the credits may concern all; another submit waits with them then.
  if (category === 'auth' || category === 'balance')
    await d.trouble.judge({ jobId: job.id, reason: category, echo: false, detail: withoutInput(said, job.doc.input) });
  const verdict = decideTask(category);
  const callEnd = callEndOf(state);
  const again = (waitMs: number, model?: number): Decision => ({
    transition: {
      kind: 'resubmit',
      attempt: attemptAt('poll', job.task.submitted_at, d.clock.now(), 'retry', { code: 'upstream_failed', base: job.task.base }),
      callEnd,
      waitMs,
      ...(model === undefined ? {} : { model }),
    },
    entry: 'done',
    ...(state.error ? { reason: state.error } : {}),
  });
  if (verdict.kind === 'again' && job.attempts_used < job.doc.max_attempts && mayRepeatFailed(job))
    return again(d.backoff(job.attempts_used - 1));
  const code = verdict.kind === 'again' ? 'upstream_failed' : verdict.code;
  const model = verdict.kind === 'again' || code === 'model_unavailable' ? nextModel(job, callEnd) : null;
  return model === null ? failed(d, job, code, state) : again(0, model);
}

/** A failed task whose words are about the policy may be charged as what it is not called. */
const callEndOf = ({ status, category }: TaskState): CallEnd => {
  if (status === 'violation') return 'violation';
  return category === 'moderation' ? 'perhaps_violation' : 'failed';
};

function failed(d: PollDeps, job: Generating, code: FailureCode, state: TaskState): Decision {
  const { status, error: said } = state;
  const { base, id, submitted_at } = job.task;
  const upstream = { code: status, message: said?.slice(0, 500), task_id: id };
  return {
    transition: {
      kind: 'finish',
      status: 'failed',
      error: jobError(code, job.stage, { upstream }),
      attempt: attemptAt('poll', submitted_at, d.clock.now(), 'failed', { code, base }),
      callEnd: callEndOf(state),
    },
    entry: 'done',
    ...(said ? { reason: said } : {}),
  };
}

const isOverBudget = (d: PollDeps, task: TaskFacts): boolean =>
  d.clock.now() - task.polledSince >= budgetMs(d.pace.durations(task.kind));

const giveUp = (d: PollDeps, task: TaskFacts): Promise<Decision> =>
  withJob(d, task, async (job) => ({
    transition: {
      kind: 'finish',
      status: 'failed',
      error: jobError('upstream_timeout', job.stage),
      notBefore: task.polledSince + budgetMs(d.pace.durations(task.kind)),
      latePollMs: FIRST_LATE_POLL_MS,
    },
    entry: 'done',
  }));

/** Decides with the whole record, if the queue entry still counts. */
async function withJob(d: PollDeps, task: TaskFacts, decideOn: (job: Generating) => Promise<Decision>): Promise<Decision> {
  const job = await readGenerating(d, task);
  return job === null ? done : { job, ...(await decideOn(job)) };
}
