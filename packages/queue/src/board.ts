import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUES } from './entries.ts';
import { queuePrefix } from './producer.ts';

/** The queues as bull-board wants them. They can be read there and nothing else. */
export interface BoardQueues {
  adapters: BullMQAdapter[];
  close(): Promise<void>;
}

/** Adds nothing and takes nothing: entries hold ids, so the board shows no input and no output of a job. */
export function createBoardQueues(o: { redis: Redis; prefix: string; onError: (error: Error) => void }): BoardQueues {
  const queues = QUEUES.map((name) => {
    const queue = new Queue(name, { connection: o.redis, prefix: queuePrefix(o.prefix), skipWaitingForReady: true });
    queue.on('error', o.onError);
    return queue;
  });
  return {
    adapters: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false })),
    close: async () => {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}
