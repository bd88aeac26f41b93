import type { QueueName } from '@grsai-jobs/jobs';
import { redisTrouble } from '@grsai-jobs/redis';
import { DelayedError, type Job, Queue, RateLimitError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Entry, KEPT_ENTRIES, parseEntry } from './entries.ts';
import { keepLocks } from './locks.ts';
import { queuePrefix } from './names.ts';
import { LONGEST_THROTTLE_MS, throttleMs } from './throttle.ts';

/** How a handler leaves its entry. */
export type Outcome =
  /** The entry is done with; the job has changed since, or the entry did not count. */
  | { kind: 'done' }
  /** The same entry comes again after `ms`; no slot is held meanwhile. */
  | { kind: 'wait'; ms: number }
  /** The whole queue waits for `ms` and the entry goes back in front. */
  | { kind: 'throttle'; ms: number };

export const done: Outcome = { kind: 'done' };

export interface Work {
  entry: Entry;
  /** The process that had this entry died, or froze past its lock. */
  stalled: boolean;
}

export type Handler = (work: Work) => Promise<Outcome>;

export interface ConsumerOptions {
  /** Made for this consumer alone; BullMQ makes its blocking connection from it. */
  redis: Redis;
  prefix: string;
  /** The time that all processes agree on, by which entries wait; left out: that of the machine. */
  clock?: { now(): number };
  concurrency: number;
  /** How long the lock on an entry lasts unless it is renewed: at least, and 10 round trips to Redis. */
  lockMs: number;
  /** How far Redis is; left out: near. */
  roundTripMs?: () => number;
  stalledMs: number;
  onError: (error: Error) => void;
  /** Handlers throw only what they did not mean to. The entry is done with when this has answered. */
  onThrow: (work: Work, error: unknown) => Promise<void>;
}

export interface Consumer {
  readonly name: string;
  /** Takes entries from now on. */
  start(): void;
  /** Takes none while it is held, also before it was started. What is open goes on. */
  hold(held: boolean): Promise<void>;
  /** Takes no more entries and waits for the open ones. */
  stop(): Promise<void>;
  /** Open entries at this moment. */
  open(): number;
  /** How many entries it works on at once. */
  concurrency(): number;
  /** Changes that at once, also while all slots are taken; what is open beyond a lower number ends as it would. */
  setConcurrency(n: number): Promise<void>;
}

/** A queue that cannot be limited is never limited (*measured*, design.md §2.9), so calls and submits have this one. */
const LIMITER = { max: 1e9, duration: 1000 };

/** Turns outcomes into BullMQ's words; nothing else knows them. */
export function createConsumer(name: QueueName, handler: Handler, o: ConsumerOptions): Consumer {
  const limited = name === 'call' || name === 'submit';
  const prefix = queuePrefix(o.prefix);
  const queue = new Queue(name, { connection: o.redis, prefix });
  queue.on('error', o.onError);
  const now = () => Math.floor(o.clock?.now() ?? Date.now());
  let open = 0;

  /** Whether no entry of this queue is taken for so long; not where Redis refuses for now what is no script. */
  async function throttle(ms: number): Promise<boolean> {
    try {
      // A longer wait that is under way stays: BullMQ would overwrite it.
      if ((await queue.getRateLimitTtl()) < ms) await queue.rateLimit(ms);
      return true;
    } catch (error) {
      if (redisTrouble(error) === null) throw error;
      return false;
    }
  }

  async function leave(job: Job, token: string | undefined, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'done') return;
    if (outcome.kind === 'throttle' && (await throttle(throttleMs(outcome.ms)))) throw new RateLimitError();
    // By the job itself it would be due by the clock of this machine.
    await worker.getBackend().moveToDelayed(job.id ?? '', now(), outcome.ms, token, { skipAttempt: true });
    throw new DelayedError();
  }

  async function work(job: Job): Promise<Outcome> {
    const todo: Work = { entry: parseEntry(job), stalled: job.stalledCounter > 0 };
    open += 1;
    try {
      return await handler(todo);
    } catch (error) {
      await o.onThrow(todo, error);
      return done;
    } finally {
      open -= 1;
    }
  }

  const begun = new WeakMap<Job, Promise<Outcome>>();
  const worker = new Worker(
    name,
    async (job: Job, token?: string) => {
      try {
        await leave(job, token, await (begun.get(job) ?? work(job)));
      } finally {
        locks.letGo(job);
      }
    },
    {
      connection: o.redis,
      prefix,
      autorun: false,
      concurrency: o.concurrency,
      ...lockOptions(o),
      ...KEPT_ENTRIES,
      ...(limited ? { limiter: LIMITER } : {}),
    },
  );
  worker.on('error', o.onError);
  const locks = keepLocks(worker, o);
  // BullMQ takes an entry for each free slot, one after the other, before it begins with the first: far from Redis that takes seconds.
  worker.on('active', (job) => {
    const working = work(job);
    // Whoever ends the entry finds out.
    working.catch(() => undefined);
    begun.set(job, working);
  });

  /** The limit stands in Redis and outlives whoever set it, with a bound that may not have been ours. */
  async function shortenLimit(): Promise<void> {
    if ((await queue.getRateLimitTtl()) > LONGEST_THROTTLE_MS) await queue.rateLimit(LONGEST_THROTTLE_MS);
  }

  return {
    name,
    open: () => open,
    ...slotsOf(worker, {
      onError: o.onError,
      onStart: () => {
        if (limited) shortenLimit().catch(o.onError);
      },
    }),
    stop: async () => {
      await worker.close();
      await queue.close();
    },
  };
}

const lockOptions = ({ lockMs, stalledMs }: Pick<ConsumerOptions, 'lockMs' | 'stalledMs'>) => ({
  lockDuration: lockMs,
  stalledInterval: stalledMs,
  maxStalledCount: 100,
  skipLockRenewal: true,
});

function slotsOf(
  worker: Worker,
  o: { onError: (error: Error) => void; onStart: () => void },
): Pick<Consumer, 'start' | 'hold' | 'concurrency' | 'setConcurrency'> {
  let begun = false;
  let held = false;
  const run = () => {
    o.onStart();
    worker.run().catch(o.onError);
  };
  return {
    start() {
      if (begun) return;
      begun = true;
      if (!held) run();
    },
    async hold(wanted) {
      if (wanted === held) return;
      held = wanted;
      if (!begun || worker.closing !== undefined) return;
      if (held) await worker.pause(true);
      else if (worker.isPaused()) await worker.resume();
      else run();
    },
    concurrency: () => worker.concurrency,
    async setConcurrency(n) {
      const more = n > worker.concurrency;
      worker.concurrency = n;
      // A full worker looks at its number only when an entry ends, which a long call may not for minutes; `resume` wakes it.
      if (!more || held || worker.closing !== undefined || !worker.isRunning()) return;
      await worker.pause(true);
      await worker.resume();
    },
  };
}

/** Periodic tasks by name. */
export type MaintenanceTasks = Readonly<Record<string, () => Promise<void>>>;

export interface MaintainerOptions extends Omit<ConsumerOptions, 'onThrow'> {
  onTaskFailed: (task: string, error: Error) => void;
}

/** The consumer of `maintain`: each name has its task. An entry whose name has none fails, which is reported to `onTaskFailed`. */
export function createMaintainer(tasks: MaintenanceTasks, o: MaintainerOptions): Consumer {
  const worker = new Worker(
    'maintain' satisfies QueueName,
    async (job: Job) => {
      const task = Object.hasOwn(tasks, job.name) ? tasks[job.name] : undefined;
      if (task === undefined) {
        locks.letGo(job);
        throw new Error(`this version has no task named ${job.name}`);
      }
      await task().finally(() => locks.letGo(job));
    },
    {
      connection: o.redis,
      prefix: queuePrefix(o.prefix),
      autorun: false,
      concurrency: o.concurrency,
      ...lockOptions(o),
      ...KEPT_ENTRIES,
    },
  );
  worker.on('error', o.onError);
  const locks = keepLocks(worker, o);
  worker.on('failed', (job, error) => o.onTaskFailed(job?.name ?? '', error));
  return {
    name: 'maintain',
    open: () => 0,
    ...slotsOf(worker, { onError: o.onError, onStart: () => undefined }),
    stop: () => worker.close(),
  };
}
