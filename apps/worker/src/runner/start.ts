import type { AccountLimits, JobStore, MemoryWatch, StartedCall } from '@grsai-jobs/job-store';
import { type JobRecord, jobError, type NewAttempt, nextModel, type Transition, withAttempt } from '@grsai-jobs/jobs';
import type { Entry, Outcome } from '@grsai-jobs/queue';
import { type PaidCall, type PaidStage, READ_INPUT_MS } from './decision.ts';
import { type ExpireDeps, expire } from './expire.ts';
import { earlierAnswer, keepCompletion } from './kept-answer.ts';
import { logAttempt } from './log.ts';
import { publishLetIn, reportByWebhook } from './publish.ts';
import { type SettleDeps, settle } from './settle.ts';

export interface StartDeps extends SettleDeps, ExpireDeps {
  store: SettleDeps['store'] &
    ExpireDeps['store'] & {
      transitions: Pick<JobStore['transitions'], 'commit' | 'startCall'>;
      brakes: Pick<JobStore['brakes'], 'saidNothing'>;
    };
  memory: Pick<MemoryWatch, 'critical'>;
  /** Paid calls are closed, since another Redis has become the primary. */
  onRecovering: () => void;
  /** What the account may have at once. */
  limits: () => AccountLimits;
}

/** A call that may go out, or what becomes of its queue entry when it must not. */
export type Started = { kind: 'go'; call: PaidCall } | { kind: 'no'; outcome: Outcome };

const no = (outcome: Outcome): Started => ({ kind: 'no', outcome });
const DONE = no({ kind: 'done' });
const wait = (ms: number): Started => no({ kind: 'wait', ms });
const throttle = (ms: number): Started => no({ kind: 'throttle', ms });

/**
 * Takes the lease of a paid call, or says how its queue entry is left: another holder's call is in flight, its outcome is unknown, the job
 * has changed or expired, or the account has no room.
 */
export async function startCall(d: StartDeps, entry: Entry, stage: PaidStage): Promise<Started> {
  // On a nearly full Redis nothing is begun whose entries could not be added afterwards.
  if (d.memory.critical()) return throttle(1000);
  const token = d.newToken();
  const begunAt = d.timers.elapsed();
  const started = await d.store.transitions.startCall(entry, lease(token, stage), d.limits());
  if ('letIn' in started) await publishLetIn(d, started.letIn);
  switch (started.kind) {
    case 'ok':
      return await inTime(d, started, begunAt);
    case 'unsafe':
      return await giveBack(d, started);
    case 'recovering':
      d.onRecovering();
      return throttle(RECOVERING_WAIT_MS);
    case 'suspect':
      return wait(SUSPECT_WAIT_MS);
    case 'budget':
    case 'stale':
    case 'parked':
      return DONE;
    case 'full':
      return wait(started.ms);
    case 'wait':
      return throttle(started.ms);
    case 'braked':
    case 'unwaited':
      // Only this entry waits: jobs of other models go on.
      return wait(started.ms);
    case 'expired':
      await settle(d, started.job, await expire(d, started.job));
      return DONE;
    case 'canceling':
      return await endCanceled(d, started.job);
    case 'held':
      if (isCanceledChat(started.job)) return await endCanceled(d, started.job);
      return isRepeatable(started.job) ? await takeOver(d, entry, started.job, stage, { isOver: false }) : wait(started.ms);
    case 'unknown':
      return await afterLostCall(d, entry, started.job, stage);
  }
}

/** Paid calls are closed for seconds, and for half a minute when a worker is gone. */
const RECOVERING_WAIT_MS = 500;
/** Whoever decides on a suspect wakes its entry. */
const SUSPECT_WAIT_MS = 10 * 60_000;

const lease = (token: string, { limitMs }: PaidStage) => ({ token, limitMs, inputMs: READ_INPUT_MS });

/** A chat call leaves nothing upstream to lose, so the next call need not wait for the end of a dead one. */
export const isRepeatable = (job: JobRecord): boolean =>
  job.status !== 'canceling' && job.doc.type === 'chat' && job.doc.on_unknown_submit === 'resubmit';

/** An answer of Redis that took longer has used up too much of LEASE_SLACK_MS, by which the lease outlasts its call. */
const STALE_ANSWER_MS = 5000;

/**
 * A call that begins too late could still be in flight when others believe it dead. Nothing was sent yet, so the entry goes back without
 * an attempt used up.
 */
async function inTime(d: StartDeps, { job, refusals }: Extract<StartedCall, { kind: 'ok' }>, begunAt: number): Promise<Started> {
  if (d.timers.elapsed() - begunAt <= STALE_ANSWER_MS) {
    reportByWebhook(d, { ...job, webhook: job.doc.webhook }, { type: 'job.started' });
    return { kind: 'go', call: { job, startedAt: d.clock.now(), refusals } };
  }
  return await giveBack(d, { job, refusals }, 0);
}

/** After a lease that may not last: so long a replica may need to be in step again. */
const NOT_LASTING_WAIT_MS = 2000;

/** Nothing was sent: the lease goes back, and the entry waits without an attempt used up. */
async function giveBack(
  d: StartDeps,
  { job, refusals }: Pick<Extract<StartedCall, { kind: 'ok' }>, 'job' | 'refusals'>,
  waitMs = NOT_LASTING_WAIT_MS,
): Promise<Started> {
  // When it was the job that went ahead of those that wait for a brake, another may.
  if (refusals !== null && refusals.brakes.length > 0) await d.store.brakes.saidNothing(job.lease.token);
  return await queueAgain(d, job, { kind: 'release', waitMs, unsent: true });
}

/** Nobody waits for the answer of this chat, so nobody waits for the call of a dead worker either. */
const isCanceledChat = (job: JobRecord): boolean => job.status === 'canceling' && job.doc.type === 'chat';

/** Its caller has canceled the job while its call was in flight, or the batch of which it is a line. */
async function endCanceled(d: StartDeps, job: JobRecord): Promise<Started> {
  await settle(d, job, { kind: 'finish', status: 'canceled', keepLease: true });
  return DONE;
}

/** The worker of the call died or froze, and the time of the call is over: its outcome is unknown. */
async function afterLostCall(d: StartDeps, entry: Entry, job: JobRecord, stage: PaidStage): Promise<Started> {
  if (job.status === 'canceling') return await endCanceled(d, job);
  if (job.doc.on_unknown_submit === 'resubmit') return await takeOver(d, entry, job, stage, { isOver: true });
  return await fail(d, job, stage, 'submit_unknown');
}

/** Where there is no room for the call in whose place another is to be made. */
const NO_ROOM_WAIT_MS = 1000;

/**
 * Uses up an attempt on the lost call and starts the next one in its place.
 *
 * @param o.isOver nobody can be making the lost call any more.
 */
async function takeOver(d: StartDeps, entry: Entry, job: JobRecord, stage: PaidStage, o: { isOver: boolean }): Promise<Started> {
  const attemptsUsed = job.attempts_used + 1;
  const attempt = lostAttempt(d, job, stage);
  if (attemptsUsed >= job.doc.max_attempts) return await afterLastAttempt(d, job, stage, attempt);
  const begunAt = d.timers.elapsed();
  const over = { token: job.lease?.token ?? '', attempts: withAttempt(job, attempt), attemptsUsed };
  const started = await d.store.transitions.startCall(entry, { ...lease(d.newToken(), stage), over }, d.limits());
  // Its time is over, its tenant has no credits for it, or the account no room: it waits as others do, in its turn, until there is room or it
  // expires.
  const isQueued = o.isOver && (started.kind === 'expired' || started.kind === 'budget' || started.kind === 'full');
  if (isQueued || started.kind === 'ok' || started.kind === 'unsafe')
    logAttempt(d, job, attempt, { reason: 'the worker of this call died' });
  if (started.kind === 'ok') return await inTime(d, started, begunAt);
  if (started.kind === 'unsafe') return await giveBack(d, started);
  if (!isQueued) return started.kind === 'wait' ? throttle(started.ms) : wait(NO_ROOM_WAIT_MS);
  return await queueAgain(d, job, { kind: 'release', attempt, attemptsUsed, waitMs: NO_ROOM_WAIT_MS, callEnd: 'unknown' });
}

/** A chat goes on with its next model, as where upstream loses the answer to its last call. */
async function afterLastAttempt(d: StartDeps, job: JobRecord, stage: PaidStage, attempt: NewAttempt): Promise<Started> {
  if (job.doc.type !== 'chat') return await fail(d, job, stage, 'submit_unknown');
  const model = earlierAnswer(job) === undefined ? nextModel(job, 'unknown') : null;
  if (model === null) return await fail(d, job, stage, 'upstream_unavailable');
  logAttempt(d, job, attempt, { reason: 'the worker of this call died' });
  return await queueAgain(d, job, { kind: 'release', attempt, waitMs: 0, callEnd: 'unknown', model });
}

async function queueAgain(d: StartDeps, job: JobRecord, release: Extract<Transition, { kind: 'release' }>): Promise<Started> {
  const settled = await settle(d, job, release);
  return settled.kind === 'committed' && settled.transition.kind === 'release' ? wait(release.waitMs) : DONE;
}

async function fail(
  d: StartDeps,
  job: JobRecord,
  stage: PaidStage,
  code: 'submit_unknown' | 'upstream_unavailable',
): Promise<Started> {
  const attempt = lostAttempt(d, job, stage);
  logAttempt(d, job, attempt, { reason: 'the worker of this call died' });
  const error = jobError(code, job.stage ?? 'queued');
  // It does not fail where there is an answer already, which was paid for.
  const kept = earlierAnswer(job);
  if (kept !== undefined) {
    await settle(d, job, keepCompletion(job, kept, d.clock.now(), { attempt, callEnd: 'unknown' }));
    return DONE;
  }
  await settle(d, job, {
    kind: 'finish',
    status: 'failed',
    error,
    attempt,
    attemptsUsed: job.attempts_used + 1,
    keepLease: true,
  });
  return DONE;
}

function lostAttempt({ clock }: Pick<StartDeps, 'clock'>, job: JobRecord, stage: PaidStage): NewAttempt {
  const now = clock.now();
  return {
    stage: stage.name,
    started_at: job.lease?.acquired_at ?? now,
    ended_at: now,
    outcome: 'unknown',
    error_code: 'submit_unknown',
  };
}
