import type { Generating, Job, JobDoc, PolledJob, Transition } from '@grsai-jobs/jobs';
import type { Handler, Outcome, QueueName } from '@grsai-jobs/queue';
import { anySignal } from 'any-signal';
import type { AccountTrouble } from '../pauses/account-trouble.ts';
import type { RefusalBrake } from '../pauses/brake.ts';
import type { PauseControl } from '../pauses/pause-control.ts';
import type { UpstreamHealth } from '../pauses/upstream-health.ts';
import type { CancelableCalls } from './cancelable-calls.ts';
import type { CallIo, FreeStage, PaidCall, PaidDecision, PaidStage } from './decision.ts';
import type { Journal } from './journal.ts';
import { logAttempt } from './log.ts';
import { reportByWebhook } from './publish.ts';
import { type Settled, settle } from './settle.ts';
import { type StartDeps, startCall } from './start.ts';
import type { TokenStream, TokenStreams } from './token-streams.ts';
import { untilTaken } from './until-taken.ts';

export interface RunnerDeps extends StartDeps {
  journal: Pick<Journal, 'begun' | 'brought' | 'over'>;
  pauses: Pick<PauseControl, 'pause' | 'waits'>;
  brake: Pick<RefusalBrake, 'answered'>;
  upstream: Pick<UpstreamHealth, 'answered'>;
  trouble: Pick<AccountTrouble, 'passed'>;
}

export interface PaidRunnerDeps extends RunnerDeps {
  inFlight: CancelableCalls;
  tokenStreams: TokenStreams;
  /** Called with each task that upstream has accepted. */
  accepted: (job: Generating) => void;
  /** Reads the whole input of a job whose record does not hold it. */
  inputs: { whole(doc: JobDoc, signal: AbortSignal): Promise<JobDoc> };
  /** Settles a call that did not work; errors that are not upstream's go on to whoever counts crashes. */
  afterFailedCall: (
    call: PaidCall,
    stage: PaidStage['name'],
    error: unknown,
    io: Pick<CallIo, 'canceled'>,
  ) => Promise<PaidDecision>;
}

/** Runs a stage with a paid call: lease → call → decision → log → commit → queue entry. */
export function runPaidStage(d: PaidRunnerDeps, stage: PaidStage): Handler {
  return async ({ entry }) => {
    const cancelable = d.inFlight.open(entry.id);
    try {
      const started = await startCall(d, entry, stage);
      if (started.kind === 'no') return started.outcome;
      return await makeCall(d, stage, started.call, cancelable.signal);
    } finally {
      cancelable.close();
    }
  };
}

async function makeCall(d: PaidRunnerDeps, stage: PaidStage, call: PaidCall, canceled: AbortSignal): Promise<Outcome> {
  d.journal.begun(call.job);
  const stream = d.tokenStreams.open(call.job);
  // An image call is paid for whatever we do, so only a chat is stopped by its caller.
  const byCaller = call.job.doc.type === 'chat';
  const stops = anySignal(byCaller ? [d.shutdown.cutting, canceled] : [d.shutdown.cutting]);
  try {
    const io = ioOf(d, call, stops, () => byCaller && canceled.aborted, stream);
    const decided = await decide(d, stage, call, io);
    stream.close({ whole: decided.streamIsWhole === true, ended: decided.transition?.kind === 'finish' });
    const { outcome, settled } = await carryOut(d, call.job, decided, stage.name, call);
    if (settled?.kind === 'committed' && settled.job.stage === 'generating') d.accepted(settled.job as Generating);
    return outcome;
  } finally {
    stops.clear();
    stream.close({ whole: false, ended: false });
    d.journal.over(call.job);
  }
}

async function decide(d: PaidRunnerDeps, stage: PaidStage, call: PaidCall, io: CallIo): Promise<PaidDecision> {
  let whole = call;
  try {
    whole = { ...call, job: { ...call.job, doc: await d.inputs.whole(call.job.doc, d.shutdown.cutting) } };
    return await stage.decide(whole, io);
  } catch (error) {
    return await d.afterFailedCall(whole, stage.name, error, io);
  }
}

/** Progress of a call is written at most this often. */
const REPORT_EVERY_MS = 5000;
/** The lease of a call whose answer is being stored. Extended once less than 4 min are left, so nobody repeats the call meanwhile. */
const LEASE_MS = 300_000;
const LEASE_LEFT_MS = 240_000;

function ioOf(
  d: RunnerDeps,
  { job, startedAt }: PaidCall,
  signal: AbortSignal,
  canceled: () => boolean,
  stream: TokenStream,
): CallIo {
  let reportedAt = startedAt;
  let leaseUntil = job.lease.expires_at;
  const write = async (t: Extract<Transition, { kind: 'report_progress' }>) => {
    try {
      return (await d.store.transitions.commit(job, t)).kind === 'ok';
    } catch (err) {
      // Progress is written again later, and so is the lease.
      d.log.warn({ event: 'job.progress_not_written', err, job_id: job.id }, 'progress was not written');
      return false;
    }
  };
  return {
    signal,
    canceled,
    report(progress) {
      const now = d.clock.now();
      if (now - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = now;
      void write({ kind: 'report_progress', progress }).then((written) => {
        if (written) reportByWebhook(d, { ...job, webhook: job.doc.webhook }, { type: 'job.progress', percent: progress });
      });
    },
    piece: stream.piece.bind(stream),
    async renewLease() {
      const now = d.clock.now();
      if (leaseUntil - now > LEASE_LEFT_MS) return;
      if (await write({ kind: 'report_progress', progress: job.progress, leaseMs: LEASE_MS })) leaseUntil = now + LEASE_MS;
    },
    untilTaken: (write) => untilTaken(d, { job_id: job.id }, write),
  };
}

/** Runs a stage that costs nothing to repeat: job → decision → log → commit → queue entry. */
export function runFreeStage<J extends PolledJob>(d: RunnerDeps, stage: FreeStage<J>): Handler {
  return async ({ entry }) => {
    const job = await stage.find(entry);
    if (job === null) return { kind: 'done' };
    const decided = await stage.decide(job);
    const { outcome, settled } = await carryOut(d, decided.job ?? job, decided, stage.name);
    stage.settled?.(entry, job, decided, settled?.kind === 'committed' ? settled.transition : null);
    return outcome;
  };
}

/** By the time of Redis what a stage took for over is not: it looks again. */
const EARLY_AGAIN_MS = 5000;

/** Does what a stage has decided. */
async function carryOut(
  d: RunnerDeps,
  job: PolledJob & Partial<Job>,
  decided: PaidDecision,
  stage: QueueName,
  call?: PaidCall,
): Promise<{ outcome: Outcome; settled: Settled<PolledJob & Partial<Job>> | null }> {
  const { transition, entry } = decided;
  logDecision(d, job, decided);
  if (decided.upstreamAccepted) {
    d.upstream.answered();
    d.trouble.passed();
  }
  // Before the entry goes back: what it would meet again stops all first.
  if (decided.pause) await d.pauses.pause(decided.pause.reason, decided.pause.detail);
  const settled = transition === undefined ? null : await settle(d, job, transition);
  if (decided.upstreamAccepted && call !== undefined) await d.brake.answered(call);
  if (typeof entry === 'object' && 'throttleMs' in entry) {
    await d.pauses.waits(stage, entry.throttleMs, decided.reason ?? '');
    return { outcome: { kind: 'throttle', ms: entry.throttleMs }, settled };
  }
  if (settled?.kind === 'dropped' && settled.found.kind === 'early')
    return { outcome: { kind: 'wait', ms: EARLY_AGAIN_MS }, settled };
  const waits = entry !== 'done' && goesOn(transition, settled);
  return { outcome: waits ? { kind: 'wait', ms: entry.waitMs } : { kind: 'done' }, settled };
}

/** The entry goes on with its job when what was wanted is what was done. */
const goesOn = (wanted: Transition | undefined, settled: Settled<unknown> | null): boolean =>
  wanted === undefined || (settled?.kind === 'committed' && settled.transition === wanted);

function logDecision(d: RunnerDeps, job: PolledJob & Partial<Job>, { transition, entry, reason, observed }: PaidDecision): void {
  const retryInMs = typeof entry === 'object' && 'waitMs' in entry ? entry.waitMs : undefined;
  if (observed) {
    const { stage, outcome, error_code: code, upstream_status } = observed;
    d.metrics.attempts.inc({ stage, outcome, code: code ?? '' });
    d.log.debug(
      { event: `job.${stage}_failed`, job_id: job.id, code, upstream_status, retry_in_ms: retryInMs },
      `${stage} failed`,
    );
  }
  const attempt = transition !== undefined && 'attempt' in transition ? transition.attempt : undefined;
  if (attempt === undefined || job.doc === undefined) return;
  const waits = transition !== undefined && 'waitMs' in transition ? transition.waitMs : retryInMs;
  logAttempt(d, job as Job, attempt, { reason, retryInMs: waits });
}
