import { QUEUES, type QueueMessage, type QueueName } from '@grsai-jobs/jobs';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Depth, depthOf } from './depth.ts';
import { deliveryData, type Entry, type EntryData, entryId, jobData, priorityOf } from './entries.ts';
import { type EntryListState, type EntryPage, listEntries } from './list-entries.ts';
import { OPERATIONS_TASK, queuePrefix } from './names.ts';

/** Whether an entry is still under way. */
export type EntryState = 'there' | 'gone';

const THERE = new Set(['waiting', 'delayed', 'prioritized', 'active', 'waiting-children']);

/** A task of `maintain` that runs on a clock. */
interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
}

export interface Producer {
  /** The one function that puts a job into a queue. Adding twice is harmless. */
  enqueue(message: QueueMessage): Promise<void>;
  /** The entries of jobs that were let in to `call` and `submit`, in one go for each queue. */
  enqueueLetIn(messages: readonly QueueMessage[]): Promise<void>;
  /** A pending delivery. With its `endpoint` the worker needs one round trip less. */
  enqueueDelivery(delivery: Entry, delayMs?: number): Promise<void>;
  stateOf(queue: QueueName, entry: Entry): Promise<EntryState>;
  /** An entry that waits for a time of its own is due now, in its turn. Nothing happens to any other. */
  wake(queue: QueueName, entry: Entry): Promise<void>;
  /** Entries by state and queue, for metrics and `/readyz?verbose`. */
  counts(): Promise<Record<QueueName, Record<string, number>>>;
  /** The same with the age of what waits, for operators. It reads a few entries of each queue, however many there are. */
  depths(): Promise<Record<QueueName, Depth>>;
  /** A page of what stands in one queue, for operators. It changes nothing. */
  list(queue: QueueName, o: { state: EntryListState; from: number; limit: number }): Promise<EntryPage>;
  /** Brings BullMQ's own flag of a queue in line: paused, one entry at a time over all workers, or open. */
  gate(queue: QueueName, state: 'paused' | 'half' | 'open'): Promise<void>;
  /** Has `maintain` look for operations now instead of within a second. Nothing is lost when it fails. */
  nudgeOperations(): Promise<void>;
  /**
   * Has these tasks of `maintain` come again and again, each once in `everyMs` over all workers, and no others: what a version
   * before called by another name stops. One whose next run is further away than that, as a process with a wrong clock has set it, begins
   * anew. Doing it again changes nothing else.
   */
  schedule(tasks: readonly PeriodicTask[]): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ sets the next run of a task by the clock of the machine that runs it; those of two that work differ by less. */
const CLOCKS_DIFFER_MS = 15_000;

/** Clocks that differ by less need not be told apart: entries come that much too early or late. */
const SAME_TIME_MS = 1000;

/** BullMQ's own retries are not used. It would write its default, 0, into each entry, and make its options longer than 64 bytes. */
const NO_RETRIES = { attempts: undefined } as unknown as { attempts?: number };

/** @param o.clock the time that all processes agree on, by which entries wait; left out: that of the machine. */
export function createProducer(o: {
  redis: Redis;
  prefix: string;
  onError: (error: Error) => void;
  clock?: { now(): number };
}): Producer {
  const now = () => Math.floor(o.clock?.now() ?? Date.now());
  /** BullMQ takes the time of the machine by itself. Said in so many words it would make options longer than 64 bytes. */
  const timeOf = () => (Math.abs(now() - Date.now()) < SAME_TIME_MS ? {} : { timestamp: now() });
  const queues = Object.fromEntries(
    QUEUES.map((name) => {
      const queue = new Queue(name, { connection: o.redis, prefix: queuePrefix(o.prefix), skipWaitingForReady: true });
      queue.on('error', o.onError);
      return [name, queue];
    }),
  ) as Record<QueueName, Queue>;

  const optionsOf = (entry: Entry, delayMs: number, priority: number | undefined) => ({
    jobId: entryId(entry),
    ...timeOf(),
    ...NO_RETRIES,
    ...(delayMs > 0 ? { delay: delayMs } : {}),
    ...(priority === undefined ? {} : { priority }),
  });

  async function add(name: QueueName, entry: Entry, delayMs: number, priority?: number): Promise<void> {
    const data: EntryData = name === 'deliver' ? deliveryData(entry) : jobData(entry);
    await queues[name].add(name, data, optionsOf(entry, delayMs, priority));
  }

  return {
    enqueue: ({ queue, turn, priority, delayMs, ...entry }) => add(queue, entry, delayMs, priorityOf(queue, turn, priority)),
    enqueueLetIn: async (messages) => {
      for (const name of ['call', 'submit'] as const) {
        const own = messages.filter(({ queue }) => queue === name);
        if (own.length === 0) continue;
        await queues[name].addBulk(
          own.map(({ turn, priority, ...entry }) => {
            return { name, data: jobData(entry), opts: optionsOf(entry, 0, priorityOf(name, turn, priority)) };
          }),
        );
      }
    },
    enqueueDelivery: (delivery, delayMs = 0) => add('deliver', delivery, delayMs),
    stateOf: async (queue, entry) => (THERE.has(await queues[queue].getJobState(entryId(entry))) ? 'there' : 'gone'),
    wake: async (queue, entry) => {
      const job = await queues[queue].getJob(entryId(entry));
      if (job === undefined || !(await job.isDelayed())) return;
      // It may have come by itself meanwhile.
      await job.promote().catch(async (error: unknown) => {
        if (await job.isDelayed()) throw error;
      });
    },
    counts: async () =>
      Object.fromEntries(
        await Promise.all(
          QUEUES.map(async (name) => [name, await queues[name].getJobCounts('wait', 'active', 'delayed', 'prioritized')]),
        ),
      ) as Record<QueueName, Record<string, number>>,
    depths: async () =>
      Object.fromEntries(await Promise.all(QUEUES.map(async (name) => [name, await depthOf(queues[name], o.redis)]))) as Record<
        QueueName,
        Depth
      >,
    list: async (name, page) => await listEntries(queues[name], o.redis, page),
    gate: async (name, state) => {
      const queue = queues[name];
      const [paused, most] = await Promise.all([queue.isPaused(), queue.getGlobalConcurrency()]);
      const half = state === 'half';
      if (half !== (most === 1)) await (half ? queue.setGlobalConcurrency(1) : queue.removeGlobalConcurrency());
      if (paused !== (state === 'paused')) await (paused ? queue.resume() : queue.pause());
    },
    nudgeOperations: async () => {
      await queues.maintain.add(OPERATIONS_TASK, {}, timeOf());
    },
    schedule: async (tasks) => {
      const intervals = new Map(tasks.map(({ name, everyMs }) => [name, everyMs]));
      const running = await queues.maintain.getJobSchedulers();
      // One whose interval has changed goes too: BullMQ would keep its old offset, by which a late run is put off (*measured*, bullmq 6.7).
      const latest = now() + CLOCKS_DIFFER_MS;
      const others = running.filter(({ key, every, next }) => {
        const everyMs = intervals.get(key);
        return everyMs === undefined || everyMs !== Number(every) || Number(next) > latest + everyMs;
      });
      await Promise.all(
        others.map(async ({ key, next }) => {
          await queues.maintain.removeJobScheduler(key);
          // BullMQ leaves the entry there when it is due already.
          await queues.maintain.remove(`repeat:${key}:${next}`);
        }),
      );
      await Promise.all(
        tasks.map(({ name, everyMs }) => queues.maintain.upsertJobScheduler(name, { every: everyMs }, { name, data: {} })),
      );
    },
    close: async () => {
      await Promise.all(QUEUES.map((name) => queues[name].close()));
    },
  };
}
