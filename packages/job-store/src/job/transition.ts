import { randomUUID } from 'node:crypto';
import {
  after,
  delayOf,
  type Facts,
  isFailed,
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
} from '@grsai-jobs/jobs';
import { operationId } from '../operation/operations.ts';
import { defineScript } from '../redis/define-script.ts';
import { fieldsOf } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';
import { contextOf, type OpenAttempt } from '../webhook/deliveries.ts';
import type { DeliveryEntry } from '../webhook/delivery-entry.ts';
import { ATTEMPTS_LUA, ENDPOINT_KEYS, endpointKeys, endpointNameOf, endpointRef } from '../webhook/endpoints.ts';
import { MAKE_DELIVERY, NEW_DELIVERY_KEYS, newDelivery } from '../webhook/new-delivery.ts';
import { type RecordField, signatureField } from './record-codec.ts';

const transitionScript = defineScript({
  lua: new URL('./transition.lua', import.meta.url),
  keys: [
    'job',
    'due',
    'events',
    'turns',
    'inflight',
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
    ...NEW_DELIVERY_KEYS,
    ...ENDPOINT_KEYS,
  ],
  args: ['order', '...fields'],
  shared: [MAKE_DELIVERY, ATTEMPTS_LUA],
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
 * What a transition came to. Only `ok` changed anything: it has the job as it is now, and what has to be put into a queue. `stale`:
 * another step or lease counts by now; `wrong`: the job is in a state that the transition does not start from.
 */
export type TransitionResult<J = JobRecord> =
  | { kind: 'ok'; job: J; message: QueueMessage | null; placed: DeliveryStart }
  | Conflict;

export type Conflict = { kind: 'missing' } | { kind: 'stale'; state: State } | { kind: 'wrong'; state: State };

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
export function createCommit(run: RunScript, keys: Keys, clock?: { now(): number }): Commit {
  return async (job, transition, o = {}) => {
    const order = plan(job, transition);
    const { set, del } = fieldsOfPatch(job, order);
    const made = newDelivery(keys, job.tenant, order.delivery ? { ...order.delivery, subject: { job_id: job.id } } : null);
    const delivery = made.order && { ...made.order, ...o.attempt, endpoint: endpointNameOf(job.tenant, made.order.url) };
    const reply = (await run(
      transitionScript,
      { ...keysOf(keys, job, order), ...made.keys },
      {
        order: JSON.stringify({ ...scriptOrder(job, order, o), delivery: delivery ?? undefined, now: clock?.now(), del }),
        fields: Object.entries(set).flatMap(([field, value]) => [field, value ?? '']),
      },
      { paid: TRANSITIONS[order.name].paid },
    )) as unknown[];
    const [kind, ...rest] = reply;
    if (kind !== 'ok')
      return kind === 'missing' ? { kind } : { kind: kind as 'stale' | 'wrong', state: String(rest[0]) as State };
    const [at = 0, step = 0, turn = 0, ver = 0, seq = 0] = rest.slice(0, 5).map(Number);
    const facts: Facts = { at, step, turn, ver, seq, state: String(rest[5]) as State };
    const now = after(job, order, facts);
    const placed = startOf(job.tenant, order.delivery, o.attempt, rest.slice(6));
    return { kind: 'ok', job: now, message: messageAfter(now, order, delayOf(transition)), placed };
  };
}

function scriptOrder(job: PolledJob, order: Order, { token = randomUUID() }: CommitOptions) {
  const { name, guard, from, to, due, inFlightMs, latePollMs, newTurn, event, progress, counter, storedBytes } = order;
  const [status = '', stage = ''] = (to ?? '').split('/');
  return {
    id: job.id,
    row: name,
    token,
    tenant: job.tenant,
    ...guard,
    from: from.length === TRANSITIONS[name].from.length ? undefined : from,
    status,
    stage,
    due: due ?? undefined,
    inflight: inFlightMs,
    late: latePollMs,
    turn: newTurn,
    event,
    progress,
    counter,
    stamps: Object.fromEntries(Object.entries(order.stamps).map(([name, ms]) => [STAMPED[name as keyof Stamps], ms])),
    raise: {
      ...(order.atLeast.progress === undefined ? {} : { prog: order.atLeast.progress }),
      ...(order.atLeast.polls === undefined ? {} : { polls: order.atLeast.polls }),
    },
    stored: storedBytes,
  };
}

const STAMPED: Readonly<Record<keyof Stamps, RecordField>> = {
  finished_at: 'fin',
  submitted_at: 'sub',
  last_polled_at: 'polled',
  expires_at: 'exp',
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
  lease: () => ({}),
  task: ({ base, id }) => ({ base, task: id }),
  progress: (prog) => ({ prog }),
  polls: (polls) => ({ polls }),
  finished_at: () => ({}),
  late_result: () => ({ late: 1 }),
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

function keysOf(keys: Keys, job: PolledJob, { delivery }: Order) {
  const own = keys.job(job.id);
  const noEndpoint = Object.fromEntries(ENDPOINT_KEYS.map((name) => [name, own])) as ReturnType<typeof endpointKeys>;
  return {
    job: own,
    due: keys.due,
    events: keys.events,
    turns: keys.turns,
    inflight: keys.inflight,
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
    ...(delivery ? endpointKeys(keys, endpointRef(job.tenant, delivery.url)) : noEndpoint),
  };
}

function startOf(
  tenant: string,
  delivery: NewDelivery | undefined,
  { token }: FirstAttempt = {},
  [placed, own, record]: readonly unknown[],
): DeliveryStart {
  if (delivery === undefined) return { kind: 'none' };
  if (placed === 'open' && token !== undefined)
    return {
      kind: 'open',
      ...contextOf(fieldsOf(own) ?? {}, fieldsOf(record)),
      lease: { endpoint: endpointRef(tenant, delivery.url), token },
    };
  if (placed === 'room') return { kind: 'room' };
  return { kind: 'entry', id: delivery.id, step: 1, endpoint: endpointNameOf(tenant, delivery.url) };
}
