import { GrsaiError } from '@grsai-jobs/grsai';
import {
  type CallEnd,
  decideCall,
  entryStage,
  type FailureCode,
  type JobError,
  type JobRecord,
  jobError,
  LONGEST_UPSTREAM_WAIT_MS,
  mayRepeatFailed,
  type NewAttempt,
  nextModel,
  type Observation,
  type PauseReason,
  saysOfModel,
  throttleMs,
  throttleWaitMs,
  upstreamWaitMs,
  type Verdict,
  withoutInput,
} from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import type { Backoff, Clock } from '@grsai-jobs/runtime';
import type { AccountTrouble } from '../pauses/account-trouble.ts';
import type { RefusalBrake } from '../pauses/brake.ts';
import type { UpstreamHealth } from '../pauses/upstream-health.ts';
import type { CallIo, Decision, PaidCall, PaidDecision, PaidStage } from '../runner/decision.ts';
import { UPSTREAM_BUSY } from '../runner/expire.ts';
import { earlierAnswer, keepCompletion } from '../runner/kept-answer.ts';
import type { Shutdown } from '../runner/until-taken.ts';
import { attemptAt } from './attempt.ts';

/** The queue is paused with it, so the entry itself need not wait. */
const PAUSED_WAIT_MS = 1000;

/** The rhythm of the probes that end a pause for storage. */
const INPUTS_WAIT_MS = 15_000;

/** A refusal about the key or the credits where the probe could not decide. After 8 of them in a row an attempt is used up. */
const UNCLEAR = 'probe_failed';
const UNCLEAR_WAIT_MS = 15_000;
const MOST_UNCLEAR = 8;

/** After so many overloads in a run, a quarter of an hour, the job asks less often. */
const LONG_BUSY = 18;

export interface FailedCallDeps {
  clock: Clock;
  backoff: Backoff;
  shutdown: Pick<Shutdown, 'cutting'>;
  /** Answers false when upstream refuses our key. */
  probeKey: () => Promise<boolean>;
  upstream: Pick<UpstreamHealth, 'failed'>;
  trouble: Pick<AccountTrouble, 'judge'>;
  brake: Pick<RefusalBrake, 'failed' | 'notSent'>;
}

/** A call that failed, with what is needed to judge it. */
interface Failed {
  call: PaidCall;
  stage: PaidStage['name'];
  error: GrsaiError;
  /** It was cut by a stop of ours. */
  cut: boolean;
}

/** What the client saw, in the words of the retry table. Anything but its own errors is not an answer of upstream. */
const observationOf = (error: GrsaiError): Observation => ({
  outcome: error.outcome,
  category: error.category,
  needsKeyProbe: error.needsKeyProbe,
  suspect: error.suspect,
  busy: error.busy,
  status: error.status,
  retryAfterMs: error.retryAfterMs,
});

const upstreamOf = (error: GrsaiError): NonNullable<JobError['upstream']> => ({
  ...(error.status === undefined ? {} : { status: error.status }),
  code: error.code,
  message: (error.raw ?? error.message).slice(0, 500),
  ...(error.taskId === undefined ? {} : { task_id: error.taskId }),
});

/**
 * Decides what becomes of a paid call that did not work, as the retry table says: back to the queue with or without an attempt used up, or
 * the end of the run. Errors that are not the client's go on to whoever counts crashes.
 */
export async function afterFailedCall(
  d: FailedCallDeps,
  call: PaidCall,
  stage: PaidStage['name'],
  error: unknown,
  io: Pick<CallIo, 'canceled'>,
): Promise<PaidDecision> {
  if (!(error instanceof GrsaiError)) throw error;
  const failed = { call, stage, error, cut: error.code === 'aborted' && d.shutdown.cutting.aborted };
  if (error.code === 'body_failed') return await inputsFailed(d, failed);
  if (error.code === 'aborted' && io.canceled()) return await stoppedByCaller(d, failed);
  // Who answers that there is no such path has not answered as upstream does.
  if (error.suspect !== 'address') d.upstream.failed(error);
  const verdict = await judge(d, call.job, error);
  const says = saysOfModel(observationOf(error), verdict);
  if ((await d.brake.failed(call, { says, error, upstream: upstreamOf(error) })) === 'held') return heldByBrake(d, failed);
  return decisionFor(d, failed, verdict);
}

/** Refusals before any work. */
const UNDONE: ReadonlySet<GrsaiError['category']> = new Set(['auth', 'balance', 'input', 'model', 'rate_limited']);

/** What the call left behind that has to be paid for, as far as its error shows it (upstream.md §11.3). */
function callEndOf({ call: { job }, error }: Pick<Failed, 'call' | 'error'>): CallEnd {
  if (error.outcome === 'not_sent') return 'nothing';
  if (error.outcome === 'unknown') return 'unknown';
  // A completion that says nothing may have been charged.
  if (job.doc.type === 'chat') return error.status === undefined || error.status >= 300 ? 'nothing' : 'unknown';
  if (UNDONE.has(error.category)) return 'nothing';
  const violated = error.category === 'moderation';
  if (error.taskId !== undefined) return violated ? 'violation' : 'failed';
  // An asynchronous submit that names no task has made none; of a synchronous call nobody knows how far it came.
  if (entryStage(job.doc) === 'submit') return 'nothing';
  return violated ? 'perhaps_violation' : 'perhaps_failed';
}

const attemptOf = (d: FailedCallDeps, { call, stage, error }: Failed, outcome: NewAttempt['outcome'], code: string): NewAttempt =>
  attemptAt(stage, call.startedAt, d.clock.now(), outcome, { code, status: error.status, base: error.base });

/** The entry goes back and the job is queued again. Without `attemptsUsed` the attempt costs nothing. */
const back = (
  attempt: NewAttempt,
  waitMs: number,
  failed: Pick<Failed, 'call' | 'error'>,
  attemptsUsed?: number,
  callEnd = callEndOf(failed),
): Decision => ({
  transition: { kind: 'release', attempt, waitMs, callEnd, ...(attemptsUsed === undefined ? {} : { attemptsUsed }) },
  entry: { waitMs },
  reason: failed.error.message,
});

/** A large picture or input could not be read back from our own store: nothing was sent, and upstream is not to blame. */
async function inputsFailed(d: FailedCallDeps, failed: Failed): Promise<Decision> {
  const { call, stage, error } = failed;
  const { job } = call;
  await d.brake.notSent(call);
  const gone = error.cause instanceof ObjectStoreError && error.cause.code === 'not_found';
  const attempt = attemptAt(stage, call.startedAt, d.clock.now(), gone ? 'failed' : 'retry', { code: error.code });
  if (!gone) return back(attempt, INPUTS_WAIT_MS, failed);
  const kept = keepEarlier(d, failed, attempt);
  if (kept !== null) return kept;
  const message = `An input${job.doc.stored_input ? '' : ' image'} of this job is no longer in the object store. Send the job again.`;
  return {
    transition: { kind: 'finish', status: 'failed', error: jobError('invalid_input', job.stage, { message }), attempt },
    entry: 'done',
    reason: error.message,
  };
}

/** Upstream refuses all calls like this one with a text that nobody knows: the job waits until one of them passes. */
const heldByBrake = (d: FailedCallDeps, failed: Failed): Decision =>
  back(attemptOf(d, failed, 'retry', 'upstream_refusal' satisfies PauseReason), PAUSED_WAIT_MS, failed);

/** The record says `canceling` and so ends as canceled; when the signal was meant for an older run the call comes again. */
async function stoppedByCaller(d: FailedCallDeps, failed: Failed): Promise<Decision> {
  const { call, stage } = failed;
  await d.brake.notSent(call);
  return back(attemptAt(stage, call.startedAt, d.clock.now(), 'cut', { code: 'canceled' }), 0, failed);
}

const OUTCOME: Readonly<Record<Verdict['kind'], NewAttempt['outcome']>> = {
  retry: 'retry',
  throttle: 'retry',
  pause: 'retry',
  confirm: 'retry',
  patience: 'retry',
  probe_key: 'unknown',
  unknown: 'unknown',
  fail: 'failed',
};

/** Refusals that outlast a job give it their own code when it expires (design.md §2.8). */
const codeOf = (verdict: Verdict): FailureCode | typeof UNCLEAR | typeof UPSTREAM_BUSY | undefined => {
  if (verdict.kind === 'throttle') return 'upstream_rate_limited';
  if (verdict.kind === 'confirm') return UNCLEAR;
  if (verdict.kind === 'patience') return UPSTREAM_BUSY;
  if (verdict.kind !== 'pause') return undefined;
  return verdict.reason === 'upstream' ? 'upstream_unavailable' : `upstream_${verdict.reason}`;
};

/** What is left to be decided by a probe is: `confirm` stays where the probe gave no answer. */
async function judge(d: FailedCallDeps, job: JobRecord, error: GrsaiError): Promise<Verdict> {
  const verdict = decideCall(observationOf(error));
  if (verdict.kind === 'probe_key') return (await d.probeKey()) ? { kind: 'unknown' } : { kind: 'pause', reason: 'auth' };
  if (verdict.kind !== 'confirm') return verdict;
  const { reason, otherwise } = verdict;
  const judged = await d.trouble.judge({
    jobId: job.id,
    reason,
    echo: error.suspect !== undefined,
    detail: withoutInput(error.message, job.doc.input),
    base: error.base,
  });
  if (judged === 'paused') return { kind: 'pause', reason };
  return judged === 'own' || inARow(job, UNCLEAR) >= MOST_UNCLEAR ? otherwise : verdict;
}

function decisionFor(d: FailedCallDeps, failed: Failed, verdict: Verdict): PaidDecision {
  const { call, error, cut } = failed;
  const { job } = call;
  const attempt = attemptOf(d, failed, cut ? 'cut' : OUTCOME[verdict.kind], codeOf(verdict) ?? error.code);
  switch (verdict.kind) {
    case 'retry':
      return cut ? back(attempt, 0, failed) : again(d, failed, attempt, verdict.exhausted);
    case 'throttle': {
      const throttleMs = throttleWaitMs(error.retryAfterMs, inARow(job, 'upstream_rate_limited'));
      return { ...back(attempt, throttleMs, failed), entry: { throttleMs } };
    }
    case 'pause':
      return {
        // It was the key or the account that was refused, or nobody was there.
        ...back(attempt, PAUSED_WAIT_MS, failed, undefined, 'nothing'),
        ...(error.needsKeyProbe ? { pause: { reason: verdict.reason, detail: error.message } } : {}),
      };
    case 'patience': {
      const before = inRun(job, UPSTREAM_BUSY);
      const own = before < LONG_BUSY ? throttleMs(before) : LONGEST_UPSTREAM_WAIT_MS;
      return back(attempt, Math.max(upstreamWaitMs(error.retryAfterMs, 0), own), failed);
    }
    case 'confirm':
      return back(attempt, UNCLEAR_WAIT_MS, failed);
    case 'fail':
      return (verdict.code === 'model_unavailable' ? orNextModel : fail)(d, failed, attempt, verdict.code);
    case 'probe_key':
    case 'unknown':
      return unknownOutcome(d, failed, attempt);
  }
}

/** Work that failed upstream, and may have to be paid for. */
const FAILED_WORK: ReadonlySet<CallEnd> = new Set(['failed', 'perhaps_failed']);

/** Another attempt after a back-off, or the end at the last one. */
function again(d: FailedCallDeps, failed: Failed, attempt: NewAttempt, exhausted: FailureCode): Decision {
  const { job } = failed.call;
  const used = job.attempts_used + 1;
  const repeats = !FAILED_WORK.has(callEndOf(failed)) || mayRepeatFailed(job);
  if (used >= job.doc.max_attempts || !repeats)
    return (exhausted === 'submit_unknown' ? fail : orNextModel)(d, failed, attempt, exhausted);
  return back(attempt, upstreamWaitMs(failed.error.retryAfterMs, d.backoff(used - 1)), failed, used);
}

/** The caller, or the default of its type, decides what an unknown outcome means (P2). A cut call uses up no attempt. */
function unknownOutcome(d: FailedCallDeps, failed: Failed, attempt: NewAttempt): Decision {
  const { doc } = failed.call.job;
  if (doc.on_unknown_submit === 'fail') return fail(d, failed, attempt, 'submit_unknown', { keepLease: true });
  if (failed.cut) return back(attempt, 0, failed);
  return again(d, failed, attempt, doc.type === 'chat' ? 'upstream_unavailable' : 'submit_unknown');
}

/** The run goes on with the next of its models, if there is one and nothing is paid twice for that. */
function orNextModel(d: FailedCallDeps, failed: Failed, attempt: NewAttempt, code: FailureCode): Decision {
  const { call } = failed;
  const model = earlierAnswer(call.job) === undefined ? nextModel(call.job, callEndOf(failed)) : null;
  if (model === null) return fail(d, failed, attempt, code);
  const callEnd = callEndOf(failed);
  return {
    transition: { kind: 'release', attempt, waitMs: 0, callEnd, model },
    entry: { waitMs: 0 },
    reason: failed.error.message,
  };
}

/** A chat does not fail where there is an answer already: that may be whole, and was paid for. */
function keepEarlier({ clock }: Pick<FailedCallDeps, 'clock'>, failed: Failed, attempt: NewAttempt): Decision | null {
  const { job } = failed.call;
  const kept = earlierAnswer(job);
  if (kept === undefined) return null;
  return { transition: keepCompletion(job, kept, clock.now(), { attempt, callEnd: callEndOf(failed) }), entry: 'done' };
}

function fail(
  d: FailedCallDeps,
  failed: Failed,
  attempt: NewAttempt,
  code: FailureCode,
  more: { keepLease?: true } = {},
): Decision {
  const { call, error } = failed;
  const { job } = call;
  const callEnd = callEndOf(failed);
  const kept = keepEarlier(d, failed, attempt);
  if (kept !== null) return kept;
  return {
    transition: {
      kind: 'finish',
      status: 'failed',
      error: jobError(code, job.stage, { upstream: upstreamOf(error) }),
      attempt,
      attemptsUsed: job.attempts_used + 1,
      ...(more.keepLease ? {} : { callEnd }),
      // A chat that its caller has given up, and that came to nothing, was canceled; of an image call the caller has to know more.
      ...(job.doc.type === 'chat' ? { unlessCanceling: true } : {}),
      ...more,
    },
    entry: 'done',
    reason: error.message,
  };
}

/** How many attempts of this run ended with this code, as far as they are kept. */
const inRun = (job: JobRecord, code: string): number =>
  job.attempts.filter((attempt) => attempt.run === job.run && attempt.error_code === code).length;

/** How many of the last attempts ended with this code. */
const inARow = (job: JobRecord, code: string): number => {
  const fromEnd = [...job.attempts].reverse().findIndex((attempt) => attempt.error_code !== code);
  return fromEnd === -1 ? job.attempts.length : fromEnd;
};
