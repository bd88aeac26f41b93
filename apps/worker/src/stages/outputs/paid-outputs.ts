import type { Output } from '@grsai-jobs/grsai';
import { jobError, lostMessage, type NewAttempt, TASK_LIFE_MS, type TaskRef, type UnstoredOutput } from '@grsai-jobs/jobs';
import { factsOf, NotMedia } from '@grsai-jobs/object-store';
import type { Timers } from '@grsai-jobs/runtime';
import type { StorageHealth } from '../../pauses/storage-health.ts';
import type { CallIo, Decision, PaidCall } from '../../runner/decision.ts';
import { type OutputDeps, storeBytes } from './store-output.ts';

export interface PaidOutputsDeps extends OutputDeps {
  storage: StorageHealth;
  timers: Pick<Timers, 'timeout'>;
}

/** What the answer of a paid call brought beside its outputs. */
interface PaidAnswer {
  attempt: NewAttempt;
  /** The task behind it, when it has named one. */
  task?: TaskRef;
}

/** One try to write the bytes of an output to the object store. */
const TRY_MS = 120_000;

/**
 * The outputs of a call's answer. Links are written down. Bytes stand nowhere but here, and in no record and no queue: they go to the
 * object store at once, as long as the process lives, and the record says where they are.
 */
export async function storeOutputs(
  d: PaidOutputsDeps,
  call: PaidCall,
  io: CallIo,
  outputs: readonly Output[],
  answer: PaidAnswer,
): Promise<Decision> {
  const links: UnstoredOutput[] = [];
  for (const [index, output] of outputs.entries())
    links.push(output.kind === 'link' ? { url: output.url } : await keepBytes(d, call, io, { index, bytes: output.bytes }));
  if (links.some(({ lost }) => lost === undefined)) {
    const unstored = { links, dies_at: call.startedAt + TASK_LIFE_MS };
    return { transition: { kind: 'start_storing', unstored, ...answer }, entry: 'done', upstreamAccepted: true };
  }
  const { job } = call;
  const error = jobError('upstream_result_lost', job.stage, { message: lostMessage(links) });
  return {
    transition: { kind: 'finish', status: 'failed', error, attemptsUsed: job.attempts_used + 1, ...answer },
    entry: 'done',
    upstreamAccepted: true,
  };
}

async function keepBytes(
  d: PaidOutputsDeps,
  { job }: PaidCall,
  io: CallIo,
  file: { index: number; bytes: Uint8Array },
): Promise<UnstoredOutput> {
  try {
    factsOf(file.bytes);
  } catch (error) {
    // The same bytes would be no picture the next time either.
    if (error instanceof NotMedia) return { lost: `the file is ${error.message}` };
    throw error;
  }
  const stored = await io.untilTaken(async () => {
    await io.renewLease();
    try {
      return await storeBytes(d, job, file, d.timers.timeout(TRY_MS));
    } catch (error) {
      d.storage.failed(error instanceof Error ? error.message : String(error));
      throw error;
    }
  });
  d.storage.stored();
  return { stored };
}
