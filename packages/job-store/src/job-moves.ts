import { randomUUID } from 'node:crypto';
import {
  type Attempt,
  endEvent,
  eventId,
  type JobDoc,
  type JobError,
  type JobOutput,
  type JobRecord,
  LIMITS,
  MOVES,
  type MoveName,
  type Pending,
  type State,
  type TerminalStatus,
} from '@grsai-jobs/jobs';
import { fieldsOf } from './fields.ts';
import type { Keys } from './keys.ts';
import { decodeRecord, newRecordFields, type RecordField } from './record-codec.ts';
import type { RunScript } from './scripts.ts';

/** What a move answers. Only `ok` changed anything; `stale` and `wrong` mean that somebody else moved the job on. */
export type Moved =
  | { kind: 'ok'; step: number; turn: number }
  | { kind: 'missing' }
  | { kind: 'stale'; state: State }
  | { kind: 'wrong'; state: State };

export type Accepted = { kind: 'ok'; turn: number } | { kind: 'replay'; id: string } | { kind: 'conflict' };

/** What `begin` answers; only `ok` lets a byte go out. */
export type Begun =
  | { kind: 'ok' | 'held' | 'unknown' | 'expired' | 'canceling'; record: JobRecord }
  | { kind: 'stale' }
  /** No room in the account's limits for `ms`. */
  | { kind: 'wait'; ms: number };

export interface AccountLimits {
  /** Jobs with an open call or a living task, over all workers. 0: no limit. */
  maxInFlight: number;
  /** Calls and submits in a minute, over all workers. 0: no limit. */
  rpm: number;
}

export interface Idempotency {
  route: string;
  key: string;
  fingerprint: string;
}

/** Longer than a job can live (design §3). */
const IDEMPOTENCY_TTL_MS = 72 * 3600 * 1000;

/** The parts of a record that a move needs to know; a whole record will do. */
type Held = Pick<JobRecord, 'id' | 'tenant' | 'step' | 'progress' | 'batch_id'>;

interface Change {
  /** Made once by the caller, so that a move sent again by the client library answers as it did the first time. */
  token?: string | undefined;
  /** The holder of the open call makes the move, whatever the step is by now. */
  by?: string | undefined;
  to?: State;
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
  delivery?: { id: string; run: number; type: string; url: string };
  counter?: string;
}

const SENT_FIELDS = ['sb', 'sa', 'su'] as const;

/** The newest attempts, oldest first. */
const kept = (attempts: readonly Attempt[]): string => JSON.stringify(attempts.slice(-LIMITS.attemptsKept));

export type JobMoves = ReturnType<typeof createJobMoves>;

/**
 * The moves of a job, each one script and all or nothing. What a move may start from and what it does to `step` and
 * `due` stands in the table of moves (`packages/jobs`), not here.
 */
export function createJobMoves(run: RunScript, keys: Keys, clock: { now(): number }) {
  async function move(name: Exclude<MoveName, 'accept' | 'begin'>, job: Held, change: Change): Promise<Moved> {
    const row = MOVES[name];
    const now = clock.now();
    const [status = '', stage = ''] = (change.to ?? '').split('/');
    const order = {
      id: job.id,
      token: change.token ?? randomUUID(),
      now,
      tenant: job.tenant,
      from: row.from,
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
      delivery: change.delivery,
      counter: change.counter,
      del: change.del ?? [],
      raise: change.raise,
    };
    const reply = (await run(
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
        change.delivery ? keys.delivery(change.delivery.id) : keys.job(job.id),
        keys.tenantDeliveries(job.tenant),
        keys.dueDeliveries,
        keys.counters,
        job.batch_id ? keys.batch(job.batch_id) : keys.job(job.id),
        keys.storing,
        keys.late,
      ],
      [JSON.stringify(order), ...Object.entries(change.set ?? {}).flatMap(([field, value]) => [field, value as string | number])],
    )) as [string, ...unknown[]];
    if (reply[0] === 'ok') return { kind: 'ok', step: Number(reply[1]), turn: Number(reply[2]) };
    if (reply[0] === 'missing') return { kind: 'missing' };
    return { kind: reply[0] as 'stale' | 'wrong', state: String(reply[1]) as State };
  }

  /** The webhook that the end of this run owes, if the caller asked to hear of it. */
  const owed = (job: JobRecord, status: TerminalStatus): Pick<Change, 'delivery'> => {
    const type = endEvent(status);
    const { webhook } = job.doc;
    if (!webhook?.events.includes(type)) return {};
    return { delivery: { id: eventId(job.id, job.run, type), run: job.run, type, url: webhook.url } };
  };

  return {
    /** The caller's request becomes a record, once for one idempotency key. */
    async accept(job: {
      id: string;
      tenant: string;
      doc: JobDoc;
      createdAt?: number;
      idempotency?: Idempotency;
    }): Promise<Accepted> {
      const { id, tenant, doc, idempotency, createdAt: now = clock.now() } = job;
      const order = {
        id,
        now,
        due: now + MOVES.accept.dueMs,
        tenant,
        idem: idempotency && { fingerprint: idempotency.fingerprint, ttl_ms: IDEMPOTENCY_TTL_MS },
      };
      const reply = (await run(
        'accept',
        [
          keys.job(id),
          keys.due,
          keys.events,
          keys.turns,
          keys.tenantJobs(tenant),
          idempotency ? keys.idempotency(tenant, idempotency.route, idempotency.key) : keys.job(id),
        ],
        [JSON.stringify(order), ...Object.entries(newRecordFields({ tenant, doc, createdAt: now })).flat()],
      )) as [string, unknown];
      if (reply[0] === 'ok') return { kind: 'ok', turn: Number(reply[1]) };
      return reply[0] === 'replay' ? { kind: 'replay', id: String(reply[1]) } : { kind: 'conflict' };
    },

    /**
     * Before a byte of a paid call goes out. `token` names the caller from now on; `over` names another's call that is
     * known to be dead and may be taken over, and what is written of it.
     */
    async begin(
      entry: { id: string; step: number },
      call: { token: string; limitMs: number; over?: { by: string; attempts: readonly Attempt[]; spent: number } },
      limits: AccountLimits,
    ): Promise<Begun> {
      const now = clock.now();
      const order = {
        id: entry.id,
        token: call.token,
        now,
        step: entry.step,
        until: now + call.limitMs + 10_000,
        over: call.over?.by,
        att: call.over && kept(call.over.attempts),
        spent: call.over?.spent,
        max_in_flight: limits.maxInFlight,
        rpm: limits.rpm,
      };
      const reply = (await run(
        'begin',
        [keys.job(entry.id), keys.due, keys.events, keys.turns, keys.inflight, keys.rpm],
        [JSON.stringify(order)],
      )) as [string, unknown];
      if (reply[0] === 'stale') return { kind: 'stale' };
      if (reply[0] === 'wait') return { kind: 'wait', ms: Number(reply[1]) };
      const fields = fieldsOf(reply[1]);
      if (fields === null) return { kind: 'stale' };
      return { kind: reply[0] as 'ok' | 'held' | 'unknown' | 'expired' | 'canceling', record: decodeRecord(entry.id, fields) };
    },

    /** How far the open call has come. */
    tell: (job: JobRecord, o: { by: string; progress: number }) =>
      move('tell', job, {
        by: o.by,
        to: 'running/submitting',
        dueFrom: job.sent?.until ?? clock.now(),
        raise: { prog: o.progress },
        event: 'job.progress',
        progress: Math.max(job.progress, o.progress),
      }),

    /** The open call is proven to have made nothing; the same entry waits `waitMs` and comes again. */
    refused: (job: JobRecord, o: { by: string; waitMs: number; spent: number; attempts: readonly Attempt[] }) =>
      move('refused', job, {
        by: o.by,
        to: 'queued',
        waitMs: o.waitMs,
        set: { spent: o.spent, att: kept(o.attempts) },
        del: SENT_FIELDS,
        inflightUntil: 0,
        event: 'job.queued',
      }),

    /** Upstream took the task. `token` is reused when this is tried until Redis takes it. */
    accepted: (
      job: JobRecord,
      o: {
        by: string;
        token: string;
        base: string;
        taskId: string;
        firstLookMs: number;
        aliveUntil: number;
        attempts: readonly Attempt[];
      },
    ) =>
      move('accepted', job, {
        by: o.by,
        token: o.token,
        to: 'running/generating',
        waitMs: o.firstLookMs,
        set: { base: o.base, task: o.taskId, sub: clock.now(), spent: job.spent + 1, att: kept(o.attempts), polls: 0 },
        del: SENT_FIELDS,
        inflightUntil: o.aliveUntil,
        event: 'job.generating',
      }),

    /** The task still runs. Progress never falls within a run. */
    look: (job: Held, o: { progress: number; polls: number; attempts?: readonly Attempt[] }) =>
      move('look', job, {
        to: 'running/generating',
        raise: { prog: o.progress, polls: o.polls },
        set: { polled: clock.now(), ...(o.attempts ? { att: kept(o.attempts) } : {}) },
        event: 'job.progress',
        progress: Math.max(job.progress, o.progress),
      }),

    /** The task failed and was refunded: it is submitted once more after `waitMs`. */
    again: (job: JobRecord, o: { waitMs: number; attempts: readonly Attempt[] }) =>
      move('again', job, {
        to: 'queued',
        waitMs: o.waitMs,
        set: { att: kept(o.attempts) },
        del: ['base', 'task', 'sub'],
        inflightUntil: 0,
        turn: true,
        event: 'job.queued',
      }),

    /** What was paid for is there. `by` when the answer of a held call brought it. */
    outputs: (job: Held, o: { by?: string; pending: Pending; attempts?: readonly Attempt[]; polls?: number; spent?: number }) =>
      move('outputs', job, {
        by: o.by,
        to: 'running/storing',
        set: {
          pend: JSON.stringify(o.pending),
          ...(o.attempts ? { att: kept(o.attempts) } : {}),
          ...(o.polls === undefined ? {} : { polls: o.polls, polled: clock.now() }),
          ...(o.spent === undefined ? {} : { spent: o.spent }),
        },
        del: SENT_FIELDS,
        inflightUntil: 0,
        event: 'job.storing',
      }),

    /** Storing did not work this time; `pending` when there are fresh links. */
    storeAgain: (job: JobRecord, o: { waitMs: number; attempts: readonly Attempt[]; pending?: Pending }) =>
      move('store_again', job, {
        to: 'running/storing',
        waitMs: o.waitMs,
        set: { att: kept(o.attempts), ...(o.pending ? { pend: JSON.stringify(o.pending) } : {}) },
      }),

    /** The end of a run. `keepSent` lets the holder of a frozen call still bring its task id. */
    end: (
      job: JobRecord,
      o: {
        status: TerminalStatus;
        by?: string;
        output?: JobOutput;
        error?: JobError;
        attempts?: readonly Attempt[];
        spent?: number;
        keepSent?: boolean;
        counter?: string;
        set?: Change['set'];
        lateLookAt?: number;
      },
    ) =>
      move('end', job, {
        by: o.by,
        to: o.status,
        set: {
          fin: clock.now(),
          ...(o.status === 'succeeded' ? { prog: 100 } : {}),
          ...(o.output ? { out: JSON.stringify(o.output) } : {}),
          ...(o.error ? { err: JSON.stringify(o.error) } : {}),
          ...(o.attempts ? { att: kept(o.attempts) } : {}),
          ...(o.spent === undefined ? {} : { spent: o.spent }),
          ...o.set,
        },
        del: [...(o.status === 'succeeded' ? (['pend'] as const) : []), ...(o.keepSent ? [] : SENT_FIELDS)],
        inflightUntil: 0,
        event: `job.${o.status}`,
        progress: o.status === 'succeeded' ? 100 : job.progress,
        ...(o.counter ? { counter: o.counter } : {}),
        ...(o.lateLookAt === undefined ? {} : { lateLookAt: o.lateLookAt }),
        ...owed(job, o.status),
      }),

    /** Nothing of ours is open: canceled at once. Upstream cannot be stopped, so its task id stays. */
    cancel: (job: JobRecord) =>
      move('cancel', job, {
        to: 'canceled',
        set: { fin: clock.now() },
        inflightUntil: 0,
        event: 'job.canceled',
        ...owed(job, 'canceled'),
      }),

    /** A call or a store is open; whoever holds it ends the job. */
    cancelOpen: (job: JobRecord) =>
      move('cancel_open', job, {
        to: job.stage === 'storing' ? 'canceling/storing' : 'canceling/submitting',
        event: 'job.canceling',
      }),

    /** A new run. `by` when the holder of a lost call brings its late task id. */
    reopen: (
      job: JobRecord,
      o: {
        to: 'queued' | 'running/generating' | 'running/storing';
        by?: string;
        token?: string;
        late?: boolean;
        set?: Change['set'];
        aliveUntil?: number;
      },
    ) => {
      const past = { status: job.status, error: job.error, output: job.output, finished_at: job.finished_at };
      return move('reopen', job, {
        by: o.by,
        token: o.token,
        to: o.to,
        set: {
          run: job.run + 1,
          exp: clock.now() + job.doc.expires_in_s * 1000,
          [`past:${job.run}`]: JSON.stringify(past),
          ...(o.late ? { late: 1 } : {}),
          ...o.set,
        },
        del: [
          'err',
          'out',
          'prog',
          'fin',
          'spent',
          'crashes',
          ...SENT_FIELDS,
          ...(o.to === 'queued' ? (['base', 'task', 'sub', 'pend'] as const) : []),
        ],
        ...(o.aliveUntil ? { inflightUntil: o.aliveUntil } : {}),
        turn: o.to === 'queued',
        event: 'job.reopened',
        progress: 0,
      });
    },

    /** A task id that came after its run had ended. `false`: the call was taken over, or the record is gone. */
    async keepTask(
      job: Pick<JobRecord, 'id'>,
      o: { by: string; base: string; taskId: string; submittedAt: number; lookAt: number },
    ): Promise<boolean> {
      const args = [job.id, o.by, o.base, o.taskId, o.submittedAt, o.lookAt];
      return (await run('keep-task', [keys.job(job.id), keys.late], args)) === 1;
    },

    /** The job is alive and its entry is gone. */
    repair: (job: JobRecord) => move('repair', job, { to: liveState(job), counter: 'repairs' }),

    /** A stage threw (`thrown`) or its worker died (`stalled`). */
    crash: (job: JobRecord, o: { kind: 'thrown' | 'stalled'; waitMs: number }) =>
      move('crash', job, { to: liveState(job), waitMs: o.waitMs, set: { crashes: job.crashes + 1 }, counter: o.kind }),
  };
}

const liveState = (job: JobRecord): State => (job.stage === null ? job.status : `${job.status}/${job.stage}`) as State;
