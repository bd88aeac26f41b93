import type { Attempt, BrakeState, JobRecord } from '@grsai-jobs/jobs';
import { brakeStateOf } from '../operator/brakes.ts';
import { fieldsOf } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { keptAttempts } from './attempts.ts';
import { decodeRecord } from './record-codec.ts';

/** What `begin` answers; only `ok` lets a byte go out. */
export type Begun =
  | { kind: 'ok'; record: JobRecord; refusals: BrakeState | null }
  | { kind: 'held' | 'unknown' | 'expired' | 'canceling'; record: JobRecord }
  | { kind: 'stale' }
  /** Calls like this one were refused: the entry comes again after `ms`. */
  | { kind: 'braked'; ms: number }
  /** No room in the account's limits for `ms`. */
  | { kind: 'wait'; ms: number };

export interface AccountLimits {
  /** Jobs with an open call or a living task, over all workers. 0: no limit. */
  maxInFlight: number;
  /** Calls and submits in a minute, over all workers. 0: no limit. */
  rpm: number;
}

export const createBegin =
  (run: RunScript, keys: Keys, clock: { now(): number }) =>
  /**
   * Before a byte of a paid call goes out. `token` names the caller from now on; `over` names another's call that is
   * known to be dead and may be taken over, and what is written of it. `inputMs`: more time for a job whose input has to be read from
   * the object store first.
   */
  async (
    entry: { id: string; step: number; batch_id?: string | null | undefined },
    call: {
      token: string;
      limitMs: number;
      inputMs?: number;
      over?: { by: string; attempts: readonly Attempt[]; spent: number };
    },
    limits: AccountLimits,
  ): Promise<Begun> => {
    const now = clock.now();
    const order = {
      id: entry.id,
      token: call.token,
      now,
      step: entry.step,
      until: now + call.limitMs + 10_000,
      input_ms: call.inputMs ?? 0,
      over: call.over?.by,
      att: call.over && keptAttempts(call.over.attempts),
      spent: call.over?.spent,
      max_in_flight: limits.maxInFlight,
      rpm: limits.rpm,
    };
    const begin = async (batchId: string | null | undefined) =>
      (await run(
        'begin',
        [
          keys.job(entry.id),
          keys.due,
          keys.events,
          keys.turns,
          keys.inflight,
          keys.rpm,
          batchId == null ? keys.job(entry.id) : keys.batch(batchId),
          keys.brakes,
          keys.braked,
        ],
        [JSON.stringify(order)],
      )) as [string, unknown, unknown?];
    const first = await begin(entry.batch_id);
    const reply = first[0] === 'batch' ? await begin(String(first[1])) : first;
    if (reply[0] === 'stale') return { kind: 'stale' };
    if (reply[0] === 'braked') return { kind: 'braked', ms: Number(reply[1]) };
    if (reply[0] === 'wait') return { kind: 'wait', ms: Number(reply[1]) };
    const fields = fieldsOf(reply[1]);
    if (fields === null) return { kind: 'stale' };
    const record = decodeRecord(entry.id, fields);
    if (reply[0] === 'ok') return { kind: 'ok', record, refusals: brakeStateOf(reply[2]) };
    return { kind: reply[0] as 'held' | 'unknown' | 'expired' | 'canceling', record };
  };
