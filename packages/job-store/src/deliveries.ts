import { randomUUID } from 'node:crypto';
import { type Delivery, type DeliveryAttempt, type JobRecord, jobOfEvent } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { type Fields, fieldsOf, json, number, optionalNumber } from './fields.ts';
import type { Keys } from './keys.ts';
import { decodeRecord } from './record-codec.ts';
import type { RunScript } from './scripts.ts';

/** Newest tries that are kept with a delivery. */
const TRIES_KEPT = 20;
/** A waiting delivery is looked after this long after its next try. */
const DUE_AFTER_MS = 30_000;

function decodeDelivery(fields: Fields): Delivery {
  return {
    id: fields['id'] ?? '',
    tenant: fields['tenant'] ?? '',
    job_id: fields['job_id'] ?? '',
    run: number(fields['run']),
    type: fields['type'] ?? '',
    url: fields['url'] ?? '',
    state: (fields['state'] ?? 'pending') as Delivery['state'],
    step: number(fields['step']),
    attempts: json<DeliveryAttempt[]>(fields['att']) ?? [],
    tries: number(fields['tries']),
    created_at: number(fields['created']),
    next_attempt_at: optionalNumber(fields['next']),
  };
}

/** What a try came to. */
export interface Settlement {
  state: Delivery['state'];
  attempt: DeliveryAttempt;
  /** When the next try is made; only for `pending`. */
  nextAt?: number;
}

export type Deliveries = ReturnType<typeof createDeliveries>;

/** Owed webhooks. They are made by the move that ends a run; here they are read and settled. */
export function createDeliveries(redis: Redis, run: RunScript, keys: Keys) {
  const settleKeys = (delivery: Delivery) => [
    keys.delivery(delivery.id),
    keys.job(delivery.job_id),
    keys.dueDeliveries,
    keys.counters,
  ];
  return {
    /** A delivery and the job it tells of, in one round trip. The job can be gone. */
    async read(id: string): Promise<{ delivery: Delivery; job: JobRecord | null } | null> {
      const job = jobOfEvent(id);
      const [own, record] = (await run('read-delivery', [keys.delivery(id), keys.job(job)], [])) as unknown[];
      const fields = fieldsOf(own);
      if (fields === null) return null;
      const jobFields = fieldsOf(record);
      return { delivery: decodeDelivery(fields), job: jobFields?.['st'] ? decodeRecord(job, jobFields) : null };
    },

    /** Writes down one try. `false`: somebody else has settled this step. */
    async settle(delivery: Delivery, s: Settlement): Promise<boolean> {
      const order = {
        id: delivery.id,
        token: randomUUID(),
        step: delivery.step,
        state: s.state,
        next: s.nextAt,
        due: s.nextAt === undefined ? undefined : s.nextAt + DUE_AFTER_MS,
        up: false,
      };
      const attempts = JSON.stringify([...delivery.attempts, s.attempt].slice(-TRIES_KEPT));
      const reply = (await run('settle', settleKeys(delivery), [
        JSON.stringify(order),
        'att',
        attempts,
        'tries',
        delivery.tries + 1,
      ])) as string[];
      return reply[0] === 'ok';
    },

    /** The delivery waits and its entry is gone: a new step for a new entry. `null`: it is over, or was moved on. */
    async repair(delivery: Delivery, now: number): Promise<number | null> {
      const order = {
        id: delivery.id,
        token: randomUUID(),
        step: delivery.step,
        state: delivery.state,
        next: delivery.next_attempt_at ?? now,
        due: Math.max(now, delivery.next_attempt_at ?? now) + DUE_AFTER_MS,
        counter: 'delivery_repairs',
        up: true,
      };
      const reply = (await run('settle', settleKeys(delivery), [JSON.stringify(order)])) as [string, number];
      return reply[0] === 'ok' ? Number(reply[1]) : null;
    },

    overdue: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.dueDeliveries, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    async postpone(delivery: { id: string; step: number }, until: number): Promise<void> {
      await run('postpone', [keys.delivery(delivery.id), keys.dueDeliveries], [delivery.id, delivery.step, until]);
    },

    async forgetDue(id: string): Promise<void> {
      await redis.zrem(keys.dueDeliveries, id);
    },
  };
}
