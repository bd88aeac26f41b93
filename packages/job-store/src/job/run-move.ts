import { randomUUID } from 'node:crypto';
import { type JobRecord, MOVES, type Move, type MoveName, type State } from '@grsai-jobs/jobs';
import { operationId } from '../operation/operations.ts';
import { fieldsOf } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { contextOf, type OpenAttempt } from '../webhook/deliveries.ts';
import { endpointKeys, endpointNameOf, endpointRef } from '../webhook/endpoints.ts';
import { DUE_AFTER_MS } from '../webhook/new-delivery.ts';
import type { RecordField } from './record-codec.ts';

/** Who is to make the first attempt of a webhook that a move brings about; by default whoever takes its entry from the queue. */
export interface FirstAttempt {
  /** The caller itself, under this token, if it may begin now. */
  token?: string | undefined;
  /** The caller has no place for it now: rather than by an entry it goes out behind one of the attempts that are open. */
  busy?: boolean | undefined;
}

/**
 * Where the webhook stands that a move has brought about: it needs an entry, waits in the room of its endpoint, or its first attempt
 * has begun, as its caller had wished. `none`: nothing is owed.
 */
export type Placed = { kind: 'none' } | { kind: 'entry' } | { kind: 'room' } | ({ kind: 'open' } & OpenAttempt);

/** What a move answers. Only `ok` changed anything; `stale` and `wrong` mean that somebody else moved the job on. */
export type Moved =
  | { kind: 'ok'; step: number; turn: number; placed: Placed }
  | { kind: 'missing' }
  | { kind: 'stale'; state: State }
  | { kind: 'wrong'; state: State };

/** The parts of a record that a move needs to know; a whole record will do. */
export type Held = Pick<JobRecord, 'id' | 'tenant' | 'step' | 'progress' | 'batch_id'>;

/** What one move does beside what its row in the table says. */
export interface Change {
  /** Made once by the caller, so that a move sent again by the client library answers as it did the first time. */
  token?: string | undefined;
  /** The holder of the open call makes the move, whatever the step is by now. */
  by?: string | undefined;
  /** Where the move leads; left out for a row that keeps the state. */
  to?: State;
  /** Fewer states than the row allows. */
  from?: readonly State[];
  waitMs?: number;
  /** What the `dueMs` of the row counts from; now and `waitMs` when it is not said. */
  dueFrom?: number;
  set?: Partial<Record<RecordField, string | number>>;
  del?: readonly (RecordField | 'sb' | 'sa' | 'su')[];
  inflightUntil?: number | 0;
  /** When the late sweep looks at the task of the ended run. */
  lateLookAt?: number | undefined;
  turn?: boolean;
  /** Fields that never fall, with the value that they have at least from now on. */
  raise?: Partial<Record<RecordField, number>>;
  event?: string;
  progress?: number;
  delivery?: {
    id: string;
    run: number;
    type: string;
    url: string;
  } & FirstAttempt;
  counter?: string;
  /** Bytes that stand in the object store by this move. */
  stored?: number;
}

/** Runs one row of the table of moves on one job, all or nothing. */
export type RunMove = (name: Exclude<MoveName, 'accept' | 'begin'>, job: Held, change: Change) => Promise<Moved>;

/** The order that the script carries out: the row of the table, and what this move changes. */
function orderOf(row: Move, job: Held, change: Change, now: number) {
  // A row that keeps the state keeps the one that the script finds, which may be newer than the caller's record.
  const [status = '', stage = ''] = row.to === 'same' ? [] : (change.to ?? '').split('/');
  return {
    id: job.id,
    token: change.token ?? randomUUID(),
    now,
    tenant: job.tenant,
    from: change.from ?? row.from,
    step: job.step,
    by: change.by,
    status,
    stage,
    next: row.step === 'next',
    due: row.dueMs === null ? undefined : (change.dueFrom ?? now + (change.waitMs ?? 0)) + row.dueMs,
    inflight: change.inflightUntil,
    late: change.lateLookAt,
    turn: change.turn ?? false,
    event: change.event,
    progress: change.progress ?? job.progress,
    delivery: change.delivery && {
      ...change.delivery,
      tenant: job.tenant,
      job_id: job.id,
      due_after: DUE_AFTER_MS,
      endpoint: endpointNameOf(job.tenant, change.delivery.url),
    },
    counter: change.counter,
    del: change.del ?? [],
    raise: change.raise,
    stored: change.stored ?? 0,
  };
}

function placedOf(change: Change, tenant: string, [placed, own, record]: readonly unknown[]): Placed {
  const { url, token } = change.delivery ?? {};
  if (placed !== 'open' || url === undefined || token === undefined)
    return { kind: placed === 'entry' || placed === 'room' ? placed : 'none' };
  return {
    kind: 'open',
    ...contextOf(fieldsOf(own) ?? {}, fieldsOf(record)),
    lease: { endpoint: endpointRef(tenant, url), token },
  };
}

const answerOf = (change: Change, tenant: string, [kind, ...rest]: readonly unknown[]): Moved => {
  if (kind === 'ok')
    return { kind: 'ok', step: Number(rest[0]), turn: Number(rest[1]), placed: placedOf(change, tenant, rest.slice(2)) };
  if (kind === 'missing') return { kind: 'missing' };
  return { kind: kind as 'stale' | 'wrong', state: String(rest[0]) as State };
};

export function createRunMove(run: RunScript, keys: Keys, clock: { now(): number }): RunMove {
  return async (name, job, change) => {
    const order = orderOf(MOVES[name], job, change, clock.now());
    const fields = Object.entries(change.set ?? {}).flatMap(([field, value]) => [field, value as string | number]);
    const { delivery } = change;
    const none = keys.job(job.id);
    const reply = await run(
      'move',
      [
        keys.job(job.id),
        keys.due,
        keys.events,
        keys.turns,
        keys.inflight,
        keys.tenantFailed(job.tenant),
        keys.failed,
        keys.ended,
        delivery ? keys.delivery(delivery.id) : none,
        keys.tenantDeliveries(job.tenant),
        keys.dueDeliveries,
        keys.counters,
        job.batch_id ? keys.batch(job.batch_id) : keys.job(job.id),
        keys.storing,
        keys.late,
        keys.operations,
        job.batch_id ? keys.operation(operationId('batch-finish', job.batch_id)) : none,
        keys.pendingDeliveries,
        ...(delivery ? Object.values(endpointKeys(keys, endpointRef(job.tenant, delivery.url))) : Array<string>(6).fill(none)),
        keys.usage,
      ],
      [JSON.stringify(order), ...fields],
    );
    return answerOf(change, job.tenant, reply as unknown[]);
  };
}
