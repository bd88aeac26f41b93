import { randomUUID } from 'node:crypto';
import {
  type BatchRecord,
  type Delivery,
  type DeliveryAttempt,
  dottedEventId,
  eventId,
  type JobRecord,
  PROGRESS_EVENT_EVERY_MS,
  progressEventId,
  subjectOfEvent,
} from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { decodeBatch } from './batch-codec.ts';
import { decodeDelivery } from './delivery-codec.ts';
import { endpointId } from './endpoints.ts';
import { type Fields, fieldsOf } from './fields.ts';
import type { Keys } from './keys.ts';
import type { OwedEntry } from './owed.ts';
import { decodeRecord } from './record-codec.ts';
import type { RunScript } from './scripts.ts';

/** Newest tries that are kept with a delivery. */
const TRIES_KEPT = 20;
/** A waiting delivery is looked after this long after its next try. */
const DUE_AFTER_MS = 30_000;
/** An entry that comes this much too soon is not sent back. */
const EARLY_MS = 1000;

/** A delivery with what it tells of, a job or a batch, which can be gone. */
export interface Told {
  delivery: Delivery;
  job: JobRecord | null;
  batch: BatchRecord | null;
}

/** What `open` answers; only `open` lets a try go out, and whoever got it has to `settle` or to `release`. */
export type OpenTry =
  | ({ kind: 'open' } & Told)
  /** Not now. `places`, `breaker`: the delivery has a slot of its own; `early`: it has one, or its next try is not yet due. */
  | { kind: 'wait'; ms: number; why: 'early' | 'places' | 'breaker' }
  /** No try is made: the delivery has just become `skipped`, or `failed` in the middle of its tries. */
  | { kind: 'skipped'; state: Delivery['state']; delivery: Delivery }
  /** Settled, moved on, or gone. */
  | { kind: 'over' };

/** A try that is open: its endpoint and the token that it was opened with. */
export interface HeldTry {
  endpoint: string;
  token: string;
}

/** What a try came to. */
export interface Settlement {
  state: Delivery['state'];
  attempt: DeliveryAttempt;
  /** When the next try is made; only for `pending`. */
  nextAt?: number;
  /** What it says of its endpoint. `none`: nothing, the try failed on our side. */
  try?: HeldTry & { result: 'ok' | 'failed' | 'gone' | 'none'; now: number };
}

/** `settled: false`: somebody else has settled this try. `endpoint`: what the try has changed there. */
export interface Settled {
  settled: boolean;
  endpoint: 'closed' | 'opened' | 'disabled' | '';
}

export type Deliveries = ReturnType<typeof createDeliveries>;

/** Owed webhooks. They are made by the move that ends a run; here they are tried, settled and sent again. */
export function createDeliveries(redis: Redis, run: RunScript, keys: Keys) {
  const subjectKey = (event: string) => {
    const { kind, id } = subjectOfEvent(event);
    return kind === 'job' ? keys.job(id) : keys.batch(id);
  };

  const told = (own: Fields, record: unknown): Told => {
    const delivery = decodeDelivery(own);
    const subject = fieldsOf(record);
    if (!subject?.['st']) return { delivery, job: null, batch: null };
    const { kind, id } = subjectOfEvent(delivery.id);
    return {
      delivery,
      job: kind === 'job' ? decodeRecord(id, subject) : null,
      batch: kind === 'batch' ? decodeBatch(id, subject) : null,
    };
  };

  async function write(delivery: Delivery, order: object, fields: (string | number)[], held?: HeldTry) {
    const [endpoint, tries] = held
      ? [keys.endpoint(held.endpoint), keys.endpointTries(held.endpoint)]
      : [keys.delivery(delivery.id), keys.delivery(delivery.id)];
    const reply = (await run(
      'settle',
      [keys.delivery(delivery.id), subjectKey(delivery.id), keys.dueDeliveries, keys.counters, endpoint, tries],
      [JSON.stringify({ id: delivery.id, token: randomUUID(), step: delivery.step, ...order }), ...fields],
    )) as [string, number, Settled['endpoint']];
    return { ok: reply[0] === 'ok', step: Number(reply[1]), endpoint: reply[2] };
  }

  return {
    /** A delivery and what it tells of, in one round trip. */
    async read(id: string): Promise<Told | null> {
      const [own, record] = (await run('read-delivery', [keys.delivery(id), subjectKey(id)], [])) as unknown[];
      const fields = fieldsOf(own);
      return fields === null ? null : told(fields, record);
    },

    /**
     * Before a try: takes one of the places of its endpoint until `settle`, `release` or the end of the lease, and
     * answers all that the try needs, in one round trip. A delivery that has to wait is told for how long, once.
     * `token` names the try; asked again with the same one, the answer is the same.
     */
    async open(entry: { id: string; step: number }, held: HeldTry, now: number): Promise<OpenTry> {
      const order = { id: entry.id, token: held.token, step: entry.step, now, early: EARLY_MS, due_after: DUE_AFTER_MS };
      const [verdict, detail, own, record] = (await run(
        'open-try',
        [
          keys.delivery(entry.id),
          subjectKey(entry.id),
          keys.endpoint(held.endpoint),
          keys.endpointTries(held.endpoint),
          keys.dueDeliveries,
        ],
        [JSON.stringify(order)],
      )) as unknown[];
      if (verdict === 'open') return { kind: 'open', ...told(fieldsOf(own) ?? {}, record) };
      if (verdict === 'wait') return { kind: 'wait', ms: Number(detail), why: own as 'places' };
      if (verdict !== 'skipped') return { kind: 'over' };
      return { kind: 'skipped', state: detail as Delivery['state'], delivery: decodeDelivery(fieldsOf(own) ?? {}) };
    },

    /** Gives the place of a try back that was broken off on our side; it says nothing of the endpoint. */
    async release({ endpoint, token }: HeldTry): Promise<void> {
      await redis.zrem(keys.endpointTries(endpoint), token);
    },

    /** Writes down one try, and what it says of its endpoint. */
    async settle(delivery: Delivery, s: Settlement): Promise<Settled> {
      const order = {
        tries: delivery.tries,
        state: s.state,
        next: s.nextAt,
        due: s.nextAt === undefined ? undefined : s.nextAt + DUE_AFTER_MS,
        up: false,
        ...(s.try && { now: s.try.now, try: { token: s.try.token, result: s.try.result } }),
      };
      const attempts = JSON.stringify([...delivery.attempts, s.attempt].slice(-TRIES_KEPT));
      const over = s.state === 'pending' ? [] : ['once', ''];
      const asked = delivery.asked ? ['asked', ''] : [];
      const fields = ['att', attempts, 'tries', delivery.tries + 1, ...over, ...asked];
      const { ok, endpoint } = await write(delivery, order, fields, s.try);
      return { settled: ok, endpoint };
    },

    /** The delivery waits and its entry is gone: a new step for a new entry. `null`: it is over, or was moved on. */
    async repair(delivery: Delivery, now: number): Promise<number | null> {
      const next = delivery.next_attempt_at ?? now;
      const due = Math.max(now, next) + DUE_AFTER_MS;
      const order = { tries: delivery.tries, state: 'pending', next, due, counter: 'delivery_repairs', up: true };
      const { ok, step } = await write(delivery, order, []);
      return ok ? step : null;
    },

    /**
     * One more try of this delivery, now, signed afresh, past a disabled endpoint. The caller adds the entry of the step
     * that it answers. One that is over stays or becomes `failed` when that try fails too, unless it was delivered before;
     * one that still waits goes on with its schedule. `null`: the delivery was moved on since it was read.
     */
    async resend(delivery: Delivery, now: number): Promise<number | null> {
      const order = { state: 'pending', next: now, due: now + DUE_AFTER_MS, up: true };
      const delivered = delivery.state === 'delivered' || delivery.once === 'delivered';
      const { ok, step } =
        delivery.state === 'pending' && delivery.once === null
          ? await write(delivery, { ...order, tries: delivery.tries }, [
              'extra',
              delivery.extra + (delivery.asked ? 0 : 1),
              'asked',
              1,
            ])
          : await write(delivery, order, ['once', delivered ? 'delivered' : 'failed']);
      return ok ? step : null;
    },

    /**
     * News of a live job, when its caller asked for them: a delivery of its own that is tried once and leaves
     * `job.webhook` alone. The entry to be added; `null`: not asked for, too soon after the last one, or the run is over.
     */
    async tell(
      job: Pick<JobRecord, 'id' | 'tenant' | 'run'> & { url: string },
      news: { type: 'job.started' } | { type: 'job.progress'; percent: number },
      now: number,
    ): Promise<OwedEntry | null> {
      const { type } = news;
      const id = type === 'job.progress' ? progressEventId(job.id, job.run, news.percent) : eventId(job.id, job.run, type);
      const { tenant, run: of, url } = job;
      const every = type === 'job.progress' ? PROGRESS_EVENT_EVERY_MS : undefined;
      const order = { id, job_id: job.id, tenant, run: of, type, url, now, due: now + DUE_AFTER_MS, every };
      const reply = await run(
        'tell',
        [
          keys.job(job.id),
          keys.delivery(id),
          keys.tenantDeliveries(tenant),
          keys.dueDeliveries,
          keys.delivery(dottedEventId(id)),
        ],
        [JSON.stringify(order)],
      );
      return reply === 1 ? { id, step: 1, endpoint: endpointId(tenant, url) } : null;
    },

    overdue: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.dueDeliveries, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    async postpone(delivery: { id: string; step: number }, until: number): Promise<void> {
      await run('postpone', [keys.delivery(delivery.id), keys.dueDeliveries], [delivery.id, delivery.step, until]);
    },

    /** Nothing is due of a delivery that is gone or over, unless it has moved on since it was read. `step`: `null` for one that is gone. */
    async forgetDue(id: string, step: number | null): Promise<void> {
      await run('forget', [keys.delivery(id), keys.dueDeliveries], [id, step ?? '']);
    },
  };
}
