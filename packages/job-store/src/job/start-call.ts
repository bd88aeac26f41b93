import {
  type Attempt,
  type BrakeState,
  type JobRecord,
  keptAttempts,
  type QueueMessage,
  type Submitting,
} from '@grsai-jobs/jobs';
import { defineScript, fieldsOf, NotLasting, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { BRAKE_LUA, brakeStateOf } from '../operator/brakes.ts';
import { type AccountLimits, limitsOf } from '../room/account-limits.ts';
import { letInOf, ROOM_LUA } from '../room/rooms.ts';
import { decodeRecord } from './record-codec.ts';

/** What `startCall` answers; only `ok` lets a byte go out. `letIn`: other jobs that have left their rooms in its stead. */
export type StartedCall =
  | { kind: 'ok'; job: Submitting; refusals: BrakeState | null; letIn: QueueMessage[] }
  /** The lease was taken, and nobody knows whether a failover would keep it: it is to be given back. */
  | { kind: 'unsafe'; job: Submitting; refusals: BrakeState | null; letIn: QueueMessage[] }
  /** Another holder's call is in flight, for at most `ms` more. */
  | { kind: 'held'; job: JobRecord; ms: number }
  /** The time of another holder's call is over: its outcome is unknown. */
  | { kind: 'unknown'; job: JobRecord }
  | { kind: 'expired' | 'canceling'; job: JobRecord }
  | { kind: 'stale' }
  /** Calls like this one were refused: the entry comes again after `ms`. */
  | { kind: 'braked'; ms: number; letIn: QueueMessage[] }
  /** Its caller has left, and nobody has come back yet: the entry comes again after `ms`. */
  | { kind: 'unwaited'; ms: number; letIn: QueueMessage[] }
  /** Another server has become the primary, and it is not known yet which calls it has forgotten. */
  | { kind: 'recovering' }
  /** It may have been paid for already: it waits for a decision. */
  | { kind: 'suspect'; letIn: QueueMessage[] }
  /** Its price does not fit into what its tenant may still spend: it is parked until it does, and its entry is done with. */
  | { kind: 'budget'; letIn: QueueMessage[] }
  /** Its tenant has all the permits that it may have now: it is back in its room, and its entry is done with. */
  | { kind: 'parked' }
  /** The same of a call that was to be taken over: it comes again after `ms`. */
  | { kind: 'full'; ms: number }
  /** No call may begin for `ms`. */
  | { kind: 'wait'; ms: number };

/** A lease is believed for so much longer than its call may take. */
const LEASE_SLACK_MS = 10_000;

export interface CallToStart {
  /** Names the holder of the lease from now on. */
  token: string;
  /** How long the call may take. */
  limitMs: number;
  /** More time for a job whose input has to be read from the object store first. */
  inputMs?: number;
  /** The lease of a holder that is known to be dead, and what is written of its call. */
  over?: { token: string; attempts: readonly Attempt[]; attemptsUsed: number };
}

const startScript = defineScript({
  lua: new URL('./start-call.lua', import.meta.url),
  keys: [
    'job',
    'due',
    'events',
    'turns',
    'inflight',
    'waiting',
    'rpm',
    'batch?',
    'brakes',
    'braked',
    'primary',
    'suspects',
    'spent',
    'unwaited',
  ],
  args: ['order'],
  shared: [ROOM_LUA, BRAKE_LUA],
  whenFull: 'runs',
  lasts: true,
});

export const createStartCall =
  (run: RunScript, keys: Keys, clock?: { now(): number }) =>
  /** Takes the lease of a paid call, before a byte of it goes out. */
  async (
    entry: { id: string; step: number; batch_id?: string | null | undefined },
    call: CallToStart,
    limits: AccountLimits,
  ): Promise<StartedCall> => {
    const order = {
      id: entry.id,
      token: call.token,
      now: clock?.now(),
      step: entry.step,
      lease_ms: call.limitMs + LEASE_SLACK_MS,
      input_ms: call.inputMs ?? 0,
      over: call.over?.token,
      att: call.over && JSON.stringify(keptAttempts(call.over.attempts)),
      used: call.over?.attemptsUsed,
      limits: limitsOf(limits),
    };
    let unsafe = false;
    const start = async (batchId: string | null | undefined) => {
      unsafe = false;
      return (await run(
        startScript,
        {
          job: keys.job(entry.id),
          due: keys.due,
          events: keys.events,
          turns: keys.turns,
          inflight: keys.inflight,
          waiting: keys.waiting,
          rpm: keys.rpm,
          batch: batchId == null ? null : keys.batch(batchId),
          brakes: keys.brakes,
          braked: keys.braked,
          primary: keys.primary,
          suspects: keys.suspects,
          spent: keys.spent,
          unwaited: keys.answersUnwaited,
        },
        { order: JSON.stringify(order) },
      ).catch((error: unknown) => {
        if (!(error instanceof NotLasting)) throw error;
        unsafe = true;
        return error.reply;
      })) as [string, unknown, unknown?, unknown?];
    };
    const first = await start(entry.batch_id);
    const [kind, reply, more, entries] = first[0] === 'batch' ? await start(String(first[1])) : first;
    return answerOf(entry.id, { kind, reply, more, entries, unsafe });
  };

function answerOf(
  id: string,
  { kind, reply, more, entries, unsafe }: { kind: string; reply: unknown; more: unknown; entries: unknown; unsafe: boolean },
): StartedCall {
  if (kind === 'recovering' || kind === 'parked') return { kind };
  if (kind === 'suspect' || kind === 'budget') return { kind, letIn: letInOf(reply) };
  if (kind === 'braked' || kind === 'unwaited') return { kind, ms: Number(reply), letIn: letInOf(more) };
  if (kind === 'wait' || kind === 'full') return { kind, ms: Number(reply) };
  const fields = fieldsOf(reply);
  if (fields === null) return { kind: 'stale' };
  const job = decodeRecord(id, fields);
  if (kind === 'held') return { kind, job, ms: Number(more) };
  if (kind !== 'ok') return { kind: kind as 'unknown' | 'expired' | 'canceling', job };
  return { kind: unsafe ? 'unsafe' : kind, job: job as Submitting, refusals: brakeStateOf(more), letIn: letInOf(entries) };
}
