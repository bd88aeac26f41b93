import { type Attempt, type BrakeState, type JobRecord, keptAttempts, type Submitting } from '@grsai-jobs/jobs';
import { BRAKE_LUA, brakeStateOf } from '../operator/brakes.ts';
import { defineScript } from '../redis/define-script.ts';
import { fieldsOf } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { decodeRecord } from './record-codec.ts';

/** What `startCall` answers; only `ok` lets a byte go out. */
export type StartedCall =
  | { kind: 'ok'; job: Submitting; refusals: BrakeState | null }
  /** Another holder's call is in flight, for at most `ms` more. */
  | { kind: 'held'; job: JobRecord; ms: number }
  /** The time of another holder's call is over: its outcome is unknown. */
  | { kind: 'unknown'; job: JobRecord }
  | { kind: 'expired' | 'canceling'; job: JobRecord }
  | { kind: 'stale' }
  /** Calls like this one were refused: the entry comes again after `ms`. */
  | { kind: 'braked'; ms: number }
  /** No room in the account's limits for `ms`. */
  | { kind: 'wait'; ms: number };

export interface AccountLimits {
  /** Jobs with a call in flight or a living task, over all workers. 0: no limit. */
  maxInFlight: number;
  /** Calls and submits in a minute, over all workers. 0: no limit. */
  rpm: number;
}

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
  keys: ['job', 'due', 'events', 'turns', 'inflight', 'rpm', 'batch?', 'brakes', 'braked'],
  args: ['order'],
  shared: [BRAKE_LUA],
  whenFull: 'runs',
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
      max_in_flight: limits.maxInFlight,
      rpm: limits.rpm,
    };
    const start = async (batchId: string | null | undefined) =>
      (await run(
        startScript,
        {
          job: keys.job(entry.id),
          due: keys.due,
          events: keys.events,
          turns: keys.turns,
          inflight: keys.inflight,
          rpm: keys.rpm,
          batch: batchId == null ? null : keys.batch(batchId),
          brakes: keys.brakes,
          braked: keys.braked,
        },
        { order: JSON.stringify(order) },
      )) as [string, unknown, unknown?];
    const first = await start(entry.batch_id);
    const [kind, reply, more] = first[0] === 'batch' ? await start(String(first[1])) : first;
    if (kind === 'braked' || kind === 'wait') return { kind, ms: Number(reply) };
    const fields = fieldsOf(reply);
    if (fields === null) return { kind: 'stale' };
    const job = decodeRecord(entry.id, fields);
    if (kind === 'ok') return { kind, job: job as Submitting, refusals: brakeStateOf(more) };
    if (kind === 'held') return { kind, job, ms: Number(more) };
    return { kind: kind as 'unknown' | 'expired' | 'canceling', job };
  };
