import { GrsaiError } from '@grsai-jobs/grsai';
import {
  type Attempt,
  decideCall,
  entryStage,
  type FailureCode,
  type JobError,
  type JobRecord,
  LONGEST_UPSTREAM_WAIT_MS,
  NO_FINISH_REASON,
  type Observation,
  type PauseReason,
  type Pending,
  type State,
  saysOfModel,
  throttleMs,
  throttleWaitMs,
  upstreamWaitMs,
  type Verdict,
  withoutInput,
} from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { done, type Outcome } from '@grsai-jobs/queue';
import type { AccountTrouble } from '../pauses/account-trouble.ts';
import type { RefusalBrake } from '../pauses/brake.ts';
import type { PauseControl } from '../pauses/pause-control.ts';
import type { UpstreamHealth } from '../pauses/upstream-health.ts';
import { endRun, failRun, UPSTREAM_BUSY } from './end-run.ts';
import { attemptOf, type Kit, noteAttempt } from './kit.ts';
import type { PaidCall } from './paid-call.ts';

const OPEN: State = 'running/submitting';

/** The queue is paused with it, so the entry itself need not wait. */
const PAUSED_WAIT_MS = 1000;

/** The rhythm of the probes that end a pause for storage. */
const INPUTS_WAIT_MS = 15_000;

/** A refusal about the key or the credits of which the probe could not tell whether it concerns all: so often it costs no attempt. */
const UNCLEAR = 'probe_failed';
const UNCLEAR_WAIT_MS = 15_000;
const MOST_UNCLEAR = 8;

/** After so many overloads in a run, a quarter of an hour, the job asks less often. */
const LONG_BUSY = 18;

export interface FailedCallKit extends Kit {
  /** Answers false when upstream refuses our key. */
  probeKey: () => Promise<boolean>;
  pauses: PauseControl;
  upstream: UpstreamHealth;
  trouble: Pick<AccountTrouble, 'judge' | 'passed'>;
  brake: RefusalBrake;
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
 * Settles a paid call that did not work, as the retry table says: back to the queue with or without an attempt spent,
 * or the end of the run. Errors that are not the client's go on to whoever counts crashes.
 */
export async function settleFailedCall(
  kit: FailedCallKit,
  call: PaidCall,
  stage: 'call' | 'submit',
  error: unknown,
  canceled?: AbortSignal,
): Promise<Outcome> {
  if (!(error instanceof GrsaiError)) throw error;
  if (error.code === 'body_failed') return await inputsFailed(kit, call, stage, error);
  if (error.code === 'aborted' && canceled?.aborted) return await stoppedByCaller(kit, call, stage);
  // Who answers that there is no such path has not answered as upstream does.
  if (error.suspect !== 'address') kit.upstream.failed(error);
  const cut = error.code === 'aborted' && kit.shutdown.cutting.aborted;
  const verdict = await decide(kit, call.record, error);
  const says = saysOfModel(observationOf(error), verdict);
  if ((await kit.brake.failed(call, { says, error, upstream: upstreamOf(error) })) === 'held')
    return await heldByBrake(kit, call, stage, error);
  const attempt = attemptOf(call.record, stage, call.startedAt, kit.clock.now(), cut ? 'cut' : OUTCOME[verdict.kind], {
    code: codeOf(verdict) ?? error.code,
    status: error.status,
    base: error.base,
  });
  return await apply(kit, call, verdict, attempt, error, cut);
}

/** A large picture or input could not be read back from our own store: nothing was sent, and upstream is not to blame. */
async function inputsFailed(kit: FailedCallKit, call: PaidCall, stage: 'call' | 'submit', error: GrsaiError): Promise<Outcome> {
  const { record } = call;
  await kit.brake.notSent(call);
  const gone = error.cause instanceof ObjectStoreError && error.cause.code === 'not_found';
  const attempt = attemptOf(record, stage, call.startedAt, kit.clock.now(), gone ? 'failed' : 'retry', { code: error.code });
  if (!gone) return await back(kit, call, attempt, { spent: record.spent, waitMs: INPUTS_WAIT_MS });
  noteAttempt(kit, record, attempt, { reason: error.message });
  await failRun(kit, record, 'invalid_input', {
    by: call.token,
    attempts: [...record.attempts, attempt],
    message: `An input${record.doc.stored_input ? '' : ' image'} of this job is no longer in the object store. Send the job again.`,
  });
  return done;
}

/** Upstream refuses all calls like this one with a text that nobody knows: the job waits until one of them passes. */
async function heldByBrake(kit: Kit, call: PaidCall, stage: 'call' | 'submit', error: GrsaiError): Promise<Outcome> {
  const attempt = attemptOf(call.record, stage, call.startedAt, kit.clock.now(), 'retry', {
    code: 'upstream_refusal' satisfies PauseReason,
    status: error.status,
    base: error.base,
  });
  return await back(kit, call, attempt, { spent: call.record.spent, waitMs: PAUSED_WAIT_MS });
}

/** The record says `canceling` and so ends as canceled; when the signal was meant for an older run the call comes again. */
async function stoppedByCaller(kit: FailedCallKit, call: PaidCall, stage: 'call' | 'submit'): Promise<Outcome> {
  await kit.brake.notSent(call);
  const attempt = attemptOf(call.record, stage, call.startedAt, kit.clock.now(), 'cut', { code: 'canceled' });
  return await back(kit, call, attempt, { spent: call.record.spent, waitMs: 0 });
}

const OUTCOME: Readonly<Record<Verdict['kind'], Attempt['outcome']>> = {
  retry: 'retry',
  throttle: 'retry',
  pause: 'retry',
  confirm: 'retry',
  patience: 'retry',
  probe_key: 'unknown',
  unknown: 'unknown',
  fail: 'failed',
};

/** Refusals that outlast a job give it their own code when it expires (design §2). */
const codeOf = (verdict: Verdict): FailureCode | typeof UNCLEAR | typeof UPSTREAM_BUSY | undefined => {
  if (verdict.kind === 'throttle') return 'upstream_rate_limited';
  if (verdict.kind === 'confirm') return UNCLEAR;
  if (verdict.kind === 'patience') return UPSTREAM_BUSY;
  if (verdict.kind !== 'pause') return undefined;
  return verdict.reason === 'upstream' ? 'upstream_unavailable' : `upstream_${verdict.reason}`;
};

/** What is left to be decided by a probe is: `confirm` stays where the probe could not tell. */
async function decide(kit: FailedCallKit, record: JobRecord, error: GrsaiError): Promise<Verdict> {
  const verdict = decideCall(observationOf(error));
  if (verdict.kind === 'probe_key') return (await kit.probeKey()) ? { kind: 'unknown' } : { kind: 'pause', reason: 'auth' };
  if (verdict.kind !== 'confirm') return verdict;
  const { reason, otherwise } = verdict;
  const refusal = {
    jobId: record.id,
    reason,
    echo: error.suspect !== undefined,
    detail: withoutInput(error.message, record.doc.input),
    base: error.base,
  };
  const judged = await kit.trouble.judge(refusal);
  if (judged === 'paused') return { kind: 'pause', reason };
  return judged === 'own' || inARow(record, UNCLEAR) >= MOST_UNCLEAR ? otherwise : verdict;
}

async function apply(
  kit: FailedCallKit,
  call: PaidCall,
  verdict: Verdict,
  attempt: Attempt,
  error: GrsaiError,
  cut: boolean,
): Promise<Outcome> {
  const { record } = call;
  switch (verdict.kind) {
    case 'retry':
      return cut
        ? await back(kit, call, attempt, { spent: record.spent, waitMs: 0 })
        : await again(kit, call, attempt, verdict.exhausted, error);
    case 'throttle': {
      const ms = throttleWaitMs(error.retryAfterMs, inARow(record, 'upstream_rate_limited'));
      await back(kit, call, attempt, { spent: record.spent, waitMs: ms });
      await kit.pauses.waits(entryStage(record.doc), ms, error.message);
      return { kind: 'throttle', ms };
    }
    case 'pause':
      if (error.needsKeyProbe) await kit.pauses.pause(verdict.reason, error.message);
      return await back(kit, call, attempt, { spent: record.spent, waitMs: PAUSED_WAIT_MS });
    case 'patience': {
      const before = inRun(record, UPSTREAM_BUSY);
      const own = before < LONG_BUSY ? throttleMs(before) : LONGEST_UPSTREAM_WAIT_MS;
      const waitMs = Math.max(upstreamWaitMs(error.retryAfterMs, 0), own);
      return await back(kit, call, attempt, { spent: record.spent, waitMs });
    }
    case 'confirm':
      return await back(kit, call, attempt, { spent: record.spent, waitMs: UNCLEAR_WAIT_MS });
    case 'fail':
      return await fail(kit, call, attempt, verdict.code, error, record.spent + 1);
    case 'probe_key':
    case 'unknown':
      return await unknownOutcome(kit, call, attempt, error, cut);
  }
}

/** Another attempt after a back-off, or the end at the last one. */
async function again(kit: Kit, call: PaidCall, attempt: Attempt, exhausted: FailureCode, error: GrsaiError): Promise<Outcome> {
  const spent = call.record.spent + 1;
  if (spent >= call.record.doc.max_attempts) return await fail(kit, call, attempt, exhausted, error, spent);
  return await back(kit, call, attempt, { spent, waitMs: upstreamWaitMs(error.retryAfterMs, kit.backoff(spent - 1)) });
}

/** The caller, or the default of its type, decides what an unknown outcome means (P2). A cut call spends no attempt. */
async function unknownOutcome(kit: Kit, call: PaidCall, attempt: Attempt, error: GrsaiError, cut: boolean): Promise<Outcome> {
  const { record } = call;
  if (record.doc.on_unknown_submit === 'fail')
    return await fail(kit, call, attempt, 'submit_unknown', error, record.spent + 1, true);
  if (cut) return await back(kit, call, attempt, { spent: record.spent, waitMs: 0 });
  return await again(kit, call, attempt, record.doc.type === 'chat' ? 'upstream_unavailable' : 'submit_unknown', error);
}

async function fail(
  kit: Kit,
  call: PaidCall,
  attempt: Attempt,
  code: FailureCode,
  error: GrsaiError,
  spent: number,
  keepSent = false,
): Promise<Outcome> {
  const { record, token: by } = call;
  noteAttempt(kit, record, attempt, { reason: error.message });
  const attempts = [...record.attempts, attempt];
  if (call.instead !== undefined) return await call.instead(attempts);
  // A chat that its caller has given up, and that came to nothing, was canceled; of an image call the caller has to know more.
  const from = record.doc.type === 'chat' ? { from: [OPEN] } : {};
  const moved = await failRun(kit, record, code, { by, attempts, spent, keepSent, upstream: upstreamOf(error), ...from });
  if (moved.kind === 'wrong' && moved.state === 'canceling/submitting')
    await endRun(kit, record, { status: 'canceled', by, attempts });
  return done;
}

/** An answer that may be cut short is kept, and the call is made once more. */
export async function askAgain(kit: Kit, call: PaidCall, pending: Pending): Promise<Outcome> {
  const { record } = call;
  const attempt = attemptOf(record, 'call', call.startedAt, kit.clock.now(), 'retry', { code: NO_FINISH_REASON, status: 200 });
  return await back(kit, call, attempt, { spent: record.spent + 1, waitMs: kit.backoff(record.spent), pending });
}

/** The entry goes back and the job is queued again; a job that was canceled meanwhile ends so. */
async function back(
  kit: Kit,
  call: PaidCall,
  attempt: Attempt,
  o: { spent: number; waitMs: number; pending?: Pending },
): Promise<Outcome> {
  noteAttempt(kit, call.record, attempt, { retryInMs: o.waitMs });
  const attempts = [...call.record.attempts, attempt];
  const moved = await kit.store.moves.refused(call.record, { ...o, by: call.token, attempts });
  if (moved.kind === 'ok') return { kind: 'wait', ms: o.waitMs };
  if (moved.kind === 'wrong' && moved.state === 'canceling/submitting')
    await endRun(kit, call.record, { status: 'canceled', by: call.token, attempts });
  return done;
}

/** How many attempts of this run ended with this code, as far as they are kept. */
const inRun = (record: JobRecord, code: string): number =>
  record.attempts.filter((attempt) => attempt.run === record.run && attempt.error_code === code).length;

/** How many of the last attempts ended with this code. */
const inARow = (record: JobRecord, code: string): number => {
  const fromEnd = [...record.attempts].reverse().findIndex((attempt) => attempt.error_code !== code);
  return fromEnd === -1 ? record.attempts.length : fromEnd;
};
