import type { JobPrice } from '../cost/price.ts';
import { type Settlement, settlementOf } from '../cost/settlement.ts';
import { endEvent } from '../events.ts';
import { modelAt, onModel, priceAt } from '../fallback.ts';
import { eventId } from '../ids.ts';
import { outputBytes } from '../output-bytes.ts';
import { FIRST_LATE_POLL_MS, unmarked } from '../unstored.ts';
import { withAttempt } from './attempts.ts';
import type { JobRecord, PastRun } from './job.ts';
import { hasLivingTask, isCall, type State, stateIn, type TerminalStatus } from './states.ts';
import {
  type Finish,
  type Reopen,
  type TaskRef,
  TRANSITIONS,
  type Transition,
  type TransitionName,
  type TransitionRow,
} from './transitions.ts';

/** What is known of a job that is polled without its record. It is enough for `poll` and `start_storing` without an attempt. */
export type PolledJob = Pick<JobRecord, 'id' | 'tenant' | 'step' | 'progress' | 'batch_id'>;

/** Fields of the record that a transition sets; `null` removes one. */
export type JobPatch = Partial<
  Pick<JobRecord, 'attempts' | 'attempts_used' | 'crashes' | 'unstored' | 'output' | 'error' | 'run' | 'started_at'> & {
    lease: null | { token: string };
    task: TaskRef | null;
    progress: number | null;
    polls: number;
    finished_at: null;
    late_result: true | null;
    /** Which of its models it goes on with, and what a call of it costs. */
    model: { at: number; name: string; price: JobPrice | null };
  }
>;

/** Fields that are set to a time: so many ms after the transition happens. */
export type Stamps = Partial<
  Record<'finished_at' | 'submitted_at' | 'last_polled_at' | 'expires_at' | 'lease_acquired_at' | 'lease_expires_at', number>
>;

/** A webhook that reports the end of a run. */
export interface NewDelivery {
  id: string;
  run: number;
  type: string;
  url: string;
}

/** What the script is to do, all or nothing: the row of the table with the values of one transition. It holds no times but those of the record. */
export interface Order {
  name: TransitionName;
  /** Who makes it: the holder of this lease, or whoever has seen this step. */
  guard: { lease: string } | { step: number };
  /** States that it may start from: those of the row, or fewer. */
  from: readonly State[];
  /** Where it leads; `null` keeps the state. */
  to: State | null;
  patch: JobPatch;
  stamps: Stamps;
  /** Values that never fall. */
  atLeast: { progress?: number; polls?: number };
  past?: { run: number; was: PastRun };
  due: TransitionRow['due'];
  /** How long the job counts as in flight; 0: no longer. */
  inFlightMs?: number;
  /** When its task is polled late. */
  latePollMs?: number;
  /** The call that it ends does not count among those of its minute. */
  unsent?: true;
  /** It takes a new turn; `room`: once it is let in, for it goes to the room of its tenant where others wait. */
  newTurn: boolean | 'room';
  event?: string;
  /** What the event says. */
  progress: number;
  delivery?: NewDelivery;
  counter?: string;
  /** It is refused as early where this is still to come by the time of Redis. ms since 1970. */
  notBefore?: number;
  /** Bytes that stand in the object store from now on. */
  storedBytes: number;
  /** What becomes of the credits that its open call has set aside. */
  cost?: Settlement;
}

type Planned = Partial<Omit<Order, 'name' | 'due'>> & { waitMs?: number };

/** A crash or stop may leave a call in flight for a while after its lease: it counts against the limits of the account until then. */
const IN_FLIGHT_AFTER_LEASE_MS = 60_000;

/** The order of a transition. A pure function: no clock, no random numbers, no I/O. */
export function plan(job: PolledJob & Partial<JobRecord>, t: Transition): Order {
  const row: TransitionRow = TRANSITIONS[t.kind];
  const { waitMs = 0, ...planned } = PLANS[t.kind](job, t as never);
  const to = planned.to ?? (row.to === 'same' ? null : (row.to[0] ?? null));
  const guard = planned.guard ?? guardOf(job, row);
  const cost = settlementOf(job, t);
  return {
    name: t.kind,
    guard,
    // Without the lease nobody ends a call that is in flight.
    from:
      planned.from ?? (row.guard === 'step or lease' && 'step' in guard ? row.from.filter((each) => !isCall(each)) : row.from),
    to,
    patch: {},
    stamps: {},
    atLeast: {},
    due: typeof row.due === 'number' ? row.due + waitMs : row.due,
    newTurn: false,
    progress: job.progress,
    storedBytes: 0,
    ...(cost === undefined ? {} : { cost }),
    ...(row.event === undefined ? {} : { event: row.event === 'status' ? `job.${to}` : row.event }),
    ...planned,
  };
}

const inCall = ({ status, stage }: Partial<JobRecord>): boolean =>
  status !== undefined && stage !== undefined && isCall(stateIn({ status, stage }));

/** Where a row allows both, the holder of the lease makes the transition while the call is in flight. */
function guardOf(job: PolledJob & Partial<JobRecord>, row: TransitionRow): Order['guard'] {
  const { lease } = job;
  if (row.guard === 'lease' && !lease) throw new Error(`job ${job.id} has no lease`);
  return isByLease(job, row) && lease ? { lease: lease.token } : { step: job.step };
}

const isByLease = (job: Partial<JobRecord>, { guard }: TransitionRow): boolean =>
  guard === 'lease' || (guard === 'step or lease' && inCall(job));

/** Parts of a transition that are paid for. */
const PAID_PARTS = ['task', 'unstored', 'output'] as const;

/**
 * Whether the transition holds what was paid for and stands nowhere else: what the holder of a lease brings. A task that was polled, and a
 * result that was stored, are on record.
 */
export const bringsPaid = (job: Partial<JobRecord>, t: Transition): boolean =>
  isByLease(job, TRANSITIONS[t.kind]) && PAID_PARTS.some((part) => part in t && t[part as keyof Transition] !== undefined);

function whole(job: PolledJob & Partial<JobRecord>): JobRecord {
  if (job.attempts === undefined || job.doc === undefined) throw new Error(`the record of ${job.id} was not read`);
  return job as JobRecord;
}

const more = (job: PolledJob & Partial<JobRecord>, t: { attempt?: Parameters<typeof withAttempt>[1] }): JobPatch =>
  t.attempt === undefined ? {} : { attempts: withAttempt(whole(job), t.attempt) };

/** Each model has all its attempts. */
function withModel(job: PolledJob & Partial<JobRecord>, at: number | undefined): JobPatch {
  if (at === undefined) return {};
  const { doc, price } = whole(job);
  return { model: { at, name: onModel(doc, at).input.model, price: priceAt({ doc, price }, at) }, attempts_used: 0 };
}

type Of<K extends Transition['kind']> = Extract<Transition, { kind: K }>;
type Plans = { readonly [K in Transition['kind']]: (job: PolledJob & Partial<JobRecord>, t: Of<K>) => Planned };

const PLANS: Plans = {
  reassert_call: (job, t) => ({
    patch: {
      ...withModel(job, t.model),
      lease: { token: t.token },
      attempts: [...t.attempts],
      attempts_used: t.attemptsUsed,
      ...(t.startedAt === null ? {} : { started_at: t.startedAt }),
      task: null,
    },
    stamps: { lease_acquired_at: -t.heldMs, lease_expires_at: t.leftMs },
    inFlightMs: t.leftMs + IN_FLIGHT_AFTER_LEASE_MS,
  }),
  report_progress: (job, t) => ({
    atLeast: { progress: t.progress },
    progress: Math.max(job.progress, t.progress),
    ...(t.leaseMs === undefined
      ? {}
      : { stamps: { lease_expires_at: t.leaseMs }, inFlightMs: t.leaseMs + IN_FLIGHT_AFTER_LEASE_MS }),
  }),
  release: (job, t) => ({
    waitMs: t.waitMs,
    patch: {
      ...more(job, t),
      lease: null,
      ...(t.attemptsUsed === undefined ? {} : { attempts_used: t.attemptsUsed }),
      ...(t.unstored === undefined ? {} : { unstored: t.unstored }),
      ...withModel(job, t.model),
    },
    inFlightMs: 0,
    ...(t.unsent ? { unsent: true } : {}),
  }),
  task_accepted: (job, t) => ({
    waitMs: t.firstPollMs,
    patch: { ...more(job, t), lease: null, task: t.task, polls: 0, attempts_used: whole(job).attempts_used + 1 },
    stamps: { submitted_at: 0 },
    inFlightMs: t.aliveMs,
  }),
  poll: (job, t) => ({
    patch: more(job, t),
    // A poll that is kept as an attempt did not find the task.
    stamps: t.attempt === undefined ? { last_polled_at: 0 } : {},
    atLeast: { progress: t.progress, polls: t.polls },
    progress: Math.max(job.progress, t.progress),
  }),
  resubmit: (job, t) => ({
    waitMs: t.waitMs,
    patch: { ...more(job, t), task: null, ...withModel(job, t.model) },
    inFlightMs: 0,
    newTurn: true,
  }),
  start_storing: (job, t) => ({
    patch: {
      ...more(job, t),
      unstored: t.unstored,
      lease: null,
      ...(t.polls === undefined ? {} : { polls: t.polls }),
      ...(t.task === undefined ? {} : { task: t.task }),
      // The answer of a paid call; a task that was polled has used up its attempt before.
      ...(inCall(job) ? { attempts_used: whole(job).attempts_used + 1 } : {}),
    },
    stamps: {
      ...(t.polls === undefined ? {} : { last_polled_at: 0 }),
      ...(t.task === undefined ? {} : { submitted_at: 0 }),
    },
    inFlightMs: 0,
  }),
  retry_storing: (job, t) => ({
    waitMs: t.waitMs,
    patch: { ...more(job, t), ...(t.unstored === undefined ? {} : { unstored: t.unstored }) },
  }),
  finish: (job, t) => finish(whole(job), t),
  cancel: (job) => ({
    patch: {},
    stamps: { finished_at: 0 },
    inFlightMs: 0,
    // Upstream cannot be stopped, and its end says what it cost.
    ...(hasLivingTask(whole(job)) && whole(job).price !== null ? { latePollMs: FIRST_LATE_POLL_MS } : {}),
    ...reported(whole(job), 'canceled'),
  }),
  // Of the stage that the job was read in: what is in flight by now may be something else.
  request_cancel: ({ stage }) => ({
    from: TRANSITIONS.request_cancel.from.filter((each) => each === `running/${stage}`),
    to: stage === null || stage === undefined ? null : (`canceling/${stage}` as State),
  }),
  reopen: (job, t) => reopen(whole(job), t),
  requeue: () => ({ counter: 'repairs' }),
  record_crash: (job, t) => ({ waitMs: t.waitMs, patch: { crashes: whole(job).crashes + 1 }, counter: t.cause }),
  settle_call: () => ({}),
  record_task: (_, t) => ({
    patch: { task: t.task },
    stamps: { submitted_at: 0 },
    latePollMs: t.latePollMs,
  }),
};

function finish(job: JobRecord, t: Finish): Planned {
  const done = t.status === 'succeeded';
  return {
    to: t.status,
    ...(t.unlessCanceling ? { from: TRANSITIONS.finish.from.filter((each) => each !== 'canceling/submitting') } : {}),
    patch: {
      ...more(job, t),
      ...(t.attemptsUsed === undefined ? {} : { attempts_used: t.attemptsUsed }),
      ...(done ? { progress: 100, unstored: null } : {}),
      ...(t.output === undefined ? {} : { output: t.output }),
      ...(t.error === undefined ? {} : { error: t.error }),
      ...(t.task === undefined ? {} : { task: t.task }),
      ...(t.keepLease ? {} : { lease: null }),
    },
    stamps: { finished_at: 0, ...(t.task === undefined ? {} : { submitted_at: 0 }) },
    inFlightMs: 0,
    progress: done ? 100 : job.progress,
    storedBytes: t.output === undefined ? 0 : outputBytes(t.output),
    ...(t.latePollMs === undefined ? {} : { latePollMs: t.latePollMs }),
    ...(t.notBefore === undefined ? {} : { notBefore: t.notBefore }),
    ...reported(job, t.status),
  };
}

function reopen(job: JobRecord, t: Reopen): Planned {
  const { status, error, output, finished_at, unstored } = job;
  const submits = t.to === 'queued';
  // What was refused by its host in the run before is tried again.
  const kept =
    t.unstored ?? (t.to === 'running/storing' && unstored?.links ? { ...unstored, links: unmarked(unstored.links) } : undefined);
  if (t.to === 'running/storing' && (kept ?? unstored) === null) throw new Error(`job ${job.id} has no result to store`);
  if (t.to === 'running/generating' && (t.task ?? job.task) === null) throw new Error(`job ${job.id} has no task to poll`);
  return {
    to: t.to,
    guard: t.byLease === undefined ? { step: job.step } : { lease: t.byLease },
    patch: {
      run: job.run + 1,
      error: null,
      output: null,
      progress: null,
      finished_at: null,
      attempts_used: 0,
      crashes: 0,
      lease: null,
      ...(submits ? { task: null, unstored: null, late_result: null } : {}),
      // A new run begins with the model that was asked for.
      ...(submits && modelAt(job.doc) > 0 ? withModel(job, 0) : {}),
      ...(t.late ? { late_result: true } : {}),
      ...(t.task === undefined ? {} : { task: t.task }),
      ...(kept === undefined ? {} : { unstored: kept }),
    },
    stamps: { expires_at: job.doc.expires_in_s * 1000, ...(t.task === undefined ? {} : { submitted_at: 0 }) },
    past: { run: job.run, was: { status, error, output, finished_at } },
    ...(t.aliveMs === undefined ? {} : { inFlightMs: t.aliveMs }),
    newTurn: submits && 'room',
    progress: 0,
  };
}

/** The delivery that reports the end of a run; `null` when its caller did not ask for one. */
export function deliveryAtEnd(job: Pick<JobRecord, 'id' | 'run' | 'doc'>, status: TerminalStatus): NewDelivery | null {
  const type = endEvent(status);
  const { webhook } = job.doc;
  return webhook?.events.includes(type) ? { id: eventId(job.id, job.run, type), run: job.run, type, url: webhook.url } : null;
}

function reported(job: JobRecord, status: TerminalStatus): Pick<Planned, 'delivery'> {
  const delivery = deliveryAtEnd(job, status);
  return delivery === null ? {} : { delivery };
}
