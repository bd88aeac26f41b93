import {
  FIRST_LATE_POLL_MS,
  hasLivingTask,
  isTerminal,
  type Job,
  jobError,
  MAX_CRASHES,
  type Transition,
} from '@grsai-jobs/jobs';
import type { Handler, QueueName, Work } from '@grsai-jobs/queue';
import { type Disturbance, redisTrouble } from '@grsai-jobs/redis';
import type { Backoff } from '@grsai-jobs/runtime';
import { earlierAnswer, keepCompletion } from './kept-answer.ts';
import { publishAgain } from './publish.ts';
import { type SettleDeps, settle } from './settle.ts';
import { isRepeatable } from './start.ts';

export interface CrashDeps extends SettleDeps {
  backoff: Backoff;
  disturbance: Disturbance;
}

/** While Redis is away nobody renews the lock of an entry: what stalls so soon after that has lost its lock, and no process. */
const STALLS_AFTER_MS = 30_000;
/** When an entry comes again that met a Redis which takes no writes. */
const REFUSED_WAIT_MS = 2000;

type Cause = 'thrown' | 'stalled';

/**
 * An error that no stage handles, and a stall (its process died or froze), is a transition: `crashes` + 1 and a new queue entry; the
 * fifth in one run ends the job. A stall while Redis was in trouble is not counted.
 */
async function recordCrash(d: CrashDeps, stage: QueueName, { entry }: Work, cause: Cause): Promise<void> {
  const counts = cause === 'thrown' || !d.disturbance.within(STALLS_AFTER_MS);
  if (counts) d.metrics.crashes.inc({ kind: cause, stage });
  const job = await d.store.jobs.read(entry.id);
  if (job === null) return;
  // It died, or failed, after its transition was committed.
  if (job.step !== entry.step || isTerminal(job.status)) return await publishAgain(d, job);
  if (!counts) return void (await settle(d, job, { kind: 'requeue' }));
  if (job.crashes + 1 >= MAX_CRASHES) return void (await settle(d, job, givenUp(d, job, cause)));
  // A first stall is requeued at once. Repeated ones get a random delay, so that innocent jobs are not retried beside the one that kills
  // the process.
  const waitMs = cause === 'stalled' && job.crashes === 0 ? 0 : d.backoff(job.crashes);
  await settle(d, job, { kind: 'record_crash', cause, waitMs });
}

/**
 * A call in flight that may not be repeated can have been paid for, and a living task still ends: neither is forgotten. The answer of an earlier
 * call is the result, unless it is what is being stored as workers die.
 */
function givenUp({ clock }: Pick<CrashDeps, 'clock'>, job: Job, cause: Cause): Transition {
  if (job.status === 'canceling') return { kind: 'finish', status: 'canceled', keepLease: true };
  const kept = job.stage === 'storing' ? undefined : earlierAnswer(job);
  if (kept !== undefined) return keepCompletion(job, kept, clock.now(), { callEnd: 'unknown' });
  const unknown = job.lease !== null && !isRepeatable(job);
  const error = jobError(unknown ? 'submit_unknown' : cause === 'thrown' ? 'internal' : 'crashed', job.stage ?? 'queued');
  const living = hasLivingTask(job) ? { latePollMs: FIRST_LATE_POLL_MS } : {};
  return { kind: 'finish', status: 'failed', error, keepLease: true, ...living };
}

export const onUnhandledError =
  (d: CrashDeps, stage: QueueName) =>
  async (work: Work, err: unknown): Promise<void> => {
    d.log.error({ event: 'job.crashed', err, stage, job_id: work.entry.id, step: work.entry.step }, 'unhandled error in stage');
    await recordCrash(d, stage, work, 'thrown');
  };

/** A stage behind the count of its stalls. */
export const countingStalls =
  (d: CrashDeps, stage: QueueName, handler: Handler): Handler =>
  async (work) => {
    if (!work.stalled) return await handler(work);
    d.log.warn(
      { event: 'job.stalled', stage, job_id: work.entry.id, step: work.entry.step },
      'the process that had this entry died or froze',
    );
    await recordCrash(d, stage, work, 'stalled');
    return { kind: 'done' };
  };

/** A stage whose entry waits when Redis takes no writes, or is full: nothing of it is a crash. */
export const waitingForRedis =
  (d: Pick<CrashDeps, 'log'>, stage: QueueName, handler: Handler): Handler =>
  async (work) => {
    try {
      return await handler(work);
    } catch (err) {
      if (redisTrouble(err) === null) throw err;
      d.log.warn({ event: 'job.waits_for_redis', err, stage, job_id: work.entry.id }, 'Redis takes no writes: the entry waits');
      return { kind: 'wait', ms: REFUSED_WAIT_MS };
    }
  };
