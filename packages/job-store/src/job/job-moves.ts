import {
  type Attempt,
  endEvent,
  isFailed,
  type JobError,
  type JobOutput,
  type JobRecord,
  MOVES,
  outputBytes,
  type Pending,
  type State,
  type TerminalStatus,
  unmarked,
} from '@grsai-jobs/jobs';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { endDelivery } from '../webhook/delivery-entry.ts';
import { createAccept } from './accept.ts';
import { keptAttempts } from './attempts.ts';
import { createBegin } from './begin.ts';
import { signatureField } from './record-codec.ts';
import { type Change, createRunMove, type FirstAttempt, type Held } from './run-move.ts';

/** Where no paid call is open; one that is open is ended only by whoever knows its token. */
const NOTHING_OPEN = MOVES.end.from.filter((state) => !state.endsWith('/submitting'));

const SENT_FIELDS = ['sb', 'sa', 'su'] as const;

/** How a run ends. */
export interface EndOfRun {
  status: TerminalStatus;
  /** The holder of an open call ends it, whatever the step is by now. */
  by?: string;
  /** Made once by who tries this until Redis takes it. */
  token?: string;
  output?: JobOutput;
  error?: JobError;
  attempts?: readonly Attempt[];
  spent?: number;
  /** The holder of a frozen call can still bring its task id. */
  keepSent?: boolean;
  set?: Change['set'];
  /** The task may still end: the late sweep looks at it from then on. */
  lateLookAt?: number;
  attempt?: FirstAttempt;
  /** Of an open call: fewer states than the table of moves allows. */
  from?: readonly State[];
}

export type JobMoves = ReturnType<typeof createJobMoves>;

/**
 * The moves of a job, each one script and all or nothing. What a move may start from and what it does to `step` and
 * `due` stands in the table of moves (`packages/jobs`), not here.
 */
export function createJobMoves(run: RunScript, keys: Keys, clock: { now(): number }) {
  const move = createRunMove(run, keys, clock);

  /** The webhook that the end of this run owes, if the caller asked to hear of it. */
  const owed = (job: JobRecord, status: TerminalStatus, attempt: FirstAttempt = {}): Pick<Change, 'delivery'> => {
    const { webhook } = job.doc;
    const entry = endDelivery(job, status);
    if (!webhook || entry === null) return {};
    return { delivery: { id: entry.id, run: job.run, type: endEvent(status), url: webhook.url, ...attempt } };
  };

  /** Why a run ended, and for failures what groups them. */
  const failure = (job: JobRecord, { status, error }: { status: TerminalStatus; error?: JobError }): Change['set'] => ({
    ...(error ? { err: JSON.stringify(error) } : {}),
    ...(error && isFailed(status) ? { sig: signatureField(error, job.doc) } : {}),
  });

  /** The end of a run with an open call names that call. */
  const openCall = (job: JobRecord, by?: string, from?: readonly State[]): Pick<Change, 'by' | 'from'> => {
    const open = by ?? job.sent?.by;
    if (open === undefined) return { from: NOTHING_OPEN };
    return from === undefined ? { by: open } : { by: open, from };
  };

  return {
    accept: createAccept(run, keys, clock),
    begin: createBegin(run, keys, clock),

    /** How far the open call has come. `until`: it is believed to be open for longer than it said. */
    tell: (job: JobRecord, o: { by: string; progress: number; until?: number }) =>
      move('tell', job, {
        by: o.by,
        dueFrom: o.until ?? job.sent?.until ?? clock.now(),
        ...(o.until === undefined ? {} : { set: { su: o.until }, inflightUntil: o.until }),
        raise: { prog: o.progress },
        event: 'job.progress',
        progress: Math.max(job.progress, o.progress),
      }),

    /**
     * The open call is proven to have made nothing, or brought an answer that may be cut short, which is kept as `pending`; the same
     * entry waits `waitMs` and comes again.
     */
    refused: (
      job: JobRecord,
      o: { by: string; waitMs: number; spent: number; attempts: readonly Attempt[]; pending?: Pending },
    ) =>
      move('refused', job, {
        by: o.by,
        to: 'queued',
        waitMs: o.waitMs,
        set: {
          spent: o.spent,
          att: keptAttempts(o.attempts),
          ...(o.pending ? { pend: JSON.stringify(o.pending) } : {}),
        },
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
        set: { base: o.base, task: o.taskId, sub: clock.now(), spent: job.spent + 1, att: keptAttempts(o.attempts), polls: 0 },
        del: SENT_FIELDS,
        inflightUntil: o.aliveUntil,
        event: 'job.generating',
      }),

    /** The task still runs. Progress never falls within a run. */
    look: (job: Held, o: { progress: number; polls: number; attempts?: readonly Attempt[] }) =>
      move('look', job, {
        raise: { prog: o.progress, polls: o.polls },
        set: { polled: clock.now(), ...(o.attempts ? { att: keptAttempts(o.attempts) } : {}) },
        event: 'job.progress',
        progress: Math.max(job.progress, o.progress),
      }),

    /** The task failed and was refunded: it is submitted once more after `waitMs`. */
    again: (job: JobRecord, o: { waitMs: number; attempts: readonly Attempt[] }) =>
      move('again', job, {
        to: 'queued',
        waitMs: o.waitMs,
        set: { att: keptAttempts(o.attempts) },
        del: ['base', 'task', 'sub'],
        inflightUntil: 0,
        turn: true,
        event: 'job.queued',
      }),

    /**
     * What was paid for is there. `by` when the answer of a call brought it; `token` as for `accepted`; `task` when the answer of a
     * submit named one.
     */
    outputs: (
      job: Held,
      o: {
        by?: string;
        token?: string;
        pending: Pending;
        attempts?: readonly Attempt[];
        polls?: number;
        spent?: number;
        task?: { base: string; id: string } | undefined;
      },
    ) =>
      move('outputs', job, {
        by: o.by,
        token: o.token,
        to: 'running/storing',
        set: {
          pend: JSON.stringify(o.pending),
          ...(o.attempts ? { att: keptAttempts(o.attempts) } : {}),
          ...(o.polls === undefined ? {} : { polls: o.polls, polled: clock.now() }),
          ...(o.spent === undefined ? {} : { spent: o.spent }),
          ...(o.task === undefined ? {} : { base: o.task.base, task: o.task.id, sub: clock.now() }),
        },
        del: SENT_FIELDS,
        inflightUntil: 0,
        event: 'job.storing',
      }),

    /** Storing did not work this time; `pending` when there are fresh links. */
    storeAgain: (job: JobRecord, o: { waitMs: number; attempts: readonly Attempt[]; pending?: Pending }) =>
      move('store_again', job, {
        waitMs: o.waitMs,
        set: { att: keptAttempts(o.attempts), ...(o.pending ? { pend: JSON.stringify(o.pending) } : {}) },
      }),

    end: (job: JobRecord, o: EndOfRun) =>
      move('end', job, {
        ...openCall(job, o.by, o.from),
        token: o.token,
        to: o.status,
        set: {
          fin: clock.now(),
          ...(o.status === 'succeeded' ? { prog: 100 } : {}),
          ...(o.output ? { out: JSON.stringify(o.output) } : {}),
          ...failure(job, o),
          ...(o.attempts ? { att: keptAttempts(o.attempts) } : {}),
          ...(o.spent === undefined ? {} : { spent: o.spent }),
          ...o.set,
        },
        del: [...(o.status === 'succeeded' ? (['pend'] as const) : []), ...(o.keepSent ? [] : SENT_FIELDS)],
        inflightUntil: 0,
        event: `job.${o.status}`,
        progress: o.status === 'succeeded' ? 100 : job.progress,
        stored: o.output === undefined ? 0 : outputBytes(o.output),
        ...(o.lateLookAt === undefined ? {} : { lateLookAt: o.lateLookAt }),
        ...owed(job, o.status, o.attempt),
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
      const { pending } = job;
      const again = o.to === 'running/storing' && pending?.links ? { ...pending, links: unmarked(pending.links) } : null;
      return move('reopen', job, {
        by: o.by,
        token: o.token,
        to: o.to,
        set: {
          run: job.run + 1,
          exp: clock.now() + job.doc.expires_in_s * 1000,
          [`past:${job.run}`]: JSON.stringify(past),
          ...(o.late ? { late: 1 } : {}),
          ...(again === null ? {} : { pend: JSON.stringify(again) }),
          ...o.set,
        },
        del: [
          'err',
          'sig',
          'out',
          'prog',
          'fin',
          'spent',
          'crashes',
          ...SENT_FIELDS,
          ...(o.to === 'queued' ? (['base', 'task', 'sub', 'pend', 'late'] as const) : []),
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
    repair: (job: JobRecord) => move('repair', job, { counter: 'repairs' }),

    /** A stage threw (`thrown`) or its worker died (`stalled`). */
    crash: (job: JobRecord, o: { kind: 'thrown' | 'stalled'; waitMs: number }) =>
      move('crash', job, { waitMs: o.waitMs, set: { crashes: job.crashes + 1 }, counter: o.kind }),
  };
}
