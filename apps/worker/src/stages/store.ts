import { type Attempt, isSettled, type JobRecord, keptOutput, lostMessage, nextLatePoll, type Pending } from '@grsai-jobs/jobs';
import { done, type Handler, type Outcome } from '@grsai-jobs/queue';
import { endRun, failRun } from './end-run.ts';
import { attemptOf, noteAttempt } from './kit.ts';
import { outputKey, type Trouble } from './store-output.ts';
import { failedStores, knownTrouble, type Pass, passOver, type StoreKit } from './store-pass.ts';
import { TASK_LIFE_MS } from './task-life.ts';

/** How long a link that upstream gave after the first one died is tried. */
const FRESH_LINK_LIFE_MS = 5 * 60_000;

/** Clocks differ, and nobody knows from when upstream counts the two hours (upstream.md §10.1). */
const TASK_GRACE_MS = 5 * 60_000;

/** store: streams what was paid for into S3, for as long as its links live. */
export function createStoreStage(kit: StoreKit): Handler {
  return async ({ entry }) => {
    const record = await kit.store.jobs.read(entry.id);
    if (record === null || record.step !== entry.step || record.stage !== 'storing' || record.pending === null) return done;
    return await (record.pending.completion === undefined ? storeOutputs : storeCompletion)(kit, record, record.pending);
  };
}

async function storeOutputs(kit: StoreKit, record: JobRecord, pending: Pending): Promise<Outcome> {
  const startedAt = kit.clock.now();
  return await settle(kit, record, { startedAt, pending, pass: await passOver(kit, record, pending) });
}

async function settle(
  kit: StoreKit,
  record: JobRecord,
  { startedAt, pending, pass }: { startedAt: number; pending: Pending; pass: Pass },
): Promise<Outcome> {
  if (kit.shutdown.stopping.aborted && pass.trouble !== undefined) return { kind: 'wait', ms: 0 };
  const diesAt = pass.fresh ? Math.max(pending.dies_at, startedAt + FRESH_LINK_LIFE_MS) : pending.dies_at;
  const { waitMs } = pass;
  if (waitMs === undefined || !mayGoOn(kit, record, pass, diesAt)) return await finish(kit, record, pass, startedAt);
  if (!pass.tried) return { kind: 'wait', ms: waitMs };
  const attempts = [...record.attempts, noted(kit, record, pass.trouble, startedAt, waitMs)];
  const moved = await kit.store.moves.storeAgain(record, {
    waitMs,
    attempts,
    ...(pending.links === undefined ? {} : { pending: { links: [...pass.outputs], dies_at: diesAt } }),
  });
  if (moved.kind === 'ok') return { kind: 'wait', ms: waitMs };
  if (moved.kind === 'wrong' && moved.state === 'canceling/storing') await endRun(kit, record, { status: 'canceled', attempts });
  return done;
}

/** For the life of the links; and of the task, while it cannot be asked for others. */
function mayGoOn(kit: StoreKit, record: JobRecord, pass: Pass, diesAt: number): boolean {
  const now = kit.clock.now();
  if (now + (pass.waitMs ?? 0) < diesAt) return true;
  return pass.unreadable && now < (record.submitted_at ?? record.created_at) + TASK_LIFE_MS + TASK_GRACE_MS;
}

/** A completion too large for the record. */
async function storeCompletion(kit: StoreKit, record: JobRecord, pending: Pending): Promise<Outcome> {
  const startedAt = kit.clock.now();
  const key = outputKey(kit.keyPrefix, record, 0, 'json');
  try {
    const stored = await kit.objects.putBytes(key, Buffer.from(JSON.stringify(pending.completion)), {
      contentType: 'application/json',
      signal: kit.shutdown.stopping,
    });
    kit.storage.stored();
    const attempts = [...record.attempts, noted(kit, record, undefined, startedAt)];
    await endRun(kit, record, { status: 'succeeded', output: { kind: 'chat_file', key, ...stored }, attempts });
    return done;
  } catch (error) {
    const trouble = knownTrouble(error);
    if (!kit.shutdown.stopping.aborted) kit.storage.failed(trouble.reason);
    const waitMs = kit.backoff(failedStores(record));
    const pass = { outputs: [], trouble, unreadable: false, fresh: false, waitMs, tried: true };
    return await settle(kit, record, { startedAt, pending, pass });
  }
}

/** Writes the line of this pass. `waitMs` when it goes on. */
function noted(kit: StoreKit, record: JobRecord, trouble: Trouble | undefined, startedAt: number, waitMs?: number): Attempt {
  const outcome = trouble === undefined ? 'succeeded' : waitMs === undefined ? 'failed' : 'retry';
  const attempt = attemptOf(record, 'store', startedAt, kit.clock.now(), outcome, {
    ...(trouble === undefined ? {} : { code: trouble.code, status: trouble.status }),
  });
  const why = trouble === undefined ? {} : { reason: trouble.reason };
  noteAttempt(kit, record, attempt, { ...why, ...(waitMs === undefined ? {} : { retryInMs: waitMs }) });
  return attempt;
}

/** No place was free at its host until its link died, or there is none at all. */
const NOT_TRIED: Trouble = { kind: 'passing', code: 'not_tried', reason: 'its link has died' };

/** Nothing is left to try: what could be kept is the result, and what could not is told beside it or as the failure. */
async function finish(kit: StoreKit, record: JobRecord, pass: Pass, startedAt: number): Promise<Outcome> {
  const over = pass.outputs.length > 0 && pass.outputs.every(isSettled);
  const trouble = pass.trouble ?? (over ? undefined : NOT_TRIED);
  const outputs = pass.outputs.map((each) => (isSettled(each) || !trouble ? each : { ...each, lost: trouble.reason }));
  const attempts = [...record.attempts, noted(kit, record, trouble, startedAt)];
  const output = keptOutput(outputs);
  if (output !== null) await endRun(kit, record, { status: 'succeeded', output, attempts });
  else if (trouble?.kind === 'ours') await failRun(kit, record, 'storage_failed', { attempts });
  else {
    const now = kit.clock.now();
    const lateLookAt = nextLatePoll(now, now) ?? now;
    await failRun(kit, record, 'upstream_result_lost', { attempts, message: lostMessage(outputs), lateLookAt });
  }
  return done;
}
