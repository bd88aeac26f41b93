import {
  after,
  delayOf,
  type Facts,
  isFailed,
  type Job,
  type JobPatch,
  type JobRecord,
  messageAfter,
  type NewDelivery,
  type Order,
  type PolledJob,
  plan,
  type QueueMessage,
  type Stamps,
  type State,
  TRANSITIONS,
  type Transition,
  type TransitionRow,
} from '@grsai-jobs/jobs';
import { defineScript, fieldsOf, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { operationId } from '../operation/operations.ts';
import { letInOf, ROOM_LUA } from '../room/rooms.ts';
import { contextOf, type OpenAttempt } from '../webhook/deliveries.ts';
import type { DeliveryEntry } from '../webhook/delivery-entry.ts';
import { ATTEMPTS_LUA, ENDPOINT_KEYS, type EndpointRef, endpointKeys, endpointName, endpointRef } from '../webhook/endpoints.ts';
import { deliveryMade, MAKE_DELIVERY, NEW_DELIVERY_KEYS, newDelivery } from '../webhook/new-delivery.ts';
import { priceFields, type RecordField, signatureField } from './record-codec.ts';

const transitionScript = defineScript({
  lua: new URL('./transition.lua', import.meta.url),
  keys: [
    'job',
    'due',
    'events',
    'turns',
    'inflight',
    'waiting',
    'tenant_failed',
    'failed',
    'ended',
    'counters',
    'batch?',
    'storing',
    'late',
    'operations',
    'finish?',
    'usage',
    'spent',
    'rpm',
    ...NEW_DELIVERY_KEYS,
    ...ENDPOINT_KEYS,
  ],
  args: ['order', '...fields'],
  shared: [ROOM_LUA, MAKE_DELIVERY, ATTEMPTS_LUA],
  whenFull: 'runs_if_paid',
});

/** Who is to make the first attempt of a webhook that a transition brings about; by default whoever takes its entry from the queue. */
export interface FirstAttempt {
  /** The caller itself, under this token, if it may begin now. */
  token?: string | undefined;
  /** The caller has no free slot: the delivery waits in the room of its endpoint instead of getting an entry. */
  busy?: boolean | undefined;
}

/**
 * What becomes of the webhook that a transition made: it needs a queue entry, waits in the room of its endpoint, or its first attempt
 * has begun, as its caller asked. `none`: there is none.
 */
export type DeliveryStart =
  | { kind: 'none' }
  | ({ kind: 'entry' } & DeliveryEntry)
  | { kind: 'room' }
  | ({ kind: 'open' } & OpenAttempt);

/**
 * What a transition came to. Only `ok` changed anything: it has the job as it is now, and what has to be put into a queue; `letIn`: other jobs, in whose stead it
 * waits no longer. `stale`:
 * another step or lease counts by now; `wrong`: the job is in a state that the transition does not start from; `early`: by the time of
 * Redis what it says to be over is not.
 */
export type TransitionResult<J = JobRecord> =
  | { kind: 'ok'; job: J; message: QueueMessage | null; letIn: QueueMessage[]; placed: DeliveryStart }
  | Conflict;

export type Conflict = { kind: 'missing' } | { kind: 'stale' | 'wrong' | 'early'; state: State };

export interface CommitOptions {
  /** One token for all repeats of a commit: a second commit with it changes nothing and answers the same. */
  token?: string;
  attempt?: FirstAttempt;
}

/** Commits a transition, all or nothing. */
export type Commit = <J extends PolledJob & Partial<JobRecord>>(
  job: J,
  transition: Transition,
  o?: CommitOptions,
) => Promise<TransitionResult<J>>;

/** @param clock what scripts take as the time; left out: the time of Redis. */
export function createCommit(run: RunScript, keys: Keys, newToken: () => string, clock?: { now(): number }): Commit {
  return async (job, transition, o = {}) => {
    const order = plan(job, transition);
    const { set, del } = fieldsOfPatch(job, order);
    const made = newDelivery(keys, job.tenant, order.delivery ? { ...order.delivery, subject: { job_id: job.id } } : null);
    const endpoint = order.delivery ? endpointRef(job.tenant, order.delivery.url) : null;
    const delivery = endpoint && { ...made.order, ...o.attempt, endpoint: endpointName(endpoint) };
    const reply = (await run(
      transitionScript,
      { ...keysOf(keys, job, endpoint), ...made.keys },
      {
        order: JSON.stringify({
          ...scriptOrder(job, order, o.token ?? newToken()),
          delivery: delivery ?? undefined,
          now: clock?.now(),
          del,
        }),
        fields: Object.entries(set).flatMap(([field, value]) => [field, value ?? '']),
      },
      { paid: TRANSITIONS[order.name].paid, lasts: !(TRANSITIONS[order.name] as TransitionRow).mayBeLost },
    )) as unknown[];
    const [kind, ...rest] = reply;
    if (kind !== 'ok')
      return kind === 'missing' ? { kind } : { kind: kind as 'stale' | 'wrong' | 'early', state: String(rest[0]) as State };
    const [at = 0, step = 0, turn = 0, ver = 0, seq = 0] = rest.slice(0, 5).map(Number);
    const facts: Facts = { at, step, turn, ver, seq, state: String(rest[5]) as State };
    const now = after(job, order, facts);
    const [placement, letIn, ...own] = rest.slice(6);
    const placed =
      endpoint && order.delivery
        ? startOf(now, facts, { ...order.delivery, endpoint }, o.attempt, [placement, ...own])
        : NO_DELIVERY;
    return { kind: 'ok', job: now, message: messageAfter(now, order, delayOf(transition)), letIn: letInOf(letIn), placed };
  };
}

function scriptOrder(job: PolledJob & Partial<JobRecord>, order: Order, token: string) {
  const { name, guard, from, to, due, inFlightMs, latePollMs, newTurn, event, progress, counter, storedBytes, notBefore, cost } =
    order;
  const [status = '', stage = ''] = (to ?? '').split('/');
  return {
    id: job.id,
    row: name,
    token,
    tenant: job.tenant,
    ...guard,
    ver: job.doc && job.ver,
    from: from.length === TRANSITIONS[name].from.length ? undefined : from,
    status,
    stage,
    due: due ?? undefined,
    not_before: notBefore,
    inflight: inFlightMs,
    late: latePollMs,
    turn: newTurn,
    priority: newTurn === 'room' ? job.doc?.priority : undefined,
    event,
    progress,
    counter,
    stamps: Object.fromEntries(Object.entries(order.stamps).map(([name, ms]) => [STAMPED[name as keyof Stamps], ms])),
    raise: {
      ...(order.atLeast.progress === undefined ? {} : { prog: order.atLeast.progress }),
      ...(order.atLeast.polls === undefined ? {} : { polls: order.atLeast.polls }),
    },
    stored: storedBytes,
    cost,
    unsent: order.unsent,
  };
}

const STAMPED: Readonly<Record<keyof Stamps, RecordField>> = {
  finished_at: 'fin',
  submitted_at: 'sub',
  last_polled_at: 'polled',
  expires_at: 'exp',
  lease_acquired_at: 'sa',
  lease_expires_at: 'su',
};

type Encoded = Partial<Record<RecordField, string | number | null>>;

/** How each part of a patch stands in the hash. `null` removes a field. */
const ENCODE: { readonly [K in keyof Required<JobPatch>]: (value: NonNullable<JobPatch[K]>) => Encoded } = {
  attempts: (attempts) => ({ att: JSON.stringify(attempts) }),
  attempts_used: (n) => ({ spent: n === 0 ? null : n }),
  crashes: (n) => ({ crashes: n === 0 ? null : n }),
  unstored: (unstored) => ({ pend: JSON.stringify(unstored) }),
  output: (output) => ({ out: JSON.stringify(output) }),
  error: (error) => ({ err: JSON.stringify(error) }),
  run: (run) => ({ run }),
  started_at: (started) => ({ started }),
  lease: ({ token }) => ({ sb: token }),
  task: ({ base, id }) => ({ base, task: id }),
  progress: (prog) => ({ prog }),
  polls: (polls) => ({ polls }),
  finished_at: () => ({}),
  late_result: () => ({ late: 1 }),
  model: ({ at, name, price }) => ({
    fm: at === 0 ? null : at,
    ...{ px: null, pt: null, mdl: null },
    ...(price === null ? {} : { ...priceFields(price), mdl: name }),
  }),
};

/** What goes when a part of a patch is `null`. */
const FIELDS: Readonly<Partial<Record<keyof JobPatch, readonly RecordField[]>>> = {
  unstored: ['pend'],
  output: ['out'],
  error: ['err', 'sig'],
  lease: ['sb', 'sa', 'su'],
  task: ['base', 'task', 'sub', 'polls', 'polled'],
  progress: ['prog'],
  finished_at: ['fin'],
  late_result: ['late'],
};

function fieldsOfPatch(job: PolledJob & Partial<JobRecord>, { patch, past, to }: Order) {
  const encoded: Encoded = {};
  for (const [name, value] of Object.entries(patch) as [keyof JobPatch, never][]) {
    if (value === undefined) continue;
    if (value === null) for (const field of FIELDS[name] ?? []) encoded[field] = null;
    else Object.assign(encoded, ENCODE[name](value));
  }
  if (past !== undefined) encoded[`past:${past.run}`] = JSON.stringify(past.was);
  if (patch.error && job.doc && isFailed(to ?? '')) encoded.sig = signatureField(patch.error, job.doc);
  const set: Partial<Record<RecordField, string | number>> = {};
  const del: string[] = [];
  for (const [field, value] of Object.entries(encoded) as [RecordField, string | number | null][])
    if (value === null) del.push(field);
    else set[field] = value;
  return { set, del };
}

function keysOf(keys: Keys, job: PolledJob, endpoint: EndpointRef | null) {
  const own = keys.job(job.id);
  const noEndpoint = Object.fromEntries(ENDPOINT_KEYS.map((name) => [name, own])) as ReturnType<typeof endpointKeys>;
  return {
    job: own,
    due: keys.due,
    events: keys.events,
    turns: keys.turns,
    inflight: keys.inflight,
    waiting: keys.waiting,
    tenant_failed: keys.tenantFailed(job.tenant),
    failed: keys.failed,
    ended: keys.ended,
    counters: keys.counters,
    batch: job.batch_id ? keys.batch(job.batch_id) : null,
    storing: keys.storing,
    late: keys.late,
    operations: keys.operations,
    finish: job.batch_id ? keys.operation(operationId('batch-finish', job.batch_id)) : null,
    usage: keys.usage,
    spent: keys.spent,
    rpm: keys.rpm,
    ...(endpoint ? endpointKeys(keys, endpoint) : noEndpoint),
  };
}

const NO_DELIVERY: DeliveryStart = { kind: 'none' };

function startOf(
  job: PolledJob & Partial<JobRecord>,
  facts: Facts,
  delivery: NewDelivery & { endpoint: EndpointRef },
  { token }: FirstAttempt = {},
  [placed, own, record]: readonly unknown[],
): DeliveryStart {
  if (placed === 'open' && token !== undefined)
    return {
      kind: 'open',
      ...(record === undefined
        ? { delivery: deliveryMade(job, delivery, facts), job: job as Job, batch: null }
        : contextOf(fieldsOf(own) ?? {}, fieldsOf(record))),
      lease: { endpoint: delivery.endpoint, token },
    };
  if (placed === 'room') return { kind: 'room' };
  return { kind: 'entry', id: delivery.id, step: 1, endpoint: endpointName(delivery.endpoint) };
}
