import { entryStage } from '@grsai-jobs/jobs';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  ENTRY_OPTIONS,
  type Enqueued,
  type Entry,
  type EntryData,
  entryId,
  priorityOf,
  QUEUES,
  type QueueName,
  queueOf,
} from './entries.ts';

/** Whether an entry is still under way. */
export type EntryState = 'there' | 'gone';

const THERE = new Set(['waiting', 'delayed', 'prioritized', 'active', 'waiting-children']);

export interface Producer {
  /** The one function that puts a job into the queue of its state. Adding twice is harmless. */
  enqueue(job: Enqueued, delayMs?: number): Promise<void>;
  /** A job that has just reached `storing`. */
  enqueueStore(entry: Entry): Promise<void>;
  /** An owed webhook. */
  enqueueDelivery(delivery: Entry, delayMs?: number): Promise<void>;
  stateOf(queue: QueueName, entry: Entry): Promise<EntryState>;
  /** Entries by state and queue, for metrics and `/readyz?verbose`. */
  counts(): Promise<Record<QueueName, Record<string, number>>>;
  /** Brings BullMQ's own flag of a queue in line: paused, one entry at a time over all workers, or open. */
  gate(queue: QueueName, state: 'paused' | 'half' | 'open'): Promise<void>;
  /** Runs a scheduled entry of `maintain` now as well, since there is work for it. */
  nudge(name: string): Promise<void>;
  /** Runs an entry of `maintain` again and again, over all workers once in `everyMs`. */
  schedule(name: string, everyMs: number): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ's keys stand under a tag of their own, beside the records' (design §2). */
export const queuePrefix = (prefix: string): string => `{${prefix}-q}`;

export function createProducer(o: { redis: Redis; prefix: string; onError: (error: Error) => void }): Producer {
  const queues = Object.fromEntries(
    QUEUES.map((name) => {
      const queue = new Queue(name, { connection: o.redis, prefix: queuePrefix(o.prefix), skipWaitingForReady: true });
      queue.on('error', o.onError);
      return [name, queue];
    }),
  ) as Record<QueueName, Queue>;

  async function add(name: QueueName, entry: Entry, delayMs: number, priority?: number): Promise<void> {
    const data: EntryData =
      name === 'deliver' ? { v: 1, delivery_id: entry.id, step: entry.step } : { v: 1, job_id: entry.id, step: entry.step };
    await queues[name].add(name, data, {
      ...ENTRY_OPTIONS,
      jobId: entryId(entry),
      ...(delayMs > 0 ? { delay: delayMs } : {}),
      ...(priority === undefined ? {} : { priority }),
    });
  }

  return {
    enqueue: (job, delayMs = 0) => {
      const queue = queueOf({ stage: job.stage, paidQueue: entryStage(job.doc) });
      return add(queue, job, delayMs, priorityOf(queue, job));
    },
    enqueueStore: (entry) => add('store', entry, 0),
    enqueueDelivery: (delivery, delayMs = 0) => add('deliver', delivery, delayMs),
    stateOf: async (queue, entry) => (THERE.has(await queues[queue].getJobState(entryId(entry))) ? 'there' : 'gone'),
    counts: async () =>
      Object.fromEntries(
        await Promise.all(
          QUEUES.map(async (name) => [name, await queues[name].getJobCounts('wait', 'active', 'delayed', 'prioritized')]),
        ),
      ) as Record<QueueName, Record<string, number>>,
    gate: async (name, state) => {
      const queue = queues[name];
      if (state === 'half') await queue.setGlobalConcurrency(1);
      else await queue.removeGlobalConcurrency();
      if (state === 'paused') await queue.pause();
      else await queue.resume();
    },
    nudge: async (name) => {
      await queues.maintain.add(name, {}, ENTRY_OPTIONS);
    },
    schedule: async (name, everyMs) => {
      await queues.maintain.upsertJobScheduler(name, { every: everyMs }, { name, data: {}, opts: ENTRY_OPTIONS });
    },
    close: async () => {
      await Promise.all(QUEUES.map((name) => queues[name].close()));
    },
  };
}
