import { randomUUID } from 'node:crypto';
import type { Grsai } from '@grsai-jobs/grsai';
import type { AccountLimits, Moved } from '@grsai-jobs/job-store';
import { budgetMs, type JobRecord, nextLookMs } from '@grsai-jobs/jobs';
import { done, type Handler } from '@grsai-jobs/queue';
import { endRun } from './end-run.ts';
import { type FailedCallKit, settleFailedCall } from './failed-call.ts';
import { attemptOf, noteAttempt } from './kit.ts';
import { openPaidCall, type PaidCall } from './paid-call.ts';
import { imageTask } from './upstream-bodies.ts';

/**
 * The whole of an asynchronous submit, so that it always ends inside a stop (P6). The limits of the client (10 s without
 * progress of the upload, 15 s to the answer, design §4) mostly end it sooner.
 */
const SUBMIT_LIMIT_MS = 21_000;

/** A task id dies two hours after its submit (grsai-api §10.1). */
export const TASK_LIFE_MS = 2 * 3600 * 1000;

export interface SubmitKit extends FailedCallKit {
  grsai: Pick<Grsai, 'images'>;
  limits: AccountLimits;
}

/** submit: hands an image task to upstream and keeps its id before anything else. */
export function createSubmitStage(kit: SubmitKit): Handler {
  return async ({ entry }) => {
    const call = await openPaidCall(kit, entry, { stage: 'submit', limitMs: SUBMIT_LIMIT_MS, limits: kit.limits });
    if (!('record' in call)) return call;
    try {
      const taken = await kit.grsai.images.submit(imageTask(call.record.doc), { signal: AbortSignal.timeout(SUBMIT_LIMIT_MS) });
      kit.upstream.answered();
      await keepTask(kit, call, taken);
      return done;
    } catch (error) {
      return await settleFailedCall(kit, call, 'submit', error);
    }
  };
}

/** The task exists and is paid for: its id is written until Redis takes it, and a stop waits for that (design §2). */
async function keepTask(kit: SubmitKit, call: PaidCall, taken: { id: string; base: string }): Promise<void> {
  const { record, token } = call;
  const now = kit.clock.now();
  const attempt = attemptOf(record, 'submit', call.startedAt, now, 'accepted', { base: taken.base });
  noteAttempt(kit, record, attempt);
  const firstLookMs = nextLookMs(0);
  const order = {
    by: token,
    token: randomUUID(),
    base: taken.base,
    taskId: taken.id,
    firstLookMs,
    aliveUntil: now + budgetMs(),
    attempts: [...record.attempts, attempt],
  };
  const moved = await untilTaken(kit, record, () => kit.store.moves.accepted(record, order));
  if (moved.kind === 'ok') {
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
  const current = await kit.store.jobs.read(record.id);
  if (moved.kind === 'wrong' && moved.state === 'failed' && current?.error?.code === 'submit_unknown') {
    const reopened = await untilTaken(kit, record, (once) =>
      kit.store.moves.reopen(current, {
        to: 'running/generating',
        by: token,
        token: once,
        late: true,
        set: facts,
        aliveUntil: kit.clock.now() + budgetMs(),
      }),
    );
    if (reopened.kind === 'ok') {
      kit.log.warn({ event: 'job.late_task', job_id: record.id, run: current.run + 1 }, 'a late task id reopened the job');
      await kit.producer.enqueue({
        ...current,
        status: 'running',
        stage: 'generating',
        step: reopened.step,
        turn: reopened.turn,
      });
      return;
    }
  }
  kit.log.error(
    { event: 'job.task_without_job', job_id: record.id, base: taken.base, state: 'state' in moved ? moved.state : 'missing' },
    'a paid task has no run to belong to',
  );
}

/** Tries a write until Redis takes it; the token makes the tries one. */
async function untilTaken(kit: SubmitKit, record: JobRecord, write: (once: string) => Promise<Moved>): Promise<Moved> {
  const once = randomUUID();
  for (let n = 0; ; n += 1) {
    try {
      return await write(once);
    } catch (err) {
      kit.log.error(
        { event: 'job.task_not_written', err, job_id: record.id, tries: n + 1 },
        'Redis did not take a paid task id, trying again',
      );
      await new Promise((resolve) => setTimeout(resolve, Math.min(2000, 100 * 2 ** n)));
    }
  }
}
