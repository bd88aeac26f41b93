import { entryStage } from '../doc.ts';
import type { JobRecord } from './job.ts';
import type { Order, PolledJob } from './plan.ts';
import { isTerminal, type Stage, type State, type Status } from './states.ts';
import { TRANSITIONS, type Transition } from './transitions.ts';

/** What only the script knows: when the transition happened, and the numbers that it gave. */
export interface Facts {
  at: number;
  ver: number;
  step: number;
  turn: number;
  seq: number;
  /** The state that it led to: a transition that keeps the state may have met another than its caller knew. */
  state: State;
}

/** What is put into a queue. `turn` and `priority` count for calls and submits only. */
export interface QueueMessage {
  queue: 'call' | 'submit' | 'poll' | 'store';
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
  const { lease, task, polls, progress, late_result, finished_at: _, ...plain } = patch;
  const at = (ms: number | undefined) => (ms === undefined ? undefined : facts.at + ms);
  const reported =
    order.delivery === undefined ? {} : { webhook: { state: 'pending' as const, last_delivery_id: order.delivery.id } };
  return {
    ...job,
    ...defined(plain),
    status,
    stage,
    ...leaseAfter(job, lease, at(stamps.lease_expires_at)),
    ...taskAfter(job, order, facts),
    progress: Math.max(progress === undefined ? job.progress : (progress ?? 0), atLeast.progress ?? 0),
    ...(patch.finished_at === null ? { finished_at: null } : {}),
    ...(stamps.finished_at === undefined ? {} : { finished_at: at(stamps.finished_at) }),
    ...(stamps.expires_at === undefined ? {} : { expires_at: at(stamps.expires_at) }),
    ...(late_result === undefined ? {} : { late_result: late_result === true }),
    ...(order.past === undefined ? {} : { past: { ...job.past, [order.past.run]: order.past.was } }),
    ...reported,
    ver: facts.ver,
    step: facts.step,
    turn: facts.turn,
    seq: facts.seq,
  };
}

const defined = (fields: object) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function leaseAfter(
  { lease: before }: Partial<JobRecord>,
  lease: null | undefined,
  expiresAt: number | undefined,
): Partial<JobRecord> {
  if (lease === null) return { lease: null };
  return before && expiresAt !== undefined ? { lease: { ...before, expires_at: expiresAt } } : {};
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
  return messageOf(job, delayMs);
}

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

const STAGE_QUEUE = {
  submitting: 'paid',
  generating: 'poll',
  storing: 'store',
} as const satisfies Record<Stage, QueueMessage['queue'] | 'paid'>;

/** The queue that a live job waits in. */
export const queueOf = (stage: Stage | null, paid: 'call' | 'submit'): QueueMessage['queue'] =>
  stage === null || STAGE_QUEUE[stage] === 'paid' ? paid : STAGE_QUEUE[stage];

/** How long the queue entry of a transition waits. */
export const delayOf = (t: Transition): number => ('waitMs' in t ? t.waitMs : 'firstPollMs' in t ? t.firstPollMs : 0);
