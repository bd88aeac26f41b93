import { type Grsai, GrsaiError, judgeTask, type Output, type TaskState } from '@grsai-jobs/grsai';
import {
  budgetMs,
  decideTask,
  type FailureCode,
  type JobRecord,
  likelyDurationMs,
  nextLookMs,
  type PendingOutput,
  upstreamWaitMs,
  withoutInput,
} from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { done, type Entry, entryId, type Handler, type Outcome } from '@grsai-jobs/queue';
import type { AccountTrouble } from '../pauses/account-trouble.ts';
import { expireRun, FIRST_LATE_LOOK_MS, failRun } from './end-run.ts';
import type { InputObjects } from './input-objects.ts';
import { attemptOf, type Kit, noteAttempt } from './kit.ts';
import type { LearnedPace } from './learned-pace.ts';
import { tellNews } from './news.ts';
import { type KnownTasks, type TaskFacts, taskFacts } from './task-facts.ts';
import { TASK_LIFE_MS } from './task-life.ts';

/** A task is not always visible at once (upstream.md §4, §12 T7). */
const VISIBLE_AFTER_MS = 15_000;
/** `succeeded` without a link is looked at again a few times (upstream.md §12 T9). */
const LOOKS_WITHOUT_LINK = 5;
const LOOK_AGAIN_MS = 5_000;
/** An id that was readable and is not, once, may be a hiccup of a proxy: it is believed after so many looks. */
const LOOKS_WITHOUT_TASK = 5;
const MISSING_AGAIN_MS = 15_000;
/** An input that cannot be read now. */
const INPUT_AGAIN_MS = 15_000;

export interface PollKit extends Kit {
  grsai: Pick<Grsai, 'images'>;
  tasks: KnownTasks;
  pace: LearnedPace;
  trouble: Pick<AccountTrouble, 'judge'>;
  inputs: Pick<InputObjects, 'whole'>;
}

/** poll: asks once, and sleeps in the queue until the next look. No slot, socket or timer is held meanwhile (P5). */
export function createPollStage(kit: PollKit): Handler {
  async function factsOf(entry: Entry): Promise<TaskFacts | null> {
    const cached = kit.tasks.get(entryId(entry));
    if (cached) return cached;
    const record = await readGenerating(kit, entry);
    if (record === null || record.base === null || record.task_id === null) return null;
    const facts = taskFacts(record, {
      base: record.base,
      id: record.task_id,
      submittedAt: record.submitted_at ?? record.created_at,
    });
    kit.tasks.set(entryId(entry), facts);
    return facts;
  }

  return async ({ entry }) => {
    const facts = await factsOf(entry);
    if (facts === null) return done;
    const outcome = await look(kit, facts);
    if (outcome.kind === 'done') kit.tasks.delete(entryId(entry));
    return outcome;
  };
}

/** The record, if this entry still counts. */
async function readGenerating(kit: Kit, entry: Entry): Promise<JobRecord | null> {
  const record = await kit.store.jobs.read(entry.id);
  return record?.step === entry.step && record.status === 'running' && record.stage === 'generating' ? record : null;
}

async function look(kit: PollKit, facts: TaskFacts): Promise<Outcome> {
  const startedAt = kit.clock.now();
  const age = startedAt - facts.submittedAt;
  if (startedAt >= facts.expires_at) return await withRecord(kit, facts, (record) => expireRun(kit, record));
  try {
    const task = await kit.grsai.images.result(facts.taskId, { base: facts.base, signal: kit.shutdown.stopping });
    facts.polls += 1;
    return await settle(kit, facts, task, age);
  } catch (error) {
    if (!(error instanceof GrsaiError)) throw error;
    if (error.code === 'aborted') return { kind: 'wait', ms: 0 };
    if (overBudget(kit, facts)) return await giveUp(kit, facts);
    // Looks are free and always safe to repeat (upstream.md §11.3). The wait is bounded: the result dies two hours after the submit (P3).
    const wait = Math.max(LOOK_AGAIN_MS, upstreamWaitMs(error.retryAfterMs, LOOK_AGAIN_MS));
    kit.metrics.attempts.inc({ stage: 'poll', outcome: 'retry', code: error.code });
    kit.log.warn(
      { event: 'job.look_failed', job_id: facts.id, code: error.code, upstream_status: error.status, retry_in_ms: wait },
      'look failed',
    );
    return { kind: 'wait', ms: wait };
  }
}

async function settle(kit: PollKit, facts: TaskFacts, task: TaskState, age: number): Promise<Outcome> {
  switch (task.status) {
    case 'running':
      return await stillRunning(kit, facts, task, age);
    case 'succeeded':
      return task.outputs.length > 0 ? await takeOutputs(kit, facts, task, age) : await emptyLook(kit, facts, EMPTY.withoutLink);
    case 'missing':
      return age < VISIBLE_AFTER_MS ? { kind: 'wait', ms: 2000 } : await emptyLook(kit, facts, EMPTY.missing);
    case 'violation':
    case 'failed':
      return await taskEnded(kit, facts, task);
  }
}

/** What the caller wrote may stand in upstream's words and proves nothing there, so it is read first, however large. */
async function taskEnded(kit: PollKit, facts: TaskFacts, task: TaskState): Promise<Outcome> {
  const record = await readGenerating(kit, facts);
  if (record === null) return done;
  const doc = await kit.inputs.whole(record.doc, kit.shutdown.stopping).catch((error: unknown) => {
    if (!(error instanceof GrsaiError)) throw error;
    const gone = error.cause instanceof ObjectStoreError && error.cause.code === 'not_found';
    return gone || overBudget(kit, facts) ? record.doc : null;
  });
  if (doc === null) return { kind: 'wait', ms: INPUT_AGAIN_MS };
  await taskFailed(kit, record, judgeTask(task, doc.input));
  return done;
}

async function stillRunning(kit: PollKit, facts: TaskFacts, task: TaskState, age: number): Promise<Outcome> {
  // Its word may be one that nobody knows; the outputs are there all the same.
  if (overBudget(kit, facts)) return await (task.outputs.length > 0 ? takeOutputs(kit, facts, task, age) : giveUp(kit, facts));
  const progress = Math.min(99, Math.round(task.progress ?? 0));
  if (progress > facts.progress) {
    const moved = await kit.store.moves.look(facts, { progress, polls: facts.polls });
    if (moved.kind !== 'ok') return done;
    facts.progress = progress;
    tellNews(kit, facts, { type: 'job.progress', percent: progress });
  }
  facts.runningAtMs = age;
  return { kind: 'wait', ms: nextLookMs(age, kit.pace.durations(facts.kind)) };
}

/** The links die two hours after the submit at the latest, so storing goes first from here on (P3). */
async function takeOutputs(kit: PollKit, facts: TaskFacts, task: TaskState, age: number): Promise<Outcome> {
  const pending = { links: pendingOf(task.outputs), dies_at: facts.submittedAt + TASK_LIFE_MS };
  const moved = await kit.store.moves.outputs(facts, { pending, polls: facts.polls });
  if (moved.kind !== 'ok') return done;
  kit.pace.learn(facts.kind, likelyDurationMs(age, facts.runningAtMs, kit.pace.durations(facts.kind)));
  await kit.producer.enqueueStore({ id: facts.id, step: moved.step });
  return done;
}

/** Links as they are; bytes stay where they are until the store stage asks for them. */
export const pendingOf = (outputs: readonly Output[]): PendingOutput[] =>
  outputs.map((output) => (output.kind === 'link' ? { url: output.url } : {}));

/** Looks that find nothing although there should be something; a few in a row are believed. */
const EMPTY = {
  withoutLink: {
    code: 'no_link',
    looks: LOOKS_WITHOUT_LINK,
    againMs: LOOK_AGAIN_MS,
    message: 'The task succeeded, but no link to its result ever came.',
  },
  missing: {
    code: 'not_found',
    looks: LOOKS_WITHOUT_TASK,
    againMs: MISSING_AGAIN_MS,
    message: 'The upstream no longer knows the task.',
  },
} as const;

async function emptyLook(kit: PollKit, facts: TaskFacts, seen: (typeof EMPTY)[keyof typeof EMPTY]): Promise<Outcome> {
  const record = await readGenerating(kit, facts);
  if (record === null) return done;
  const before = record.attempts.filter((each) => each.run === record.run && each.error_code === seen.code).length;
  const now = kit.clock.now();
  const attempt = attemptOf(record, 'poll', now, now, 'retry', { code: seen.code, base: facts.base });
  noteAttempt(kit, record, attempt, { reason: seen.message });
  const attempts = [...record.attempts, attempt];
  if (before + 1 >= seen.looks || overBudget(kit, facts)) {
    await failRun(kit, record, 'upstream_result_lost', { attempts, message: seen.message, lateLookAt: now + FIRST_LATE_LOOK_MS });
    return done;
  }
  const moved = await kit.store.moves.look(facts, { progress: facts.progress, polls: facts.polls, attempts });
  return moved.kind === 'ok' ? { kind: 'wait', ms: seen.againMs } : done;
}

/** Failed tasks are refunded (upstream.md §10.4), so a passing trouble is worth another submit. */
async function taskFailed(kit: PollKit, record: JobRecord, task: TaskState): Promise<void> {
  const { category = 'unknown', error: detail = '' } = task;
  // What upstream says itself of the key or the credits may concern all; another submit waits with them then.
  if (category === 'auth' || category === 'balance')
    await kit.trouble.judge({ jobId: record.id, reason: category, echo: false, detail: withoutInput(detail, record.doc.input) });
  const verdict = decideTask(category);
  if (verdict.kind === 'fail') return await failLook(kit, record, verdict.code, task);
  if (record.spent >= record.doc.max_attempts) return await failLook(kit, record, 'upstream_failed', task);
  const now = kit.clock.now();
  const waitMs = kit.backoff(record.spent - 1);
  const attempt = attemptOf(record, 'poll', record.submitted_at ?? now, now, 'retry', {
    code: 'upstream_failed',
    base: record.base ?? undefined,
  });
  noteAttempt(kit, record, attempt, { retryInMs: waitMs, ...(task.error ? { reason: task.error } : {}) });
  const moved = await kit.store.moves.again(record, { waitMs, attempts: [...record.attempts, attempt] });
  if (moved.kind === 'ok')
    await kit.producer.enqueue({ ...record, status: 'queued', stage: null, step: moved.step, turn: moved.turn }, waitMs);
}

async function failLook(kit: PollKit, record: JobRecord, code: FailureCode, task: TaskState): Promise<void> {
  const now = kit.clock.now();
  const attempt = attemptOf(record, 'poll', record.submitted_at ?? now, now, 'failed', { code, base: record.base ?? undefined });
  noteAttempt(kit, record, attempt, task.error ? { reason: task.error } : {});
  await failRun(kit, record, code, {
    attempts: [...record.attempts, attempt],
    upstream: { code: task.status, message: task.error?.slice(0, 500), task_id: record.task_id ?? undefined },
  });
}

const overBudget = (kit: PollKit, facts: TaskFacts): boolean =>
  kit.clock.now() - facts.lookedAtSince >= budgetMs(kit.pace.durations(facts.kind));

const giveUp = (kit: PollKit, facts: TaskFacts): Promise<Outcome> =>
  withRecord(kit, facts, (record) =>
    failRun(kit, record, 'upstream_timeout', { lateLookAt: kit.clock.now() + FIRST_LATE_LOOK_MS }),
  );

/** Runs `work` with the whole record, if the entry still counts. */
async function withRecord(kit: PollKit, facts: TaskFacts, work: (record: JobRecord) => Promise<unknown>): Promise<Outcome> {
  const record = await readGenerating(kit, facts);
  if (record !== null) await work(record);
  return done;
}
