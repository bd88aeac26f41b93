import { LONGEST_UPSTREAM_WAIT_MS } from '@grsai-jobs/jobs';
import { DelayedError, type Job, Queue, RateLimitError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Entry, KEPT_ENTRIES, parseEntry, type QueueName } from './entries.ts';
import { queuePrefix } from './producer.ts';

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
  concurrency: number;
  lockMs: number;
  stalledMs: number;
  onError: (error: Error) => void;
  /** Handlers throw only what they did not mean to. The entry is done with when this has answered. */
  onThrow: (work: Work, error: unknown) => Promise<void>;
}

export interface Consumer {
  readonly name: string;
  /** Takes entries from now on. */
  start(): void;
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

/** Below this BullMQ's rate limit does nothing useful. */
const MIN_THROTTLE_MS = 250;
/** A queue that stands still for longer looks like one that is dead. */
const LONGEST_THROTTLE_MS = LONGEST_UPSTREAM_WAIT_MS;

/** Turns outcomes into BullMQ's words; nothing else knows them. */
export function createConsumer(name: QueueName, handler: Handler, o: ConsumerOptions): Consumer {
  const limited = name === 'call' || name === 'submit';
  const prefix = queuePrefix(o.prefix);
  const queue = new Queue(name, { connection: o.redis, prefix });
  queue.on('error', o.onError);
  let open = 0;

  async function leave(job: Job, token: string | undefined, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'done') return;
    if (outcome.kind === 'throttle') {
      // A longer wait that is under way stays: BullMQ would overwrite it.
      const ms = Math.min(LONGEST_THROTTLE_MS, Math.max(MIN_THROTTLE_MS, outcome.ms));
      if ((await queue.getRateLimitTtl()) < ms) await queue.rateLimit(ms);
      throw new RateLimitError();
    }
    await job.moveToDelayed(Date.now() + outcome.ms, token);
    throw new DelayedError();
  }

  const worker = new Worker(
    name,
    async (job: Job, token?: string) => {
      const work: Work = { entry: parseEntry(job), stalled: job.stalledCounter > 0 };
      let outcome: Outcome;
      open += 1;
      try {
        outcome = await handler(work);
      } catch (error) {
        await o.onThrow(work, error);
        outcome = done;
      } finally {
        open -= 1;
      }
      await leave(job, token, outcome);
    },
    {
      connection: o.redis,
      prefix,
      autorun: false,
      concurrency: o.concurrency,
      lockDuration: o.lockMs,
      stalledInterval: o.stalledMs,
      maxStalledCount: 100,
      ...KEPT_ENTRIES,
      ...(limited ? { limiter: LIMITER } : {}),
    },
  );
  worker.on('error', o.onError);

  /** The limit stands in Redis and outlives whoever set it, with a bound that may not have been ours. */
  async function shortenLimit(): Promise<void> {
    if ((await queue.getRateLimitTtl()) > LONGEST_THROTTLE_MS) await queue.rateLimit(LONGEST_THROTTLE_MS);
  }

  return {
    name,
    start: () => {
      if (limited) shortenLimit().catch(o.onError);
      run(worker, o.onError);
    },
    open: () => open,
    ...concurrencyOf(worker),
    stop: async () => {
      await worker.close();
      await queue.close();
    },
  };
}

function concurrencyOf(worker: Worker): Pick<Consumer, 'concurrency' | 'setConcurrency'> {
  return {
    concurrency: () => worker.concurrency,
    async setConcurrency(n) {
      const more = n > worker.concurrency;
      worker.concurrency = n;
      // A full worker looks at its number only when an entry ends, which a long call may not for minutes; `resume` wakes it.
      if (!more || worker.closing || !worker.isRunning()) return;
      await worker.pause(true);
      await worker.resume();
    },
  };
}

function run(worker: Worker, onError: (error: Error) => void): void {
  worker.run().catch(onError);
}

/** The consumer of `maintain`: each name has its task. An entry whose name has none fails, which `onTaskFailed` is told. */
export function createMaintainer(
  tasks: Readonly<Record<string, () => Promise<void>>>,
  o: Omit<ConsumerOptions, 'onThrow'> & { onTaskFailed: (task: string, error: Error) => void },
): Consumer {
  const worker = new Worker(
    'maintain' satisfies QueueName,
    async (job: Job) => {
      const task = Object.hasOwn(tasks, job.name) ? tasks[job.name] : undefined;
      if (task === undefined) throw new Error(`this version has no task named ${job.name}`);
      await task();
    },
    {
      connection: o.redis,
      prefix: queuePrefix(o.prefix),
      autorun: false,
      concurrency: o.concurrency,
      lockDuration: o.lockMs,
      stalledInterval: o.stalledMs,
      maxStalledCount: 100,
      ...KEPT_ENTRIES,
    },
  );
  worker.on('error', o.onError);
  worker.on('failed', (job, error) => o.onTaskFailed(job?.name ?? '', error));
  return {
    name: 'maintain',
    start: () => run(worker, o.onError),
    open: () => 0,
    ...concurrencyOf(worker),
    stop: () => worker.close(),
  };
}
