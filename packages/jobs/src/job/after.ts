import { costAfter } from '../cost/cost.ts';
import { entryStage } from '../doc.ts';
import { onModel } from '../fallback.ts';
import type { JobRecord } from './job.ts';
import type { Order, PolledJob } from './plan.ts';
import { isTerminal, STATES, type Stage, type State, type Status } from './states.ts';
import { TRANSITIONS, type Transition } from './transitions.ts';

/** What only the script knows: when the transition happened, and the numbers that it gave. */
export interface Facts {
  at: number;
  ver: number;
  step: number;
  /** 0: it waits in a room. */
  turn: number;
  seq: number;
  /** The state that it led to: a transition that keeps the state may have met another than its caller knew. */
  state: State;
}

/** A job waits in one of these for the call that its type has. */
export type PaidQueue = 'call' | 'submit';
/** Queues of stages without a paid call. */
export type FreeQueue = Exclude<(typeof STATES)[State]['queue'], 'paid' | null>;

/** What is put into a queue. `turn` and `priority` count for calls and submits only. */
export interface QueueMessage {
  queue: PaidQueue | FreeQueue;
  id: string;
  step: number;
  batch_id: string | null;
  turn: number;
  priority: JobRecord['doc']['priority'];
  delayMs: number;
}

/** The job after a transition, as the record holds it now. A pure function. */
export function after<J extends PolledJob & Partial<JobRecord>>(job: J, order: Order, facts: Facts): J {
  const { patch, stamps, atLeast } = order;
  const [status, stage = null] = facts.state.split('/') as [Status, Stage?];
  const { lease: _lease, task, polls, progress, late_result, finished_at: _, model, ...plain } = patch;
  const at = (ms: number | undefined) => (ms === undefined ? undefined : facts.at + ms);
  const reported =
    order.delivery === undefined ? {} : { webhook: { state: 'pending' as const, last_delivery_id: order.delivery.id } };
  return {
    ...job,
    ...defined(plain),
    ...(model === undefined || job.doc === undefined ? {} : { doc: onModel(job.doc, model.at), price: model.price }),
    status,
    stage,
    ...leaseAfter(job, order, facts),
    ...taskAfter(job, order, facts),
    progress: Math.max(progress === undefined ? job.progress : (progress ?? 0), atLeast.progress ?? 0),
    ...(patch.finished_at === null ? { finished_at: null } : {}),
    ...(stamps.finished_at === undefined ? {} : { finished_at: at(stamps.finished_at) }),
    ...(stamps.expires_at === undefined ? {} : { expires_at: at(stamps.expires_at) }),
    ...(late_result === undefined ? {} : { late_result: late_result === true }),
    ...(order.past === undefined ? {} : { past: { ...job.past, [order.past.run]: order.past.was } }),
    ...reported,
    ...(job.cost === undefined
      ? {}
      : { cost: costAfter(job.cost, (model === undefined ? job.price : model.price)?.reserve, order.cost) }),
    ver: facts.ver,
    step: facts.step,
    turn: facts.turn,
    seq: facts.seq,
  };
}

const defined = (fields: object) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function leaseAfter(
  { lease: before }: Partial<JobRecord>,
  { patch: { lease }, stamps }: Order,
  { at }: Facts,
): Partial<JobRecord> {
  if (lease === null) return { lease: null };
  if (lease !== undefined)
    return {
      lease: {
        ...lease,
        acquired_at: at + (stamps.lease_acquired_at ?? 0),
        expires_at: at + (stamps.lease_expires_at ?? 0),
      },
    };
  return before && stamps.lease_expires_at !== undefined
    ? { lease: { ...before, expires_at: at + stamps.lease_expires_at } }
    : {};
}

function taskAfter({ task: before }: Partial<JobRecord>, { patch, stamps, atLeast }: Order, { at }: Facts): Partial<JobRecord> {
  if (patch.task === null) return { task: null };
  const known =
    patch.task === undefined ? before : { polls: 0, last_polled_at: null, submitted_at: at, ...before, ...patch.task };
  if (known === null || known === undefined) return {};
  return {
    task: {
      ...known,
      polls: Math.max(patch.polls ?? known.polls, atLeast.polls ?? 0),
      ...(stamps.submitted_at === undefined ? {} : { submitted_at: at + stamps.submitted_at }),
      ...(stamps.last_polled_at === undefined ? {} : { last_polled_at: at + stamps.last_polled_at }),
    },
  };
}

/** The queue entry that a transition calls for. `null`: the entry that there is goes on, or nothing is left to be done. */
export function messageAfter(job: PolledJob & Partial<JobRecord>, order: Order, delayMs: number): QueueMessage | null {
  if (TRANSITIONS[order.name].step === 'same' || (job.status !== undefined && isTerminal(job.status))) return null;
  return waitsInRoom(job) ? null : messageOf(job, delayMs);
}

/** Whether the job waits in the room of its tenant, without a turn and without a queue entry. */
export const waitsInRoom = ({ status, turn }: Partial<Pick<JobRecord, 'status' | 'turn'>>): boolean =>
  status === 'queued' && turn === 0;

type Addressed = Pick<JobRecord, 'id' | 'step' | 'batch_id'> & Partial<Pick<JobRecord, 'stage' | 'turn' | 'doc'>>;

/** The queue entry of a live job in the step that it is in. To add it once more changes nothing. */
export const messageOf = ({ id, step, batch_id, stage = null, turn = 0, doc }: Addressed, delayMs = 0): QueueMessage => ({
  queue: queueOf(stage, doc === undefined ? 'submit' : entryStage(doc)),
  id,
  step,
  batch_id,
  turn,
  priority: doc?.priority ?? 'normal',
  delayMs,
});

/** The queue that a live job waits in, whether or not it is to be canceled. `paid`: where its call waits. */
export function queueOf(stage: Stage | null, paid: PaidQueue): QueueMessage['queue'] {
  const { queue } = STATES[stage === null ? 'queued' : (`running/${stage}` as const)];
  return queue === 'paid' ? paid : queue;
}

/** How long the queue entry of a transition waits. */
export const delayOf = (t: Transition): number => ('waitMs' in t ? t.waitMs : 'firstPollMs' in t ? t.firstPollMs : 0);
