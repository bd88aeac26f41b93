import {
  type AttemptLease,
  type DeliveryStart,
  type EndpointRef,
  endpointName,
  endpointRef,
  type FirstAttempt,
  type JobStore,
  type OpenAttempt,
  readEndpointName,
} from '@grsai-jobs/job-store';
import { ENDPOINT_RULES } from '@grsai-jobs/jobs';
import { done, type Entry, type Outcome, type Producer } from '@grsai-jobs/queue';
import { redisTrouble } from '@grsai-jobs/redis';
import type { Service, Timers } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import { type AttemptDeps, type Attempted, makeAttempt } from './attempt.ts';
import { createHeldBack } from './held-back.ts';
import { noteAttempt, noteCrashed, noteEndpoint, noteSkipped } from './notes.ts';
import type { Slot, Slots } from './slots.ts';

export interface DeliveriesDeps extends AttemptDeps {
  store: Pick<JobStore, 'deliveries'>;
  producer: Pick<Producer, 'enqueueDelivery'>;
  metrics: Pick<WorkerMetrics, 'webhookAttempts' | 'endpoints' | 'waits'>;
  slots: Slots;
  timers: Pick<Timers, 'sleep'>;
  newToken: () => string;
}

/** The right to make the first attempt of a webhook in the process that ends its job. */
interface Reserved {
  /** For the transition that ends the run. */
  readonly attempt: FirstAttempt;
  /** Makes the attempt if it has begun, or gives the slot back. Nobody waits for it. */
  use(placed: DeliveryStart): void;
}

/** Webhook attempts of one worker. */
export interface Deliveries extends Service {
  /** An entry of a delivery has come up in the queue. */
  handle(entry: Entry): Promise<Outcome>;
  /** The first attempt of a tenant's webhook, if there is a slot for it; `null`: it goes by the queue. */
  reserve(tenant: string): Reserved | null;
}

/** While Redis takes no writes, the end of an attempt is tried again at least this often. */
const LONGEST_WAIT_MS = 2000;

/**
 * Makes webhook attempts, in three ways that share the slots of this worker: for an entry of the queue, at the end of a job, and in the
 * slot of an attempt that has just ended, whose permit goes to the delivery that has waited longest. The delivery in Redis is the truth.
 */
export function createDeliveries(d: DeliveriesDeps): Deliveries {
  const running = new Set<Promise<void>>();
  const heldBack = createHeldBack();

  async function handle(entry: Entry): Promise<Outcome> {
    const endpoint = await endpointOf(entry);
    if (endpoint === null) return done;
    const slot = await d.slots.take(endpoint.tenant);
    try {
      return await open(entry, { endpoint, token: d.newToken() }, slot);
    } finally {
      slot?.leave();
    }
  }

  async function endpointOf(entry: Entry): Promise<EndpointRef | null> {
    const named = entry.endpoint === undefined ? null : readEndpointName(entry.endpoint);
    if (named !== null) return named;
    const found = await d.store.deliveries.read(entry.id);
    return found && endpointRef(found.delivery.tenant, found.delivery.url);
  }

  async function open(entry: Entry, lease: AttemptLease, slot: Slot | null): Promise<Outcome> {
    const opened = await d.store.deliveries.open(entry, lease, { share: slot !== null });
    switch (opened.kind) {
      case 'over':
        return done;
      case 'wait':
        return { kind: 'wait', ms: opened.ms };
      case 'room':
        d.metrics.waits.inc({ why: opened.why });
        if (opened.why === 'share') heldBack.add(lease.endpoint);
        return done;
      case 'skipped':
        noteSkipped(d, opened, lease.endpoint.id);
        return done;
      case 'lost':
        return await setAside(opened.delivery);
      case 'open': {
        const attempted = await attempt(opened, slot);
        if (!opened.swapped) return attempted;
        await enqueue(opened, attempted);
        return done;
      }
    }
  }

  /** Too many workers have died with it: whatever is the cause, it must not take more of them (P8). */
  async function setAside(delivery: OpenAttempt['delivery']): Promise<Outcome> {
    const now = d.clock.now();
    const error = `crashed: the worker died ${ENDPOINT_RULES.maxLost} times during an attempt`;
    const attempt = { number: delivery.attempts_made + 1, at: now, duration_ms: 0, ok: false, phase: 'write', error };
    await d.store.deliveries.settle(delivery, { state: delivery.once ?? 'failed', attempt });
    noteCrashed(d, delivery);
    return done;
  }

  /** One attempt and its end. What becomes of the delivery's entry is the answer; who comes next has a life of its own. */
  async function attempt(open: OpenAttempt, slot: Slot | null): Promise<Outcome> {
    let attempted: Attempted | null;
    try {
      attempted = await makeAttempt(d, open);
    } catch (error) {
      await release(open);
      throw error;
    }
    if (attempted === null) {
      await release(open);
      return { kind: 'wait', ms: 0 };
    }
    slot?.took(attempted.tookMs);
    try {
      return await settle(open, attempted, slot);
    } catch (error) {
      // Left open it would count as an attempt with which its worker died.
      await release(open).catch(() => undefined);
      throw error;
    }
  }

  const release = ({ delivery, lease }: OpenAttempt): Promise<void> =>
    untilWritten(delivery, () => d.store.deliveries.release(delivery.id, lease));

  /** Writes the end of an attempt, also when Redis is away or refuses writes for a while: until then this worker is at it. */
  async function untilWritten<T>(delivery: OpenAttempt['delivery'], write: () => Promise<T>): Promise<T> {
    for (let n = 0; ; n += 1) {
      try {
        return await write();
      } catch (err) {
        if (redisTrouble(err) === null || d.shutdown.cutting.aborted) throw err;
        if (n === 0)
          d.log.error(
            { event: 'webhook.not_settled', err, delivery_id: delivery.id },
            'Redis does not take the end of an attempt, trying again',
          );
        await d.timers.sleep(Math.min(LONGEST_WAIT_MS, 100 * 2 ** n), d.shutdown.cutting).catch(() => undefined);
      }
    }
  }

  async function settle(open: OpenAttempt, { settlement, next }: Attempted, slot: Slot | null): Promise<Outcome> {
    const { delivery, lease } = open;
    const own = !d.shutdown.stopping.aborted && slot?.mayKeep() ? slot : null;
    // Permits may have grown: then two can go on where one was.
    const second = own === null ? null : d.slots.tryTake(delivery.tenant);
    try {
      const wants = [own, second].flatMap((each) => (each === null ? [] : [d.newToken()]));
      const once = { ...settlement, wants, token: d.newToken() };
      const settled = await untilWritten(delivery, () => d.store.deliveries.settle(delivery, once));
      noteAttempt(d, delivery, settlement.attempt, next);
      noteEndpoint(d, delivery, lease.endpoint.id, settled.endpoint);
      for (const each of settled.begun) follow((each === settled.begun[0] ? own : second)?.handOn() ?? null, each);
      if (own !== null && settled.begun.length === 0) letHeldBackIn(delivery.tenant);
      // Somebody else had the same entry, whose lock was lost, and may have left it to us: it comes again, and says what it is worth.
      if (!settled.settled) return { kind: 'wait', ms: 0 };
      return next.state === 'pending' ? { kind: 'wait', ms: next.waitMs } : done;
    } finally {
      second?.leave();
    }
  }

  /** An attempt that has begun without an entry: nobody waits for it but a stop. */
  function follow(slot: Slot | null, open: OpenAttempt): void {
    background(async () => {
      try {
        await enqueue(open, await attempt(open, slot));
      } catch (err) {
        d.log.error({ event: 'webhook.not_settled', err, delivery_id: open.delivery.id }, 'an attempt was not written down');
      } finally {
        slot?.leave();
      }
    });
  }

  function background(task: () => Promise<void>): void {
    const work = task().finally(() => running.delete(work));
    running.add(work);
  }

  /** A delivery that goes on has no entry yet; should this be lost, a repair makes one. */
  async function enqueue({ delivery, lease }: OpenAttempt, outcome: Outcome): Promise<void> {
    if (outcome.kind !== 'wait') return;
    const entry = { id: delivery.id, step: delivery.step, endpoint: endpointName(lease.endpoint) };
    await d.producer.enqueueDelivery(entry, outcome.ms);
  }

  /** Its tenant has a slot free again: one of those that were held back gets its entries, without waiting for the next check of rooms. */
  function letHeldBackIn(tenant: string): void {
    const endpoint = heldBack.takeOne(tenant);
    if (endpoint === null) return;
    background(async () => {
      try {
        for (const entry of await d.store.deliveries.letIn(endpoint)) await d.producer.enqueueDelivery(entry);
      } catch (err) {
        d.log.warn(
          { event: 'webhook.not_let_in', err },
          'deliveries that wait were not let in; the next check of rooms finds them',
        );
      }
    });
  }

  return {
    name: 'webhook attempts',
    handle,
    reserve(tenant) {
      if (d.shutdown.stopping.aborted) return null;
      const slot = d.slots.tryTake(tenant);
      return {
        attempt: slot === null ? { busy: true } : { token: d.newToken() },
        use(placed) {
          if (placed.kind === 'open') follow(slot, placed);
          else slot?.leave();
        },
      };
    },
    stop: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
