import type { Output } from '@grsai-jobs/grsai';
import type { Moved } from '@grsai-jobs/job-store';
import { type Attempt, lostMessage, type Pending, type PendingOutput } from '@grsai-jobs/jobs';
import { factsOf, NotMedia } from '@grsai-jobs/object-store';
import type { StorageHealth } from '../pauses/storage-health.ts';
import { failRun } from './end-run.ts';
import type { Kit } from './kit.ts';
import type { PaidCall } from './paid-call.ts';
import { type OutputKit, storeBytes } from './store-output.ts';
import { TASK_LIFE_MS } from './task-life.ts';
import { type Unwritten, untilTaken } from './until-taken.ts';

export interface PaidOutputsKit extends Kit, OutputKit {
  storage: StorageHealth;
}

/** What the answer of a paid call brought beside its outputs. */
export interface PaidAnswer {
  attempts: readonly Attempt[];
  /** The task behind it, when it has named one. */
  task?: { base: string; id: string } | undefined;
}

/** One try to write the bytes of an output to the object store. */
const TRY_MS = 120_000;
/** The call is said to be open for this long, and longer before that is over: nobody makes it again while its bytes wait here. */
const LEASE_MS = 300_000;
const LEASE_LEFT_MS = 2 * TRY_MS;

/**
 * Keeps the outputs of an open call's answer. Links are written down. Bytes stand nowhere but here, and in no record and no queue:
 * they go to the object store at once, as long as the process lives, and the record says where they are.
 */
export async function keepOutputs(
  kit: PaidOutputsKit,
  call: PaidCall,
  outputs: readonly Output[],
  answer: PaidAnswer,
): Promise<void> {
  const lease = createLease(kit, call);
  const links: PendingOutput[] = [];
  for (const [index, output] of outputs.entries())
    links.push(output.kind === 'link' ? { url: output.url } : await keepBytes(kit, call, { index, bytes: output.bytes }, lease));
  if (links.some(({ lost }) => lost === undefined))
    return await toStore(kit, call, { links, dies_at: call.startedAt + TASK_LIFE_MS }, answer);
  const { attempts, task } = answer;
  await failRun(kit, call.record, 'upstream_result_lost', {
    by: call.token,
    attempts,
    spent: call.record.spent + 1,
    message: lostMessage(links),
    ...(task === undefined ? {} : { set: taskFields(kit, task) }),
  });
}

async function keepBytes(
  kit: PaidOutputsKit,
  call: PaidCall,
  file: { index: number; bytes: Uint8Array },
  lease: () => Promise<void>,
): Promise<PendingOutput> {
  try {
    factsOf(file.bytes);
  } catch (error) {
    // The same bytes would be no picture the next time either.
    if (error instanceof NotMedia) return { lost: `the file is ${error.message}` };
    throw error;
  }
  const stored = await untilTaken(kit, { job_id: call.record.id }, async () => {
    await lease();
    try {
      return await storeBytes(kit, call.record, file, AbortSignal.timeout(TRY_MS));
    } catch (error) {
      kit.storage.failed(error instanceof Error ? error.message : String(error));
      throw error;
    }
  });
  kit.storage.stored();
  return { stored };
}

/** Says in time that the call is still open. A write that fails is let go: the next try says it again. */
function createLease(kit: PaidOutputsKit, { record, token: by }: PaidCall): () => Promise<void> {
  let until = record.sent?.until ?? 0;
  return async () => {
    const now = kit.clock.now();
    if (until - now > LEASE_LEFT_MS) return;
    try {
      await kit.store.moves.tell(record, { by, progress: record.progress, until: now + LEASE_MS });
      until = now + LEASE_MS;
    } catch (err) {
      kit.log.warn({ event: 'job.progress_not_written', err, job_id: record.id }, 'progress was not written');
    }
  };
}

const taskFields = (kit: Pick<Kit, 'clock'>, task: { base: string; id: string }) => ({
  base: task.base,
  task: task.id,
  sub: kit.clock.now(),
});

/** The job goes on with what was paid for: the store stage ends it. */
export async function toStore(kit: Kit, call: PaidCall, pending: Pending, { attempts, task }: PaidAnswer): Promise<void> {
  const { record, token: by } = call;
  const outputs = { by, pending, attempts, spent: record.spent + 1, task };
  const moved = await untilTaken(kit, unwritten(call, pending, task), (token) =>
    kit.store.moves.outputs(record, { ...outputs, token }),
  );
  if (moved.kind === 'ok') await kit.producer.enqueueStore({ id: record.id, step: moved.step });
  else await comeLate(kit, call, pending, moved, task);
}

/** The run was given up for dead while its call was open: what that brought is paid for, and a new run stores it (P3). */
export async function comeLate(
  kit: Kit,
  call: PaidCall,
  pending: Pending,
  moved: Moved,
  task?: { base: string; id: string },
): Promise<void> {
  const { record, token: by } = call;
  const reopen = async (token: string) => {
    const current = await kit.store.jobs.read(record.id);
    const set = { pend: JSON.stringify(pending), ...(task === undefined ? {} : taskFields(kit, task)) };
    return current && (await kit.store.moves.reopen(current, { to: 'running/storing', by, token, late: true, set }));
  };
  const givenUp = moved.kind === 'wrong' && moved.state === 'failed';
  const reopened = givenUp ? await untilTaken(kit, unwritten(call, pending, task), reopen) : null;
  if (reopened?.kind !== 'ok') {
    const state = 'state' in moved ? moved.state : 'missing';
    kit.log.warn({ event: 'job.result_without_run', job_id: record.id, state }, 'a result came after its run had ended');
    return;
  }
  kit.metrics.late.inc();
  kit.log.info({ event: 'job.late_result', job_id: record.id, run: record.run + 1 }, 'a late result reopened the job');
  await kit.producer.enqueueStore({ id: record.id, step: reopened.step });
}

function unwritten({ record }: PaidCall, { links }: Pending, task?: { base: string; id: string }): Unwritten {
  const urls = links?.flatMap(({ url, stored }) => url ?? stored?.key ?? []);
  return {
    job_id: record.id,
    ...(urls === undefined ? {} : { links: urls }),
    ...(task === undefined ? {} : { base: task.base, task_id: task.id }),
  };
}
