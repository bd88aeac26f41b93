import { type ChatCompletion, type Grsai, isEmptyCompletion, sizeOf } from '@grsai-jobs/grsai';
import type { AccountLimits } from '@grsai-jobs/job-store';
import { type Attempt, decideUnfinished, LIMITS, NO_FINISH_REASON, type Pending } from '@grsai-jobs/jobs';
import { done, type Handler, type Outcome } from '@grsai-jobs/queue';
import { endRun, finishRun } from './end-run.ts';
import { askAgain, type FailedCallKit, settleFailedCall } from './failed-call.ts';
import { type HeldAnswer, heldCall } from './held-calls.ts';
import type { InputObjects } from './input-objects.ts';
import { attemptOf, noteAttempt } from './kit.ts';
import { tellNews } from './news.ts';
import type { Cancelable, OpenCalls } from './open-calls.ts';
import { openPaidCall, type PaidCall, withInput } from './paid-call.ts';
import { comeLate, keepOutputs, type PaidOutputsKit, toStore } from './paid-outputs.ts';
import { untilTaken } from './until-taken.ts';

/** The whole of a held call (design §4). */
const CALL_LIMIT_MS = 300_000;

/** A completion that is too large for the record waits in it until it is stored; nothing upstream can bring it back. */
const COMPLETION_LIFE_MS = 7 * 24 * 3600 * 1000;

/** The rhythm of what ends the wait: the probes of a pause, and the looks at a store that never answered. */
const STORAGE_WAIT_MS = { paused: 15_000, unproven: 5000 } as const;

/** Progress of a streamed answer is written at most this often. */
const TELL_EVERY_MS = 5000;

export interface CallKit extends FailedCallKit, PaidOutputsKit {
  grsai: Pick<Grsai, 'chat' | 'images'>;
  limits: AccountLimits;
  inputs: InputObjects;
  openCalls: OpenCalls;
  /** Whether S3 has ever kept anything for this process. */
  storeProven: () => boolean;
}

/** call: one held call from its first byte to its answer. */
export function createCallStage(kit: CallKit): Handler {
  return async ({ entry }) => {
    const cancelable = kit.openCalls.open(entry.id);
    try {
      const call = await openPaidCall(kit, entry, { stage: 'call', limitMs: CALL_LIMIT_MS, limits: kit.limits });
      if (!('record' in call)) return call;
      const waitMs = call.record.doc.type === 'image' ? await storageWaitMs(kit) : 0;
      if (waitMs > 0) return await notNow(kit, call, waitMs);
      return await makeCall(kit, call, cancelable);
    } finally {
      cancelable.close();
    }
  };
}

async function storageWaitMs(kit: CallKit): Promise<number> {
  if (!kit.storeProven()) return STORAGE_WAIT_MS.unproven;
  return (await kit.pauses.reasons()).has('storage') ? STORAGE_WAIT_MS.paused : 0;
}

async function makeCall(kit: CallKit, opened: PaidCall, { signal: canceled }: Cancelable): Promise<Outcome> {
  let call = opened;
  // An image call is paid for whatever we do, so only a chat is stopped by its caller.
  const signals = [kit.shutdown.cutting, ...(call.record.doc.type === 'chat' ? [canceled] : [])];
  try {
    call = await withInput(kit, call);
    const held = await heldCall(kit.grsai, call.record.doc, {
      signal: AbortSignal.any(signals),
      inputs: kit.inputs,
      onProgress: teller(kit, call),
    });
    kit.upstream.answered();
    kit.trouble.passed();
    // The outputs of a held image call have no task behind them: they are stored while they live, or lost (upstream.md §6.2).
    if (held.kind === 'outputs') await keepOutputs(kit, call, held.outputs, { attempts: succeeded(kit, call) });
    const left = held.kind === 'completion' ? await keepAnswer(kit, call, held) : done;
    await kit.brake.answered(call);
    return left;
  } catch (error) {
    return await settleFailedCall(kit, orKept(kit, call), 'call', error, canceled);
  }
}

/** What could not be kept is not paid for (P3): while S3 is away an image call goes back before a byte was sent. */
async function notNow(kit: CallKit, call: PaidCall, waitMs: number): Promise<Outcome> {
  const { record, token } = call;
  await kit.brake.notSent(call);
  const moved = await kit.store.moves.refused(record, {
    by: token,
    waitMs,
    spent: record.spent,
    attempts: record.attempts,
  });
  if (moved.kind === 'ok') return { kind: 'wait', ms: waitMs };
  if (moved.kind === 'wrong' && moved.state === 'canceling/submitting')
    await endRun(kit, record, { status: 'canceled', by: token });
  return done;
}

/** Writes progress now and then. It is no more than news, so a write that fails is let go. */
function teller(kit: CallKit, call: PaidCall): (progress: number) => void {
  let last = call.startedAt;
  return (progress) => {
    const now = kit.clock.now();
    if (now - last < TELL_EVERY_MS) return;
    last = now;
    tell(kit, call, progress).catch((err: unknown) => {
      kit.log.warn({ event: 'job.progress_not_written', err, job_id: call.record.id }, 'progress was not written');
    });
  };
}

async function tell(kit: CallKit, { record, token }: PaidCall, progress: number): Promise<void> {
  const moved = await kit.store.moves.tell(record, { by: token, progress });
  if (moved.kind === 'ok') tellNews(kit, { ...record, webhook: record.doc.webhook }, { type: 'job.progress', percent: progress });
}

/** An answer is the result, unless it may be cut short and the rules ask for one more. */
async function keepAnswer(kit: CallKit, call: PaidCall, { completion, finished }: HeldAnswer): Promise<Outcome> {
  if (!finished && decideUnfinished(call.record) === 'again') return await askAgain(kit, call, pendingOf(kit, completion));
  // Never less than was seen: the answer before may have come further than one that is cut short as well, or says nothing.
  const before = finished && !isEmptyCompletion(completion) ? undefined : keptAnswer(call);
  const fuller = before !== undefined && sizeOf(before) > sizeOf(completion) ? before : completion;
  return await keepCompletion(kit, call, fuller, succeeded(kit, call, finished ? undefined : NO_FINISH_REASON));
}

/** What an earlier call of this run brought without a reason for its end. */
const keptAnswer = ({ record }: PaidCall): ChatCompletion | undefined =>
  record.doc.type === 'chat' ? (record.pending?.completion as ChatCompletion | undefined) : undefined;

/** The call, which does not fail where there is an answer already: that may be whole, and was paid for. */
function orKept(kit: CallKit, call: PaidCall): PaidCall {
  const kept = keptAnswer(call);
  return kept === undefined ? call : { ...call, instead: (attempts) => keepCompletion(kit, call, kept, attempts) };
}

const pendingOf = (kit: CallKit, completion: ChatCompletion): Pending => ({
  completion,
  dies_at: kit.clock.now() + COMPLETION_LIFE_MS,
});

async function keepCompletion(
  kit: CallKit,
  call: PaidCall,
  completion: ChatCompletion,
  attempts: readonly Attempt[],
): Promise<Outcome> {
  const { record, token: by } = call;
  const pending = pendingOf(kit, completion);
  if (Buffer.byteLength(JSON.stringify(completion)) > LIMITS.inlineCompletionBytes) {
    await toStore(kit, call, pending, { attempts });
    return done;
  }
  const output = { kind: 'chat', completion } as const;
  const end = { status: 'succeeded', by, output, attempts, spent: record.spent + 1 } as const;
  const moved = await finishRun(kit, record, end, (attempt) =>
    untilTaken(kit, { job_id: record.id }, (token) => kit.store.moves.end(record, { ...end, token, attempt })),
  );
  if (moved.kind !== 'ok') await comeLate(kit, call, pending, moved);
  return done;
}

function succeeded(kit: CallKit, call: PaidCall, code?: string): readonly Attempt[] {
  const attempt = attemptOf(call.record, 'call', call.startedAt, kit.clock.now(), 'succeeded', { code });
  noteAttempt(kit, call.record, attempt);
  return [...call.record.attempts, attempt];
}
