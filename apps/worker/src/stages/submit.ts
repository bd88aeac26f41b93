import type { Grsai, ImageTask, Output, Submitted } from '@grsai-jobs/grsai';
import type { AccountLimits, Moved } from '@grsai-jobs/job-store';
import { budgetMs, durationKind, nextLookMs } from '@grsai-jobs/jobs';
import { done, entryId, type Handler } from '@grsai-jobs/queue';
import { endRun, FIRST_LATE_LOOK_MS } from './end-run.ts';
import { type FailedCallKit, settleFailedCall } from './failed-call.ts';
import type { InputObjects } from './input-objects.ts';
import { attemptOf, noteAttempt } from './kit.ts';
import type { LearnedPace } from './learned-pace.ts';
import { openPaidCall, type PaidCall, withInput } from './paid-call.ts';
import { keepOutputs, type PaidOutputsKit } from './paid-outputs.ts';
import { type KnownTasks, taskFacts } from './task-facts.ts';
import { type Unwritten, untilTaken } from './until-taken.ts';
import { imageTask } from './upstream-bodies.ts';

/**
 * The whole of an asynchronous submit, so that it always ends inside a stop (P6). The limits of the client (10 s without
 * progress of the upload, 15 s to the answer, design §4) mostly end it sooner.
 */
const SUBMIT_LIMIT_MS = 21_000;

export interface SubmitKit extends FailedCallKit, PaidOutputsKit {
  grsai: Pick<Grsai, 'images'>;
  limits: AccountLimits;
  tasks: KnownTasks;
  pace: LearnedPace;
  inputs: InputObjects;
}

/** submit: hands an image task to upstream and keeps its id before anything else. */
export function createSubmitStage(kit: SubmitKit): Handler {
  return async ({ entry }) => {
    const opened = await openPaidCall(kit, entry, { stage: 'submit', limitMs: SUBMIT_LIMIT_MS, limits: kit.limits });
    if (!('record' in opened)) return opened;
    let call = opened;
    try {
      call = await withInput(kit, call);
      // A stop that is shorter than a submit cuts it, so that its outcome is at least written down.
      const signal = AbortSignal.any([AbortSignal.timeout(SUBMIT_LIMIT_MS), kit.shutdown.cutting]);
      const task = await kit.inputs.into<ImageTask>(imageTask(call.record.doc), { replyType: 'async' });
      const taken = await kit.grsai.images.submit(task, { signal, supplied: call.record.doc.input });
      kit.upstream.answered();
      kit.trouble.passed();
      await (taken.outputs === undefined ? keepTask(kit, call, taken) : keepDone(kit, call, taken, taken.outputs));
      await kit.brake.answered(call);
      return done;
    } catch (error) {
      return await settleFailedCall(kit, call, 'submit', error);
    }
  };
}

/** The answer says that the task is done and brings what it made: there is nothing to wait for, and maybe nothing to ask. */
async function keepDone(kit: SubmitKit, call: PaidCall, taken: Submitted, outputs: readonly Output[]): Promise<void> {
  const { id, base } = taken;
  const attempt = attemptOf(call.record, 'submit', call.startedAt, kit.clock.now(), 'accepted', { base });
  noteAttempt(kit, call.record, attempt);
  const task = id === '' ? undefined : { id, base };
  await keepOutputs(kit, call, outputs, { attempts: [...call.record.attempts, attempt], task });
}

const unwritten = ({ record }: PaidCall, task: { id: string; base: string }): Unwritten => ({
  job_id: record.id,
  base: task.base,
  task_id: task.id,
});

/** The task exists and is paid for: its id is written until Redis takes it, and a stop waits for that (design §2). */
async function keepTask(kit: SubmitKit, call: PaidCall, taken: { id: string; base: string }): Promise<void> {
  const { record, token } = call;
  const now = kit.clock.now();
  const attempt = attemptOf(record, 'submit', call.startedAt, now, 'accepted', { base: taken.base });
  noteAttempt(kit, record, attempt);
  const known = kit.pace.durations(durationKind(record.doc));
  const firstLookMs = nextLookMs(0, known);
  const order = {
    by: token,
    base: taken.base,
    taskId: taken.id,
    firstLookMs,
    aliveUntil: now + budgetMs(known),
    attempts: [...record.attempts, attempt],
  };
  const moved = await untilTaken(kit, unwritten(call, taken), (once) =>
    kit.store.moves.accepted(record, { ...order, token: once }),
  );
  if (moved.kind === 'ok') {
    const task = { base: taken.base, id: taken.id, submittedAt: now, step: moved.step };
    kit.tasks.set(entryId({ id: record.id, step: moved.step }), taskFacts({ ...record, polls: 0 }, task));
    await kit.producer.enqueue({ ...record, stage: 'generating', step: moved.step, turn: moved.turn }, firstLookMs);
    return;
  }
  await keepLateTask(kit, call, taken, moved);
}

/** The job has moved on while the call was open: canceled, or given up by a worker that thought us dead. */
async function keepLateTask(kit: SubmitKit, call: PaidCall, taken: { id: string; base: string }, moved: Moved): Promise<void> {
  const { record, token } = call;
  const facts = { base: taken.base, task: taken.id, sub: kit.clock.now() };
  if (moved.kind === 'wrong' && moved.state === 'canceling/submitting') {
    await endRun(kit, record, { status: 'canceled', by: token, set: facts });
    return;
  }
  if (moved.kind === 'wrong' && moved.state === 'failed' && (await reopenWithTask(kit, call, facts))) return;
  const lookAt = kit.clock.now() + FIRST_LATE_LOOK_MS;
  const kept = await untilTaken(kit, unwritten(call, taken), () =>
    kit.store.moves.keepTask(record, { by: token, base: taken.base, taskId: taken.id, submittedAt: facts.sub, lookAt }),
  );
  const fields = {
    event: 'job.task_without_run',
    job_id: record.id,
    base: taken.base,
    kept,
    state: 'state' in moved ? moved.state : 'missing',
  };
  // Where the caller allowed another submit, the call was taken over and its task is one of two.
  const allowed = record.doc.on_unknown_submit === 'resubmit';
  kit.log[kept || allowed ? 'warn' : 'error'](fields, 'a paid task came after its run had ended');
}

/** The run was given up for dead while its submit was open: the task id proves otherwise (design §2, `late_result`). */
async function reopenWithTask(
  kit: SubmitKit,
  call: PaidCall,
  facts: { base: string; task: string; sub: number },
): Promise<boolean> {
  const { record, token: by } = call;
  const aliveUntil = kit.clock.now() + budgetMs(kit.pace.durations(durationKind(record.doc)));
  const reopened = await untilTaken(kit, unwritten(call, { id: facts.task, base: facts.base }), async (token) => {
    const current = await kit.store.jobs.read(record.id);
    if (current === null) return null;
    const to = 'running/generating' as const;
    return { current, moved: await kit.store.moves.reopen(current, { to, by, token, late: true, set: facts, aliveUntil }) };
  });
  if (reopened?.moved.kind !== 'ok') return false;
  const { current, moved } = reopened;
  kit.log.warn({ event: 'job.late_task', job_id: record.id, run: record.run + 1 }, 'a late task id reopened the job');
  await kit.producer.enqueue({ ...current, status: 'running', stage: 'generating', step: moved.step, turn: moved.turn });
  return true;
}
