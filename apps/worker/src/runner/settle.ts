import type { Conflict, TransitionResult } from '@grsai-jobs/job-store';
import {
  type Attempt,
  bringsPaid,
  completionIn,
  endOfCall,
  FIRST_LATE_POLL_MS,
  type Finish,
  type Job,
  type JobRecord,
  type NewAttempt,
  type PolledJob,
  type Reopen,
  type Transition,
} from '@grsai-jobs/jobs';
import { NotLasting } from '@grsai-jobs/redis';
import type { Timers } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import { type Resolution, resolve } from './conflicts.ts';
import { broughtBy } from './decision.ts';
import type { Journal } from './journal.ts';
import { type LogDeps, logEnd } from './log.ts';
import { type PublishDeps, publish, publishAgain, withFirstAttempt } from './publish.ts';
import { type ReassertDeps, reassert } from './reassert.ts';
import { type Shutdown, type Unwritten, untilTaken } from './until-taken.ts';

export interface SettleDeps extends PublishDeps, LogDeps, ReassertDeps {
  store: ReassertDeps['store'] & PublishDeps['store'];
  journal: Pick<Journal, 'brought'>;
  metrics: WorkerMetrics;
  shutdown: Shutdown;
  timers: Timers;
  /** Makes a token that no other process has. */
  newToken: () => string;
}

/** Transitions of whoever holds the lease of a call, when it is over. */
const endsCall = ({ kind }: Transition): boolean =>
  kind === 'release' || kind === 'task_accepted' || kind === 'start_storing' || kind === 'finish';

type Known = PolledJob & Partial<JobRecord>;
type TaskAccepted = Extract<Transition, { kind: 'task_accepted' }>;

/** What a transition came to. `dropped`: somebody else had changed the job, and there was nothing left to be done. */
export type Settled<J> = { kind: 'committed'; job: J; transition: Transition } | { kind: 'dropped'; found: Conflict };

/**
 * Commits a transition and publishes what follows from it. Where somebody else was first, the table of conflicts decides. Whoever comes
 * second changes nothing.
 */
export async function settle<J extends Known>(d: SettleDeps, job: J, wanted: Transition): Promise<Settled<J | Job>> {
  const result = await commitHeld(d, job, wanted);
  if (result.kind === 'ok') {
    // Also an end without a result: a primary that forgets it would have the call made again, and it may have been paid for.
    if (endsCall(wanted) && wanted.kind !== 'release') d.journal.brought(job as J & JobRecord, wanted);
    return await committed(d, result, wanted);
  }
  const as = resolve(wanted, result);
  if (as !== 'finish_canceled') return await resolved(d, job, wanted, result, as);
  const instead = finishCanceled(job, wanted);
  const ended = await commit(d, job, instead);
  if (ended.kind === 'ok') return await committed(d, ended, instead);
  // Whoever thought this worker dead has ended it meanwhile: what was brought meets that end.
  return await resolved(d, job, wanted, ended, resolve(wanted, ended));
}

/** @param as what the table says of it. */
async function resolved<J extends Known>(
  d: SettleDeps,
  job: J,
  wanted: Transition,
  found: Conflict,
  as: Resolution,
): Promise<Settled<Job>> {
  const conflict = { job: job as J & Partial<JobRecord>, wanted, found };
  switch (as) {
    case 'reopen_late':
      return await reopenLate(d, conflict);
    case 'record_task':
      return await recordTask(d, conflict);
    case 'settle_call':
      return await settleCall(d, conflict);
    case 'finish_canceled':
    case 'drop':
      if (broughtBy(wanted, 0) !== null) warnOfResult(d, conflict);
      return { kind: 'dropped', found };
  }
}

/** The commit of a call that a failover has forgotten meanwhile comes once more when its record knows of it again. */
async function commitHeld<J extends Known>(d: SettleDeps, job: J, wanted: Transition): Promise<TransitionResult<J>> {
  const result = await commit(d, job, wanted);
  const { lease } = job;
  if (result.kind === 'ok' || !lease || job.doc === undefined || !endsCall(wanted) || meetsAnother(wanted, result)) return result;
  const held = job as J & JobRecord;
  return (await reassert(d, { ...held, lease })) === 'told' ? await commit(d, job, wanted) : result;
}

/**
 * The next call is in flight, and this one brought nothing: its release may have been written before, while its worker was frozen and the answer
 * lost. It takes the lease of no other from it, else that one would be made, and paid, once more.
 */
const meetsAnother = (wanted: Transition, found: Conflict): boolean =>
  wanted.kind === 'release' && wanted.unstored === undefined && found.kind === 'stale' && found.state === 'running/submitting';

interface Met {
  job: Known;
  wanted: Transition;
  found: Conflict;
}

async function committed<J extends Known>(
  d: SettleDeps,
  result: Extract<TransitionResult<J>, { kind: 'ok' }>,
  transition: Transition,
): Promise<Settled<J>> {
  if (transition.kind === 'finish' && result.job.doc !== undefined) logEnd(d, result.job as J & JobRecord);
  await publish(d, result);
  return { kind: 'committed', job: result.job, transition };
}

/**
 * What was paid for is written until it is taken, and what was written until it lasts; everything else may fail, which has its entry wait or
 * counts as a crash.
 */
function commit<J extends Known>(d: SettleDeps, job: J, transition: Transition): Promise<TransitionResult<J>> {
  const again = bringsPaid(job, transition) ? () => true : (error: unknown) => error instanceof NotLasting;
  return withFirstAttempt(d, job, transition, (attempt) =>
    untilTaken(d, unwritten(job, transition), (token) => d.store.transitions.commit(job, transition, { token, attempt }), again),
  );
}

/** The end of what was in flight when its caller canceled the job. A task that came is kept: it can still be asked for. */
function finishCanceled(job: Known, wanted: Transition): Finish {
  const callEnd = endOfCall(job, wanted);
  const unwanted = completionIn(wanted);
  return {
    kind: 'finish',
    status: 'canceled',
    ...(unwanted === undefined ? {} : { unwanted }),
    ...('attempt' in wanted && wanted.attempt ? { attempt: wanted.attempt } : {}),
    ...('task' in wanted && wanted.task ? { task: wanted.task } : {}),
    ...(wanted.kind === 'task_accepted' && job.price !== null ? { latePollMs: FIRST_LATE_POLL_MS } : {}),
    ...(callEnd === null ? {} : { callEnd }),
  };
}

/** The run was given up for dead while its call was in flight: what that brought is paid for, and a new run goes on with it. */
async function reopenLate(d: SettleDeps, met: Met): Promise<Settled<Job>> {
  const { job, wanted, found } = met;
  // Only whoever holds the lease of the call can say that its run was given up too soon.
  if (!job.lease) return { kind: 'dropped', found };
  const transition = reopening(wanted, d.clock.now(), job.lease.token);
  let current: Job | null | undefined;
  const reopened = await untilTaken(d, unwritten(job, wanted), async (once) => {
    // The same job at each try: after a lost answer it is the one that this very commit has reopened.
    current ??= await d.store.jobs.read(job.id);
    return current && (await d.store.transitions.commit(current, transition, { token: once }));
  });
  if (reopened?.kind === 'ok') {
    d.metrics.late.inc();
    const event = wanted.kind === 'task_accepted' ? 'job.late_task' : 'job.late_result';
    d.log.info({ event, job_id: job.id, run: reopened.job.run }, 'what came after the end of its run reopened the job');
    await publish(d, reopened);
    return { kind: 'committed', job: reopened.job as Job, transition };
  }
  if (wanted.kind === 'task_accepted') return await recordTask(d, met);
  warnOfResult(d, met);
  return { kind: 'dropped', found };
}

function reopening(wanted: Transition, now: number, byLease: string): Reopen {
  const by = { kind: 'reopen', late: true, byLease } as const;
  if (wanted.kind === 'task_accepted') return { ...by, to: 'running/generating', task: wanted.task, aliveMs: wanted.aliveMs };
  const unstored = broughtBy(wanted, now);
  const task = wanted.kind === 'start_storing' && wanted.task ? { task: wanted.task } : {};
  return { ...by, to: 'running/storing', ...(unstored === null ? {} : { unstored }), ...task };
}

/** Whoever made the call says what became of it, after others had given its run up: the credits that it has set aside are unknown no more. */
async function settleCall(d: SettleDeps, met: Met): Promise<Settled<never>> {
  const { job, wanted, found } = met;
  if (broughtBy(wanted, 0) !== null) warnOfResult(d, met);
  const callEnd = endOfCall(job, wanted);
  const unwanted = completionIn(wanted);
  if (job.lease && job.price && callEnd !== null && callEnd !== 'unknown')
    await commit(d, job, { kind: 'settle_call', callEnd, ...(unwanted === undefined ? {} : { unwanted }) });
  return { kind: 'dropped', found };
}

/** A task id that came after its run had ended is never lost: the late polls ask for it. */
async function recordTask(d: SettleDeps, { job, wanted, found }: Met): Promise<Settled<never>> {
  if (wanted.kind !== 'task_accepted') return { kind: 'dropped', found };
  const record: Transition = { kind: 'record_task', task: wanted.task, latePollMs: FIRST_LATE_POLL_MS };
  const recorded = (await commit(d, job, record)).kind === 'ok';
  if (!recorded && (await isOnRecord(d, job.id, wanted))) return { kind: 'dropped', found };
  // Where the caller allowed another submit, the call was taken over and its task is one of two.
  const allowed = job.doc?.on_unknown_submit === 'resubmit';
  d.log[recorded || allowed ? 'warn' : 'error'](
    {
      event: 'job.task_without_run',
      job_id: job.id,
      base: wanted.task.base,
      task_id: wanted.task.id,
      recorded,
      state: stateFound(found),
    },
    'a paid task came after its run had ended',
  );
  return { kind: 'dropped', found };
}

/**
 * The answer to the commit of this very task was lost, and somebody has changed the job since; its queue entry may have been lost too. The task
 * stands there still, or its attempt does: the task has failed since, or the job runs once more.
 */
async function isOnRecord(d: SettleDeps, id: string, { task, attempt }: TaskAccepted): Promise<boolean> {
  const current = await d.store.jobs.read(id);
  if (current === null) return false;
  const stands = current.task?.id === task.id && current.task?.base === task.base;
  if (!stands && !current.attempts.some((each) => isSame(each, attempt))) return false;
  await publishAgain(d, current);
  return true;
}

const isSame = (kept: Attempt, attempt: NewAttempt): boolean =>
  (['stage', 'outcome', 'base', 'started_at', 'ended_at'] as const).every((field) => kept[field] === attempt[field]);

function warnOfResult(d: SettleDeps, { job, found }: Met): void {
  d.log.warn(
    { event: 'job.result_without_run', job_id: job.id, state: stateFound(found) },
    'a result came after its run had ended',
  );
}

const stateFound = (found: Conflict): string => ('state' in found ? found.state : 'missing');

function unwritten({ id }: Known, t: Transition): Unwritten {
  const task = 'task' in t ? t.task : undefined;
  const links = t.kind === 'start_storing' ? t.unstored.links?.flatMap(({ url, stored }) => url ?? stored?.key ?? []) : undefined;
  return {
    job_id: id,
    ...(links === undefined ? {} : { links }),
    ...(task === undefined ? {} : { base: task.base, task_id: task.id }),
  };
}
