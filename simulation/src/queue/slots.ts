import type { Outcome, QueueName } from '@grsai-jobs/queue';
import { throttleMs } from '@grsai-jobs/queue/port';
import { redisTrouble } from '@grsai-jobs/redis';
import type { EndTimer, Timers } from '@grsai-jobs/runtime';
import type { SimulatedClient } from '../redis/client/client.ts';
import type { Found, Leaving, Line, Taken, Taking } from './line.ts';
import { createLocks } from './locks.ts';
import type { WakeUps } from './wake-ups.ts';

/** A consumer that was not woken looks by itself; BullMQ's `drainDelay`. */
const LOOK_MS = 5000;
/** After a look that Redis has refused. */
const RETRY_MS = 1000;

export interface SlotsDeps {
  readonly name: QueueName;
  readonly line: Line;
  readonly redis: SimulatedClient;
  readonly timers: Timers;
  readonly signal: WakeUps;
  readonly newToken: () => string;
}

export interface SlotsOptions {
  readonly concurrency: number;
  readonly lockMs: number;
  readonly stalledMs: number;
  /** Whether the queue can be throttled. */
  readonly limited: boolean;
  readonly onError: (error: Error) => void;
  /** What becomes of an entry. One for which this throws has failed. */
  readonly work: (taken: Taken) => Promise<Outcome>;
  readonly onFailed: (taken: Taken, error: unknown) => void;
}

/** The slots of one consumer. */
export interface Slots {
  start(): void;
  hold(held: boolean): Promise<void>;
  stop(): Promise<void>;
  concurrency(): number;
  setConcurrency(n: number): Promise<void>;
}

type End = Outcome | { readonly kind: 'failed'; readonly error: unknown };

/** What a look has found, and whether something has come meanwhile. */
interface Answer extends Found {
  readonly missed: boolean;
}

const NOTHING: Answer = { taken: null, ready: 0, limitMs: 0, missed: false };

const leavingOf = (end: Exclude<End, { kind: 'throttle' }>): Leaving => {
  if (end.kind === 'done') return { as: 'done' };
  if (end.kind === 'wait') return { as: 'wait', ms: end.ms };
  return { as: 'failed', reason: end.error instanceof Error ? end.error.message : String(end.error) };
};

/**
 * Takes entries as BullMQ's worker does: one after another while there are free slots, and with the word that ends an entry the next one
 * for its slot. What Redis refuses of that word leaves the entry failed, or, when it refuses that too, to whoever finds its lock over.
 */
export function createSlots(deps: SlotsDeps, o: SlotsOptions): Slots {
  const { name, line, redis, timers, signal, newToken } = deps;
  const taking: Taking = { lockMs: o.lockMs, limited: o.limited };
  const locks = createLocks({ timers, lockMs: o.lockMs, onError: o.onError, renew: (held) => line.renew(held, o.lockMs) });
  const place = signal.join(name, {
    reachable: () => redis.status === 'ready',
    wake: () => void timers.after(0, () => void look()),
  });
  let { concurrency } = o;
  let state: 'new' | 'running' | 'stopping' = 'new';
  let held = false;
  /** Slots that are taken, or kept for what a look may find. */
  let used = 0;
  let looking = false;
  let limitedUntil = Number.NEGATIVE_INFINITY;
  let alarm: { readonly at: number; readonly end: EndTimer } | null = null;
  let endChecks: EndTimer | null = null;
  let stopped: Promise<void> | null = null;
  let allOver: (() => void) | null = null;

  const limitMs = () => limitedUntil - timers.elapsed();
  const takes = () => state === 'running' && !held && used < concurrency;
  const mayTake = () => takes() && redis.status !== 'end' && limitMs() <= 0;

  /** Looks in `ms`, if not before. */
  function lookIn(ms: number): void {
    const at = timers.elapsed() + ms;
    if (alarm !== null) {
      if (alarm.at <= at) return;
      alarm.end();
    }
    const end = timers.after(ms, () => {
      alarm = null;
      void look();
    });
    alarm = { at, end };
  }

  /** Nothing is to be done until somebody comes. `ready` entries are left for others. */
  function rest(ready: number): void {
    if (!takes()) signal.raise(name, ready);
    if (state === 'stopping' && used === 0 && !looking) allOver?.();
    if (looking || !takes() || redis.status === 'end') return;
    if (limitMs() > 0) {
      lookIn(limitMs());
      return;
    }
    place.rest();
    lookIn(LOOK_MS);
  }

  /** Asks Redis, and notes what it says of the queue. */
  async function ask(send: () => Promise<Found>): Promise<Answer> {
    const asked = place.begin();
    try {
      const found = await send();
      if (found.limitMs > 0) limitedUntil = timers.elapsed() + found.limitMs;
      return { ...found, missed: asked.missed };
    } finally {
      place.end(asked);
    }
  }

  /** Fills free slots. `ready`: how many entries wait, as far as is known. */
  async function look(ready = 0): Promise<void> {
    if (looking) return;
    looking = true;
    place.up();
    let left = ready;
    while (mayTake()) {
      used += 1;
      const found = await ask(() => line.take({ ...taking, token: newToken() })).catch(refused);
      if (found.taken === null) used -= 1;
      else void fill(found.taken);
      left = found.ready;
      if (left === 0 && !found.missed) break;
    }
    looking = false;
    rest(left);
  }

  function refused(error: unknown): Answer {
    if (redis.status === 'end') return NOTHING;
    o.onError(error as Error);
    lookIn(RETRY_MS);
    return NOTHING;
  }

  /** One slot, from entry to entry. */
  async function fill(first: Taken): Promise<void> {
    let found: Answer = { ...NOTHING, taken: first };
    while (found.taken !== null) found = await handle(found.taken);
    used -= 1;
    if (found.ready > 0 || found.missed) void look(found.ready);
    else rest(0);
  }

  async function handle(taken: Taken): Promise<Answer> {
    locks.hold(taken);
    const end = await o.work(taken).catch((error: unknown): End => ({ kind: 'failed', error }));
    locks.letGo(taken);
    const left = end.kind === 'throttle' ? throttled(taken, end.ms) : leave(taken, end);
    return await left.catch((error: unknown) => {
      if (redis.status === 'end') return NOTHING;
      o.onError(error as Error);
      if (end.kind === 'failed') return NOTHING;
      return leave(taken, { kind: 'failed', error }).catch(refused);
    });
  }

  /** Where Redis does not take the limit of the queue the entry waits by itself. */
  async function throttled(taken: Taken, wished: number): Promise<Answer> {
    const ms = Math.ceil(throttleMs(wished));
    try {
      const found = await ask(() => line.throttle(taken, ms));
      signal.raise(name, found.ready);
      return { ...found, ready: 0 };
    } catch (error) {
      if (redisTrouble(error) === null) throw error;
      return await leave(taken, { kind: 'wait', ms });
    }
  }

  async function leave(taken: Taken, end: Exclude<End, { kind: 'throttle' }>): Promise<Answer> {
    const next = state === 'running' && !held && used <= concurrency ? newToken() : '';
    const found = await ask(() => line.leave(taken, leavingOf(end), { ...taking, next }));
    if (end.kind === 'failed') o.onFailed(taken, end.error);
    return found;
  }

  async function findStalled(): Promise<void> {
    await line.findStalled(o.stalledMs).catch((error: Error) => {
      if (redis.status !== 'end') o.onError(error);
    });
    if (state === 'running' && redis.status !== 'end') endChecks = timers.after(o.stalledMs, () => void findStalled());
  }

  /** What has come while the connection was away woke nobody here. */
  const onReady = () => void look();

  return {
    start() {
      if (state !== 'new') return;
      state = 'running';
      redis.on('ready', onReady);
      void findStalled();
      void look();
    },
    async hold(wanted) {
      held = wanted;
      if (held) place.up();
      else void look();
    },
    stop() {
      stopped ??= new Promise((resolve) => {
        allOver = resolve;
        state = 'stopping';
        redis.off('ready', onReady);
        place.up();
        alarm?.end();
        endChecks?.();
        rest(0);
      });
      return stopped;
    },
    concurrency: () => concurrency,
    async setConcurrency(n) {
      if (!(n >= 1 && Number.isFinite(n))) throw new Error('concurrency must be a finite number greater than 0');
      concurrency = n;
      void look();
    },
  };
}
