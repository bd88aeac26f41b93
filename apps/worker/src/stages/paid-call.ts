import { randomUUID } from 'node:crypto';
import type { AccountLimits } from '@grsai-jobs/job-store';
import type { Attempt, BrakeState, JobRecord } from '@grsai-jobs/jobs';
import { done, type Entry, type Outcome } from '@grsai-jobs/queue';
import { endRun, expireRun, failRun } from './end-run.ts';
import { type InputObjects, READ_INPUT_MS } from './input-objects.ts';
import { attemptOf, type Kit, noteAttempt } from './kit.ts';
import { tellNews } from './news.ts';

/** A paid call that may go out now: `sent` is written, and only the holder of the token ends it. */
export interface PaidCall {
  record: JobRecord;
  token: string;
  startedAt: number;
  /** Ends the run with an answer that an earlier call brought, where it would fail without one. */
  instead?: (attempts: readonly Attempt[]) => Promise<Outcome>;
  /** What was known of refusals when it began; `null`: nothing. */
  refusals: BrakeState | null;
}

export interface PaidCallOptions {
  stage: Extract<Attempt['stage'], 'call' | 'submit'>;
  /** The time limit of the call; its `sent` is believed for 10 s more. */
  limitMs: number;
  limits: AccountLimits;
}

/**
 * Opens a paid call, or says how the entry is left when it must not go out: another worker's call is open, its outcome
 * is unknown, the job has moved on or expired, or the account has no room.
 */
export async function openPaidCall(kit: Kit, entry: Entry, o: PaidCallOptions): Promise<PaidCall | Outcome> {
  // On a nearly full Redis nothing is begun whose entries could not be added afterwards.
  if (kit.memory.critical()) return { kind: 'throttle', ms: 1000 };
  const token = randomUUID();
  const begun = await kit.store.moves.begin(entry, { token, limitMs: o.limitMs, inputMs: READ_INPUT_MS }, o.limits);
  switch (begun.kind) {
    case 'ok':
      return await inTime(kit, begun, token);
    case 'stale':
      return done;
    case 'wait':
      return { kind: 'throttle', ms: begun.ms };
    case 'braked':
      // Only this entry waits: jobs of other models go on.
      return { kind: 'wait', ms: begun.ms };
    case 'expired':
      await expireRun(kit, begun.record);
      return done;
    case 'canceling':
      return await endCanceled(kit, begun.record);
    case 'held':
      if (canceledChat(begun.record)) return await endCanceled(kit, begun.record);
      return repeatable(begun.record)
        ? await takeOver(kit, entry, begun.record, token, o)
        : { kind: 'wait', ms: Math.max(0, (begun.record.sent?.until ?? 0) - kit.clock.now()) };
    case 'unknown':
      return await lostCall(kit, entry, begun.record, token, o);
  }
}

/** The call with the whole input of its job; what follows is judged by the caller's words too. */
export async function withInput(kit: Kit & { inputs: Pick<InputObjects, 'whole'> }, call: PaidCall): Promise<PaidCall> {
  const { record } = call;
  if (record.doc.stored_input === undefined) return call;
  return { ...call, record: { ...record, doc: await kit.inputs.whole(record.doc, kit.shutdown.cutting) } };
}

/** A chat call leaves nothing upstream to lose, so the next call need not wait for the end of a dead one. */
export const repeatable = (record: JobRecord): boolean =>
  record.status !== 'canceling' && record.doc.type === 'chat' && record.doc.on_unknown_submit === 'resubmit';

/** `until` has 10 s of slack. An answer of Redis that took longer than this has used up too much of it. */
const STALE_ANSWER_MS = 5000;

/**
 * A call that is begun too late could still be open when others believe it dead. Nothing was sent yet, so the entry goes
 * back without an attempt spent.
 */
async function inTime(
  kit: Kit,
  { record, refusals }: { record: JobRecord; refusals: BrakeState | null },
  token: string,
): Promise<PaidCall | Outcome> {
  const startedAt = kit.clock.now();
  if (startedAt - (record.sent?.at ?? startedAt) <= STALE_ANSWER_MS) {
    tellNews(kit, { ...record, webhook: record.doc.webhook }, { type: 'job.started' });
    return { record, token, startedAt, refusals };
  }
  // When it was the job that went ahead of those that wait for a brake, another may.
  if (refusals !== null && refusals.brakes.length > 0) await kit.store.brakes.saidNothing(token);
  const moved = await kit.store.moves.refused(record, { by: token, waitMs: 0, spent: record.spent, attempts: record.attempts });
  if (moved.kind === 'wrong' && moved.state === 'canceling/submitting') return await endCanceled(kit, record);
  return moved.kind === 'ok' ? { kind: 'wait', ms: 0 } : done;
}

/** Nobody waits for the answer of this chat, so nobody waits for the call of a dead worker either. */
const canceledChat = (record: JobRecord): boolean => record.status === 'canceling' && record.doc.type === 'chat';

async function endCanceled(kit: Kit, record: JobRecord): Promise<Outcome> {
  await endRun(kit, record, { status: 'canceled', keepSent: true });
  return done;
}

/** The worker that held the call died or froze, and the time of the call is over: its outcome is unknown. */
async function lostCall(
  kit: Kit,
  entry: Entry,
  record: JobRecord,
  token: string,
  o: PaidCallOptions,
): Promise<PaidCall | Outcome> {
  const by = record.sent?.by ?? '';
  if (record.status === 'canceling') return await endCanceled(kit, record);
  if (record.doc.on_unknown_submit === 'resubmit') return await takeOver(kit, entry, record, token, o);
  const lost = lostAttempt(kit, record, o.stage);
  noteAttempt(kit, record, lost, { reason: 'the worker of this call died' });
  await failRun(kit, record, 'submit_unknown', {
    by,
    keepSent: true,
    attempts: [...record.attempts, lost],
    spent: record.spent + 1,
  });
  return done;
}

/** Spends an attempt on the lost call and begins the next one in its place. */
async function takeOver(
  kit: Kit,
  entry: Entry,
  record: JobRecord,
  token: string,
  o: PaidCallOptions,
): Promise<PaidCall | Outcome> {
  const by = record.sent?.by ?? '';
  const lost = lostAttempt(kit, record, o.stage);
  const attempts = [...record.attempts, lost];
  const spent = record.spent + 1;
  noteAttempt(kit, record, lost, { reason: 'the worker of this call died' });
  if (spent >= record.doc.max_attempts) {
    await failRun(kit, record, record.doc.type === 'chat' ? 'upstream_unavailable' : 'submit_unknown', {
      by,
      keepSent: true,
      attempts,
      spent,
    });
    return done;
  }
  const begun = await kit.store.moves.begin(
    entry,
    { token, limitMs: o.limitMs, inputMs: READ_INPUT_MS, over: { by, attempts, spent } },
    o.limits,
  );
  if (begun.kind === 'ok') return await inTime(kit, begun, token);
  return begun.kind === 'wait' ? { kind: 'throttle', ms: begun.ms } : { kind: 'wait', ms: 1000 };
}

const lostAttempt = (kit: Kit, record: JobRecord, stage: PaidCallOptions['stage']): Attempt =>
  attemptOf(record, stage, record.sent?.at ?? kit.clock.now(), kit.clock.now(), 'unknown', { code: 'submit_unknown' });
