import {
  type BatchRecord,
  type Delivery,
  type DeliveryAttempt,
  dottedEventId,
  eventId,
  type Job,
  type JobRecord,
  PROGRESS_EVENT_EVERY_MS,
  progressEventId,
  subjectOfEvent,
} from '@grsai-jobs/jobs';
import { defineScript, type Fields, fieldsOf, type Redis, type RunScript } from '@grsai-jobs/redis';
import { decodeBatch } from '../batch/codec.ts';
import { decodeRecord } from '../job/record-codec.ts';
import { forget, postpone } from '../layout/index-entries.ts';
import type { Keys } from '../layout/keys.ts';
import { decodeDelivery } from './delivery-codec.ts';
import type { DeliveryEntry } from './delivery-entry.ts';
import {
  ATTEMPTS_LUA,
  ENDPOINT_KEYS,
  type EndpointRef,
  endpointKeys,
  endpointName,
  endpointNameOf,
  endpointRef,
  readEndpointName,
} from './endpoints.ts';
import { DUE_AFTER_MS, MAKE_DELIVERY, NEW_DELIVERY_KEYS, newDelivery } from './new-delivery.ts';

/** Newest attempts that are kept with a delivery. */
const ATTEMPTS_KEPT = 20;
/** So many at most leave the room of a disabled endpoint at once, to be skipped. */
const LET_IN_AT_ONCE = 500;
/** An entry that comes this much too soon is not sent back. */
const EARLY_MS = 1000;

/** A delivery with its subject, a job or a batch, which can be gone. */
export interface DeliveryContext {
  delivery: Delivery;
  job: Job | null;
  batch: BatchRecord | null;
}

/** An attempt that is open. Whoever got it has to `settle` or to `release` it. */
export interface OpenAttempt extends DeliveryContext {
  lease: AttemptLease;
}

/** What `open` answers. */
export type Opened =
  /**
   * An attempt has begun. `swapped`: of a delivery in the endpoint's room that has waited longest, under a step of its own, so the
   * entry that came up is done with. That can be the same delivery, where it is due before all that were in the room.
   */
  | ({ kind: 'open'; swapped: boolean } & OpenAttempt)
  /** Not yet due: the same entry comes again. */
  | { kind: 'wait'; ms: number }
  /** It waits in the room of its endpoint, and its entry is done with. */
  | { kind: 'room'; why: 'permits' | 'breaker' | 'paused' | 'share' }
  /** No attempt is made: the delivery has just become `skipped`, or `failed` in the middle of its attempts. */
  | { kind: 'skipped'; state: Delivery['state']; delivery: Delivery }
  /** Too many workers died with it in their hands. It has to be settled as failed. */
  | ({ kind: 'lost' } & DeliveryContext)
  /** Settled, changed, or gone. */
  | { kind: 'over' };

/** An attempt that is open: its endpoint and the token that it was opened with. */
export interface AttemptLease {
  endpoint: EndpointRef;
  token: string;
}

/** What an attempt says of its endpoint. `none`: nothing, it failed on our side. */
export interface AttemptResult {
  result: 'ok' | 'failed' | 'gone' | 'none';
  /** Whether the receiver answered at all, however badly: then its host is well. */
  answered: boolean;
  tookMs: number;
}

/** What an attempt came to. */
export interface Settlement {
  state: Delivery['state'];
  attempt: DeliveryAttempt;
  /** Until the next attempt is made, in ms; only for `pending`. */
  waitMs?: number;
  lease?: AttemptLease & AttemptResult;
  /** Tokens for attempts that the caller can make in the place of this one. */
  wants?: readonly string[];
  /** Made once by a caller that repeats this until Redis takes it. */
  token?: string;
}

/** `settled: false`: somebody else has settled this attempt. `endpoint`: what the attempt has changed there. */
export interface Settled {
  settled: boolean;
  endpoint: 'closed' | 'opened' | 'disabled' | '';
  /** Attempts of those who have waited longest in the endpoint's room; at most as many as were wanted. */
  begun: OpenAttempt[];
}

/** A delivery with its subject, from their hashes. */
export function contextOf(own: Fields, subject: Fields | null): DeliveryContext {
  const delivery = decodeDelivery(own);
  if (!subject?.['st']) return { delivery, job: null, batch: null };
  const { kind, id } = subjectOfEvent(delivery.id);
  return {
    delivery,
    job: kind === 'job' ? decodeRecord(id, subject) : null,
    batch: kind === 'batch' ? decodeBatch(id, subject) : null,
  };
}

/** A delivery, its subject, and its endpoint. */
const DELIVERY_KEYS = ['delivery', 'subject', 'due_deliveries', 'pending_deliveries', ...ENDPOINT_KEYS] as const;

const readDelivery = defineScript({
  lua: new URL('./read-delivery.lua', import.meta.url),
  keys: ['delivery', 'subject'],
  whenFull: 'reads',
});

const openAttempt = defineScript({
  lua: new URL('./open-attempt.lua', import.meta.url),
  keys: [...DELIVERY_KEYS],
  args: ['order'],
  shared: [ATTEMPTS_LUA],
  whenFull: 'runs',
});

const settle = defineScript({
  lua: new URL('./settle.lua', import.meta.url),
  keys: [...DELIVERY_KEYS, 'counters'],
  args: ['order', '...fields'],
  shared: [ATTEMPTS_LUA],
  whenFull: 'runs',
});

const release = defineScript({
  lua: new URL('./release.lua', import.meta.url),
  keys: ['delivery', ...ENDPOINT_KEYS],
  args: ['order'],
  shared: [ATTEMPTS_LUA],
  whenFull: 'runs',
});

const letIn = defineScript({
  lua: new URL('./let-in.lua', import.meta.url),
  keys: ['due_deliveries', 'like', ...ENDPOINT_KEYS],
  args: ['order'],
  shared: [ATTEMPTS_LUA],
  whenFull: 'runs',
});

const reportScript = defineScript({
  lua: new URL('./report.lua', import.meta.url),
  keys: ['job', 'delivery_before', ...NEW_DELIVERY_KEYS],
  args: ['order'],
  shared: [MAKE_DELIVERY],
  whenFull: 'fails',
});

export type Deliveries = ReturnType<typeof createDeliveries>;

/**
 * Deliveries: made by the transition that ends a run, a report or the end of a batch; here they are attempted, settled and resent.
 * @param clock what scripts take as the time; left out: the time of Redis.
 */
export function createDeliveries(redis: Redis, run: RunScript, keys: Keys, newToken: () => string, clock?: { now(): number }) {
  const subjectKey = (event: string) => {
    const { kind, id } = subjectOfEvent(event);
    return kind === 'job' ? keys.job(id) : keys.batch(id);
  };

  const keysOf = (id: string, endpoint: EndpointRef) => ({
    delivery: keys.delivery(id),
    subject: subjectKey(id),
    due_deliveries: keys.dueDeliveries,
    pending_deliveries: keys.pendingDeliveries,
    ...endpointKeys(keys, endpoint),
  });

  const open = (endpoint: EndpointRef, [token, own, record]: readonly unknown[]): OpenAttempt => ({
    ...contextOf(fieldsOf(own) ?? {}, fieldsOf(record)),
    lease: { endpoint, token: String(token) },
  });

  async function write(
    delivery: Delivery,
    order: Record<string, unknown>,
    fields: (string | number)[],
    { endpoint = endpointRef(delivery.tenant, delivery.url), lasts = false }: { endpoint?: EndpointRef; lasts?: boolean } = {},
  ) {
    const of = { id: delivery.id, step: delivery.step, endpoint: endpointName(endpoint) };
    const whole = { ...of, token: newToken(), now: clock?.now(), due_after: DUE_AFTER_MS, ...order };
    const [verdict, step, became, begun] = (await run(
      settle,
      { ...keysOf(delivery.id, endpoint), counters: keys.counters },
      { order: JSON.stringify(whole), fields },
      { lasts },
    )) as [string, number, Settled['endpoint'], unknown[][]];
    return { ok: verdict === 'ok', step: Number(step), endpoint: became, begun: begun.map((each) => open(endpoint, each)) };
  }

  return {
    /** A delivery and its subject, in one round trip. */
    async read(id: string): Promise<DeliveryContext | null> {
      const found = (await run(readDelivery, { delivery: keys.delivery(id), subject: subjectKey(id) }, {})) as unknown[];
      const [own, subject] = found.map(fieldsOf);
      return own?.['id'] === undefined ? null : contextOf(own, subject ?? null);
    },

    /**
     * An entry of a delivery has come up. Takes one of the permits of its endpoint until `settle`, `release` or the end of the
     * lease, and answers all that the attempt needs, in one round trip. `share: false`: its tenant may have no more attempts of this
     * worker, so the delivery waits. `lease.token` names the attempt; asked again with the same one, the answer is the same.
     */
    async open(entry: { id: string; step: number }, lease: AttemptLease, o: { share?: boolean } = {}): Promise<Opened> {
      const { endpoint, token } = lease;
      const order = {
        id: entry.id,
        token,
        step: entry.step,
        now: clock?.now(),
        endpoint: endpointName(endpoint),
        early: EARLY_MS,
        share: o.share ?? true,
      };
      const [verdict, detail, own, record] = (await run(openAttempt, keysOf(entry.id, endpoint), {
        order: JSON.stringify(order),
      })) as unknown[];
      if (verdict === 'open') {
        const begun = open(endpoint, [detail, own, record]);
        return { kind: 'open', swapped: begun.delivery.id !== entry.id || begun.delivery.step !== entry.step, ...begun };
      }
      if (verdict === 'wait') return { kind: 'wait', ms: Number(detail) };
      if (verdict === 'room') return { kind: 'room', why: detail as 'permits' };
      if (verdict === 'lost') return { kind: 'lost', ...contextOf(fieldsOf(detail) ?? {}, fieldsOf(own)) };
      if (verdict !== 'skipped') return { kind: 'over' };
      return { kind: 'skipped', state: detail as Delivery['state'], delivery: decodeDelivery(fieldsOf(own) ?? {}) };
    },

    /** Gives the permit of an attempt back that was broken off on our side; it says nothing of the endpoint. */
    async release(id: string, { endpoint, token }: AttemptLease): Promise<void> {
      const order = { id, endpoint: endpointName(endpoint), token, now: clock?.now() };
      await run(release, { delivery: keys.delivery(id), ...endpointKeys(keys, endpoint) }, { order: JSON.stringify(order) });
    },

    /** Writes down one attempt, and what it says of its endpoint, and hands its permit to those who wait for one. */
    async settle(delivery: Delivery, s: Settlement): Promise<Settled> {
      const order = {
        token: s.token ?? newToken(),
        made: delivery.attempts_made,
        state: s.state,
        wait: s.waitMs,
        up: false,
        wants: s.wants ?? [],
        ...(s.lease && {
          attempt: { token: s.lease.token, result: s.lease.result, answered: s.lease.answered, took: s.lease.tookMs },
        }),
      };
      const attempts = JSON.stringify([...delivery.attempts, s.attempt].slice(-ATTEMPTS_KEPT));
      const over = s.state === 'pending' ? [] : ['once', ''];
      const asked = delivery.asked ? ['asked', ''] : [];
      const fields = ['att', attempts, 'made', delivery.attempts_made + 1, ...over, ...asked];
      const { ok, endpoint, begun } = await write(delivery, order, fields, s.lease);
      return { settled: ok, endpoint, begun };
    },

    /**
     * Deliveries leave the room of an endpoint in which nothing has happened: their new entries, as many as can be made now. Until they
     * are made a repair covers them.
     */
    async letIn(endpoint: EndpointRef): Promise<DeliveryEntry[]> {
      const name = endpointName(endpoint);
      const order = { now: clock?.now(), endpoint: name, like: 'x', most: LET_IN_AT_ONCE, due_after: DUE_AFTER_MS };
      const flat = (await run(
        letIn,
        { due_deliveries: keys.dueDeliveries, like: keys.delivery('x'), ...endpointKeys(keys, endpoint) },
        { order: JSON.stringify(order) },
      )) as (string | number)[];
      return Array.from({ length: flat.length / 2 }, (_, i) => ({
        id: String(flat[2 * i]),
        step: Number(flat[2 * i + 1]),
        endpoint: name,
      }));
    },

    /** Endpoints whose rooms have to be checked; names that nobody can read are dropped. */
    async overdueRooms(now: number, limit: number): Promise<EndpointRef[]> {
      const names = await redis.zrange(keys.rooms, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit);
      return names.flatMap((name) => readEndpointName(name) ?? []);
    },

    /** How many are not over yet. */
    pendingCount: (): Promise<number> => redis.zcard(keys.pendingDeliveries),

    /** When the oldest delivery was made that is not over yet (`null`: there is none), and how many rooms are not empty. */
    async standing(): Promise<{ oldestPendingAt: number | null; rooms: number }> {
      const [[, at], rooms] = await Promise.all([
        redis.zrange(keys.pendingDeliveries, '0', '0', 'WITHSCORES'),
        redis.zcard(keys.rooms),
      ]);
      return { oldestPendingAt: at === undefined ? null : Number(at), rooms };
    },

    /** The delivery is overdue and its entry is gone: a new step for a new entry. `null`: it is over, has changed, or is overdue no more. */
    async repair(delivery: Delivery): Promise<number | null> {
      const order = {
        made: delivery.attempts_made,
        state: 'pending',
        ...(delivery.next_attempt_at === null ? { wait: 0 } : { next: delivery.next_attempt_at }),
        counter: 'delivery_repairs',
        up: true,
        overdue: true,
      };
      const { ok, step } = await write(delivery, order, []);
      return ok ? step : null;
    },

    /**
     * One more attempt of this delivery, now, signed afresh, past a disabled endpoint. The caller adds the entry of the step
     * that it answers. One that is over stays or becomes `failed` when that attempt fails too, unless it was delivered before;
     * one that still waits goes on with its schedule. `null`: the delivery has changed since it was read.
     */
    async resend(delivery: Delivery): Promise<number | null> {
      const order = { state: 'pending', wait: 0, up: true, again: true };
      const delivered = delivery.state === 'delivered' || delivery.once === 'delivered';
      const { ok, step } =
        delivery.state === 'pending' && delivery.once === null
          ? await write(
              delivery,
              { ...order, made: delivery.attempts_made },
              ['extra', delivery.extra + (delivery.asked ? 0 : 1), 'asked', 1],
              { lasts: true },
            )
          : await write(delivery, order, ['once', delivered ? 'delivered' : 'failed'], { lasts: true });
      return ok ? step : null;
    },

    /**
     * A progress webhook of a live job, when its caller asked for it: a delivery of its own that is attempted once and leaves
     * `job.webhook` alone. The entry to be added; `null`: not asked for, too soon after the last one, or the run is over.
     */
    async report(
      job: Pick<JobRecord, 'id' | 'tenant' | 'run'> & { url: string },
      event: { type: 'job.started' } | { type: 'job.progress'; percent: number },
    ): Promise<DeliveryEntry | null> {
      const { type } = event;
      const id = type === 'job.progress' ? progressEventId(job.id, job.run, event.percent) : eventId(job.id, job.run, type);
      const { tenant, run: of, url } = job;
      const every = type === 'job.progress' ? PROGRESS_EVENT_EVERY_MS : undefined;
      const made = newDelivery(keys, tenant, { id, subject: { job_id: job.id }, run: of, type, url });
      const reply = await run(
        reportScript,
        { job: keys.job(job.id), delivery_before: keys.delivery(dottedEventId(id)), ...made.keys },
        { order: JSON.stringify({ now: clock?.now(), every, delivery: made.order }) },
      );
      return reply === 1 ? { id, step: 1, endpoint: endpointNameOf(tenant, url) } : null;
    },

    overdue: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.dueDeliveries, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    async postpone(delivery: { id: string; step: number }, until: number): Promise<void> {
      await run(
        postpone,
        { record: keys.delivery(delivery.id), due: keys.dueDeliveries },
        { id: delivery.id, step: delivery.step, due_at: until },
      );
    },

    /** Nothing is due of a delivery that is gone or over, unless it has changed since it was read. `step`: `null` for one that is gone. */
    async forgetDue(id: string, step: number | null): Promise<void> {
      await run(forget, { record: keys.delivery(id), set: keys.dueDeliveries }, { id, step });
    },
  };
}
