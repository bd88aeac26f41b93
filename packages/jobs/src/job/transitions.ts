import type { JobCost } from '../cost/cost.ts';
import type { CallEnd } from '../cost/settlement.ts';
import type { Attempt, JobError, JobOutput, NewAttempt, UnstoredResult } from './job.ts';
import { LIVE, type State, TERMINAL, type TerminalStatus } from './states.ts';

/** One row of the table: what may happen to a job. */
export interface TransitionRow {
  /** States that it may start from. Empty: there is no record yet. */
  readonly from: readonly State[];
  /** Where it leads. `same` keeps the state; of a list the transition says which; empty: the record is deleted. */
  readonly to: readonly State[] | 'same';
  /** What becomes of `step`, and with it of the queue entry: `next` ends the entry of the step before. */
  readonly step: 'first' | 'same' | 'next';
  /** Who may make it: whoever has read the record as it stands (`step`), or the holder of the lease. */
  readonly guard: 'none' | 'step' | 'lease' | 'step or lease';
  /**
   * By when something must have happened again, in ms after the entry's delay is over. `lease`: by the end of the lease.
   * `expiry`: when the job expires. `keep`: as before. `null`: nothing is due any more.
   */
  readonly due: number | 'lease' | 'expiry' | 'keep' | null;
  /** It records what was paid for, or frees memory, so it runs on a full Redis too. */
  readonly paid: boolean;
  /** A failover may forget it: it comes again by itself, and nobody was told of it. All others last as long as `REDIS_DURABILITY` says. */
  readonly mayBeLost?: true;
  /** Also of a job whose delete has begun. */
  readonly whileErasing?: true;
  /** The event for watchers. `status`: the status that it leads to. */
  readonly event?: string;
}

const SOON = 30_000;
/** Nobody of its tenant gets the seat of a job whose entry was lost with the process that let it in, so it is looked for early. */
const SEAT_HELD = 10_000;
const MINUTE = 60_000;

/**
 * The one table of transitions. Nothing else changes the state of a job: the scripts get these rows as constants, and each script
 * that writes a state asks its row whether it may.
 */
export const TRANSITIONS = {
  /** A request becomes a record. */
  create: { from: [], to: ['queued'], step: 'first', guard: 'none', due: SOON, paid: false, event: 'job.queued' },
  /** A line of a batch becomes a record, which nobody sees before the batch is committed. */
  stage_line: { from: [], to: ['queued'], step: 'first', guard: 'none', due: 'expiry', paid: false },
  /** The next job of a tenant leaves its room: it takes its turn and gets a queue entry. */
  let_in: { from: ['queued'], to: 'same', step: 'same', guard: 'none', due: SEAT_HELD, paid: true },
  /** Its tenant has all the permits that it may have now: the job goes back to its room, and its entry is done with. */
  park: { from: ['queued'], to: 'same', step: 'next', guard: 'step', due: 'expiry', paid: true, mayBeLost: true },
  /** A line of a batch that was never committed: its record is deleted. */
  discard_line: { from: ['queued'], to: [], step: 'same', guard: 'none', due: null, paid: true },
  /** Takes the lease of a paid call, before a byte of it goes out; also from a holder that is known to be dead. */
  start_call: {
    from: ['queued', 'running/submitting'],
    to: ['running/submitting'],
    step: 'same',
    guard: 'step',
    due: 'lease',
    paid: true,
    event: 'job.started',
  },
  /** A failover has forgotten the lease of a call that is in flight, or was paid for: its holder has it again. */
  reassert_call: {
    from: ['queued', 'running/submitting', 'running/generating'],
    to: ['running/submitting'],
    step: 'same',
    guard: 'step',
    due: 'lease',
    paid: true,
    event: 'job.started',
  },
  /** How far the call in flight has come. */
  report_progress: {
    // The answer of an image call is stored before it is written down, also when its caller has canceled the job meanwhile.
    from: ['running/submitting', 'canceling/submitting'],
    to: 'same',
    step: 'same',
    guard: 'lease',
    due: 'lease',
    paid: true,
    mayBeLost: true,
    event: 'job.progress',
  },
  /** The call is proven to have made nothing, or is made once more: its entry waits. */
  release: {
    from: ['running/submitting'],
    to: ['queued'],
    step: 'same',
    guard: 'lease',
    due: SOON,
    paid: true,
    event: 'job.queued',
  },
  /** Upstream has accepted the image task. */
  task_accepted: {
    from: ['running/submitting'],
    to: ['running/generating'],
    step: 'next',
    guard: 'lease',
    due: MINUTE,
    paid: true,
    event: 'job.generating',
  },
  /** The task was polled and still runs. */
  poll: {
    from: ['running/generating'],
    to: 'same',
    step: 'same',
    guard: 'step',
    due: 5 * MINUTE,
    paid: true,
    mayBeLost: true,
    event: 'job.progress',
  },
  /** The task failed and was refunded: it is submitted once more. */
  resubmit: {
    from: ['running/generating'],
    to: ['queued'],
    step: 'next',
    guard: 'step',
    due: SOON,
    paid: true,
    event: 'job.queued',
  },
  /** What was paid for is there and has to be stored. */
  start_storing: {
    // A synchronous call that came to its end although it was to be canceled was paid for: its result is kept. So is what an earlier call of a
    // queued chat brought when its time is over.
    from: ['queued', 'running/generating', 'running/submitting', 'canceling/submitting'],
    to: ['running/storing'],
    step: 'next',
    guard: 'step or lease',
    // Short: a lost store entry must not delay a paid result. Nothing is requeued while the entry exists.
    due: SOON,
    paid: true,
    event: 'job.storing',
  },
  /** Storing did not work this time: its entry waits. */
  retry_storing: {
    from: ['running/storing'],
    to: 'same',
    step: 'same',
    guard: 'step',
    due: 5 * MINUTE,
    paid: true,
    mayBeLost: true,
  },
  /** The end of a run. */
  finish: {
    from: LIVE,
    to: TERMINAL,
    step: 'next',
    guard: 'step or lease',
    due: null,
    paid: true,
    event: 'status',
  },
  /** Nothing of ours is in flight: canceled at once. */
  cancel: {
    from: ['queued', 'running/generating'],
    to: ['canceled'],
    step: 'next',
    guard: 'step',
    due: null,
    paid: true,
    event: 'status',
  },
  /** A call is in flight or a result is being stored; whoever does that ends the job. */
  request_cancel: {
    from: ['running/submitting', 'running/storing'],
    to: ['canceling/submitting', 'canceling/storing'],
    step: 'same',
    guard: 'step',
    due: MINUTE,
    paid: true,
    event: 'job.canceling',
  },
  /** A new run of an ended job. */
  reopen: {
    from: ['failed', 'expired', 'canceled'],
    to: ['queued', 'running/generating', 'running/storing'],
    step: 'next',
    guard: 'step or lease',
    due: SOON,
    paid: true,
    event: 'job.reopened',
  },
  /** The job is alive and its queue entry is gone: it gets a new one. */
  requeue: { from: LIVE, to: 'same', step: 'next', guard: 'step', due: SOON, paid: true, mayBeLost: true },
  /** A stage failed in a way that it does not handle, or its process died: a new entry, counted. */
  record_crash: { from: LIVE, to: 'same', step: 'next', guard: 'step', due: SOON, paid: true, mayBeLost: true },
  /** The id of a task that was paid for by a call whose run has ended meanwhile. */
  record_task: { from: TERMINAL, to: 'same', step: 'same', guard: 'lease', due: 'keep', paid: true },
  /** It is known by now what became of a call whose run has ended. */
  settle_call: {
    from: ['failed', 'canceled', 'expired'],
    to: 'same',
    step: 'same',
    guard: 'step or lease',
    due: 'keep',
    paid: true,
  },
  /** What the job stored is about to be deleted: from now on nothing reopens it. */
  begin_erase: { from: TERMINAL, to: 'same', step: 'same', guard: 'step', due: 'keep', paid: true, whileErasing: true },
  /** The last one: nothing is kept of the job. */
  erase: { from: TERMINAL, to: [], step: 'same', guard: 'step', due: null, paid: true, whileErasing: true },
} as const satisfies Record<string, TransitionRow>;

export type TransitionName = keyof typeof TRANSITIONS;

/** An image task as upstream named it. */
export interface TaskRef {
  base: string;
  id: string;
}

/**
 * What happens to a job, as plain data. Times are durations from the moment that it happens. `attempt` is the attempt that led to it.
 * `callEnd`: what became of the paid call, where the rest does not say it (`endOfCall`).
 * `create`, `stage_line`, `let_in`, `park`, `discard_line`, `start_call`, `begin_erase` and `erase` have functions of their own in the store.
 */
export type Transition =
  /**
   * `heldMs`, `leftMs`: since when its holder has the lease, and for how long it has it yet. `attempts` and what they have used up before it.
   * `startedAt`: when the first call of the job began. `cost`: what its calls had come to when this one began. `model`: the call is with another of its models than the record (`onModel`).
   */
  | {
      kind: 'reassert_call';
      token: string;
      heldMs: number;
      leftMs: number;
      attempts: readonly Attempt[];
      attemptsUsed: number;
      startedAt: number | null;
      cost: JobCost;
      model?: number;
    }
  /** `leaseMs`: the call is believed to be in flight for so much longer. */
  | { kind: 'report_progress'; progress: number; leaseMs?: number }
  /** `unstored`: an answer that may be cut short, kept should nothing better come. */
  | {
      kind: 'release';
      attempt?: NewAttempt;
      attemptsUsed?: number;
      waitMs: number;
      unstored?: UnstoredResult;
      callEnd?: CallEnd;
      /** Not a byte of it went out: it does not count among the calls of its minute. */
      unsent?: true;
      /** The run goes on with another of its models (`onModel`). */
      model?: number;
    }
  | { kind: 'task_accepted'; task: TaskRef; attempt: NewAttempt; firstPollMs: number; aliveMs: number }
  | { kind: 'poll'; progress: number; polls: number; attempt?: NewAttempt }
  | { kind: 'resubmit'; attempt: NewAttempt; waitMs: number; callEnd?: CallEnd; model?: number }
  /** `task`: the answer of the submit named one. */
  | { kind: 'start_storing'; unstored: UnstoredResult; attempt?: NewAttempt; polls?: number; task?: TaskRef; callEnd?: CallEnd }
  | { kind: 'retry_storing'; attempt: NewAttempt; waitMs: number; unstored?: UnstoredResult }
  | Finish
  | { kind: 'cancel' }
  | { kind: 'request_cancel' }
  | Reopen
  | { kind: 'requeue' }
  | { kind: 'record_crash'; cause: 'thrown' | 'stalled'; waitMs: number }
  /** `latePollMs`: when the task is polled. */
  | { kind: 'record_task'; task: TaskRef; latePollMs: number }
  /** Nothing more can come of it. `unwanted`: the completion that it brought, which says what it cost. */
  | { kind: 'settle_call'; callEnd: CallEnd; unwanted?: unknown };

export interface Finish {
  kind: 'finish';
  status: TerminalStatus;
  output?: JobOutput;
  error?: JobError;
  attempt?: NewAttempt;
  /** Attempts that this end has used up; `attempt` or not. */
  attemptsUsed?: number;
  task?: TaskRef;
  /** Whoever holds the lease can still bring a task or a result. */
  keepLease?: true;
  /** The task may still end well: it is polled late, from then on. */
  latePollMs?: number;
  /** Not of a job that is to be canceled: that one ends as canceled. */
  unlessCanceling?: true;
  /** It ends because a time is over: refused where that is more than 5 s ahead by the clock of Redis. ms since 1970. */
  notBefore?: number;
  /** What became of the paid call, where the rest does not say it. */
  callEnd?: CallEnd;
  /** The completion that the call brought and nobody waits for: it says what it cost. */
  unwanted?: unknown;
}

export interface Reopen {
  kind: 'reopen';
  to: 'queued' | 'running/generating' | 'running/storing';
  /** The holder of a kept lease, by its token, brings what its run was given up for. */
  byLease?: string;
  /** A task or result came after the end of its run. */
  late?: true;
  task?: TaskRef;
  unstored?: UnstoredResult;
  /** How long its task may be in flight. */
  aliveMs?: number;
}

/** A crash or stall count at which a run ends as `internal` or `crashed`. */
export const MAX_CRASHES = 5;
