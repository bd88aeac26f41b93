import { type ChatCompletion, type GrsaiApi, isEmptyCompletion, sizeOf } from '@grsai-jobs/grsai';
import { decideUnfinished, type NewAttempt, NO_FINISH_REASON } from '@grsai-jobs/jobs';
import type { Backoff, Clock } from '@grsai-jobs/runtime';
import type { PauseControl } from '../pauses/pause-control.ts';
import type { CallIo, Decision, PaidCall, PaidStage } from '../runner/decision.ts';
import { earlierAnswer, keepCompletion, unstoredOf } from '../runner/kept-answer.ts';
import { attemptAt } from './attempt.ts';
import { type PaidOutputsDeps, storeOutputs } from './outputs/paid-outputs.ts';
import type { InputObjects } from './upstream/input-objects.ts';
import { type SynchronousAnswer, synchronousCall } from './upstream/synchronous-call.ts';

/** The whole of a synchronous call. */
const CALL_LIMIT_MS = 300_000;

/** How often an image call asks again while S3 is paused or has never answered. */
const STORAGE_WAIT_MS = { paused: 15_000, unproven: 5000 } as const;

export interface CallDeps extends PaidOutputsDeps {
  grsai: Pick<GrsaiApi, 'chat' | 'images'>;
  inputs: Pick<InputObjects, 'into'>;
  pauses: Pick<PauseControl, 'reasons'>;
  clock: Clock;
  backoff: Backoff;
  /** Called when a call goes back before a byte of it was sent. */
  notSent: (call: PaidCall) => Promise<void>;
  /** Whether S3 has ever kept anything for this process. */
  storeProven: () => boolean;
}

/** call: one synchronous call from its first byte to its answer. */
export function createCallStage(d: CallDeps): PaidStage {
  return {
    name: 'call',
    limitMs: CALL_LIMIT_MS,
    async decide(call, io) {
      const { doc } = call.job;
      const waitMs = doc.type === 'image' ? await storageWaitMs(d) : 0;
      if (waitMs > 0) return await waitForStorage(d, call, waitMs);
      const answer = await synchronousCall(d.grsai, doc, {
        signal: io.signal,
        inputs: d.inputs,
        onProgress: io.report,
        onPiece: io.piece,
      });
      // The outputs of a synchronous image call have no task behind them: they are stored while they live, or lost (upstream.md §6.2).
      if (answer.kind === 'outputs') return await keepImages(d, call, io, answer.outputs);
      return keepAnswer(d, call, answer);
    },
  };
}

async function storageWaitMs(d: CallDeps): Promise<number> {
  if (!d.storeProven()) return STORAGE_WAIT_MS.unproven;
  return (await d.pauses.reasons()).has('storage') ? STORAGE_WAIT_MS.paused : 0;
}

/** What could not be kept is not paid for (P3): while S3 is away an image call goes back before a byte was sent. */
async function waitForStorage(d: CallDeps, call: PaidCall, waitMs: number): Promise<Decision> {
  await d.notSent(call);
  return { transition: { kind: 'release', waitMs, unsent: true }, entry: { waitMs } };
}

const keepImages = (d: CallDeps, call: PaidCall, io: CallIo, outputs: Parameters<typeof storeOutputs>[3]): Promise<Decision> =>
  storeOutputs(d, call, io, outputs, { attempt: succeeded(d, call) });

/** An answer is the result, unless it may be cut short and the rules ask for one more. */
function keepAnswer(d: CallDeps, call: PaidCall, { completion, finished }: SynchronousAnswer): Decision {
  if (!finished && decideUnfinished(call.job) === 'again') return callAgain(d, call, completion);
  // Never less than was seen: the answer before may have come further than one that is cut short as well, or says nothing.
  const before = finished && !isEmptyCompletion(completion) ? undefined : earlierAnswer(call.job);
  const fuller = before !== undefined && sizeOf(before) > sizeOf(completion) ? before : completion;
  const attempt = succeeded(d, call, finished ? undefined : NO_FINISH_REASON);
  const transition = keepCompletion(call.job, fuller, d.clock.now(), { attempt });
  const kept: Decision = { transition, entry: 'done', upstreamAccepted: true };
  return fuller === completion ? { ...kept, streamIsWhole: true } : kept;
}

/** An answer that may be cut short is kept, and the call is made once more. */
function callAgain(d: CallDeps, { job, startedAt }: PaidCall, completion: ChatCompletion): Decision {
  const now = d.clock.now();
  const waitMs = d.backoff(job.attempts_used);
  return {
    transition: {
      kind: 'release',
      attempt: attemptAt('call', startedAt, now, 'retry', { code: NO_FINISH_REASON, status: 200 }),
      attemptsUsed: job.attempts_used + 1,
      waitMs,
      unstored: unstoredOf(completion, now),
    },
    entry: { waitMs },
    upstreamAccepted: true,
  };
}

const succeeded = (d: CallDeps, { startedAt }: PaidCall, code?: string): NewAttempt =>
  attemptAt('call', startedAt, d.clock.now(), 'succeeded', { code });
