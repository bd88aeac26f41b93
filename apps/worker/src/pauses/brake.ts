import type { GrsaiError } from '@grsai-jobs/grsai';
import type { JobStore } from '@grsai-jobs/job-store';
import {
  type Brake,
  type BrakeState,
  type Caller,
  entryStage,
  type JobError,
  type JobRecord,
  type Noted,
  noteAnswer,
  refusalText,
  type Submitting,
  type saysOfModel,
  withoutInput,
} from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';

/** A call that was in flight, and what was known of refusals when it began (`null`: nothing). */
interface Called {
  job: Submitting;
  startedAt: number;
  refusals: BrakeState | null;
}

/** What upstream said of a call that did not work. */
interface Said {
  says: ReturnType<typeof saysOfModel>;
  error: GrsaiError;
  upstream: NonNullable<JobError['upstream']>;
}

export interface RefusalBrake {
  /** A call was answered well. Costs nothing while nothing was refused. */
  answered(call: Called): Promise<void>;
  /** A call did not work. `held`: its job waits with the others, and no attempt is used up. */
  failed(call: Called, said: Said): Promise<'held' | 'own'>;
  /** A call went back and nothing was asked, or nobody waited for the answer. */
  notSent(call: Called): Promise<void>;
}

/** What upstream sent, cut to what a person reads. */
const RAW_LIMIT = 500;

/** It stands in the log and in the pause, for more than its caller to read. */
function rawOf({ status, raw, message }: GrsaiError, { doc }: JobRecord): string {
  const said = withoutInput((raw || message).slice(0, RAW_LIMIT), doc.input);
  return status === undefined ? said : `HTTP ${status}: ${said}`;
}

const callerOf = ({ tenant, doc }: JobRecord): Caller => ({ queue: entryStage(doc), model: doc.input.model, tenant });

/** Tells the brake for unknown refusals how the calls of this process end; all processes share it. */
export function createRefusalBrake(o: {
  brakes: Pick<JobStore['brakes'], 'refused' | 'answered' | 'saidNothing'>;
  producer: Pick<Producer, 'nudgeOperations'>;
  clock: Clock;
  log: Logger;
}): RefusalBrake {
  /** When this process last saw one: calls that are open since before do not know of it. */
  let refusedAt = Number.NEGATIVE_INFINITY;

  const facts = ({ queue, model, tenant, raw }: Brake) => ({
    reason: 'upstream_refusal',
    queues: [queue],
    model,
    ...(tenant === null ? {} : { tenant }),
    detail: raw,
  });

  function log({ closed, opened }: Noted): void {
    if (closed !== null)
      o.log.error(
        { event: 'queues.paused', ...facts(closed) },
        'paused: upstream refuses every call of a kind with one unknown text',
      );
    for (const brake of opened)
      o.log.info({ event: 'queues.resumed', ...facts(brake) }, 'resumed: upstream takes such calls again');
    // Without this those who wait are woken within a second.
    if (opened.length > 0) o.producer.nudgeOperations().catch(() => undefined);
  }

  async function answered(call: Called): Promise<void> {
    const caller = callerOf(call.job);
    const known = call.refusals;
    const matters = known !== null && noteAnswer(known, caller, call.startedAt).state !== known;
    if (!matters && refusedAt < call.startedAt) return;
    log(await o.brakes.answered(caller, { begunAt: call.startedAt, token: call.job.lease.token }));
  }

  async function refused(call: Called, { error, upstream }: Said): Promise<'held' | 'own'> {
    const { job, startedAt: begun_at } = call;
    const { token } = job.lease;
    const caller = callerOf(job);
    refusedAt = o.clock.now();
    const noted = await o.brakes.refused(
      {
        ...caller,
        id: token,
        text: refusalText(upstream, error.message, job.doc.input),
        raw: rawOf(error, job),
        at: refusedAt,
        begun_at,
      },
      token,
    );
    log(noted);
    return noted.held ? 'held' : 'own';
  }

  /** When it was the one that went ahead, another may. */
  async function notSent({ refusals, job }: Called): Promise<void> {
    if (refusals !== null && refusals.brakes.length > 0) await o.brakes.saidNothing(job.lease.token);
  }

  return {
    notSent,

    async answered(call) {
      try {
        await answered(call);
      } catch (err) {
        // What the call brought is kept already.
        o.log.warn({ event: 'pause.not_written', err }, 'that a call was answered was not noted; the next one is');
      }
    },

    async failed(call, said) {
      if (said.says === 'unknown refusal') return await refused(call, said);
      if (said.says === 'another answer') await answered(call);
      else await notSent(call);
      return 'own';
    },
  };
}
