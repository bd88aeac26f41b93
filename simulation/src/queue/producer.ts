import { QUEUES, type QueueName } from '@grsai-jobs/jobs';
import type { Entry, Producer } from '@grsai-jobs/queue';
import { deliveryData, entryId, jobData, OPERATIONS_TASK, priorityOf } from '@grsai-jobs/queue/port';
import type { SimulatedClient } from '../redis/client/client.ts';
import type { Line } from './line.ts';
import { createListing } from './listing.ts';

const forEach = async <T>(of: (name: QueueName) => Promise<T>): Promise<Record<QueueName, T>> =>
  Object.fromEntries(await Promise.all(QUEUES.map(async (name) => [name, await of(name)]))) as Record<QueueName, T>;

export function createProducer(redis: SimulatedClient, lines: Readonly<Record<QueueName, Line>>): Producer {
  const listing = (name: QueueName) => createListing(redis, lines[name].keys);

  const addOne = (name: QueueName, entry: Entry, delayMs: number, priority = 0) =>
    lines[name].add([
      {
        id: entryId(entry),
        name,
        data: JSON.stringify(name === 'deliver' ? deliveryData(entry) : jobData(entry)),
        priority,
        delayMs,
      },
    ]);

  return {
    enqueue: ({ queue, turn, priority, delayMs, ...entry }) => addOne(queue, entry, delayMs, priorityOf(queue, turn, priority)),
    async enqueueLetIn(messages) {
      for (const name of ['call', 'submit'] as const) {
        const own = messages.filter(({ queue }) => queue === name);
        if (own.length === 0) continue;
        await lines[name].add(
          own.map(({ turn, priority, ...entry }) => {
            const data = JSON.stringify(jobData(entry));
            return { id: entryId(entry), name, data, priority: priorityOf(name, turn, priority) ?? 0, delayMs: 0 };
          }),
        );
      }
    },
    enqueueDelivery: (delivery, delayMs = 0) => addOne('deliver', delivery, delayMs),
    async stateOf(queue, entry) {
      const [added, failure]: (string | null)[] = await redis.hmget(lines[queue].keys.entry + entryId(entry), 'added', 'failure');
      return added !== null && failure === null ? 'there' : 'gone';
    },
    wake: (queue, entry) => lines[queue].wake(entryId(entry)),
    counts: () => forEach((name) => listing(name).counts()),
    depths: () => forEach((name) => listing(name).depth()),
    list: (name, page) => listing(name).page(page),
    async gate(name, state) {
      const { keys, look } = lines[name];
      const [paused, most]: (string | null)[] = await redis.hmget(keys.meta, 'paused', 'concurrency');
      const half = state === 'half';
      if (half !== (most === '1')) await (half ? redis.hset(keys.meta, 'concurrency', 1) : redis.hdel(keys.meta, 'concurrency'));
      if ((paused !== null) !== (state === 'paused'))
        await (paused === null ? redis.hset(keys.meta, 'paused', 1) : redis.hdel(keys.meta, 'paused'));
      await look();
    },
    nudgeOperations: () => lines.maintain.add([{ id: '', name: OPERATIONS_TASK, data: '{}', priority: 0, delayMs: 0 }]),
    schedule: (tasks) => lines.maintain.schedule(tasks),
    close: async () => undefined,
  };
}
