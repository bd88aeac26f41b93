import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/** What an operator changes of one queue; what is left out stays. */
export interface QueueChange {
  /** Stops the queue, for the text given, or takes that back with `null`. Other reasons to be paused are not touched. */
  paused?: string | null;
  /** Entries at once in each worker process; `null`: as each is configured. */
  concurrency?: number | null;
}

export type QueueSettings = ReturnType<typeof createQueueSettings>;

/** What operators set for queues, in Redis so that it holds for workers that start later as well. */
export function createQueueSettings(redis: Redis, keys: Keys, clock: { now(): number }) {
  return {
    /** The concurrency of each queue that has one from an operator. */
    async concurrency(): Promise<Record<string, number>> {
      return Object.fromEntries(Object.entries(await redis.hgetall(keys.concurrency)).map(([queue, n]) => [queue, Number(n)]));
    },

    /** Writes all of a change at once and tells the workers, who look by themselves too when they hear nothing. */
    async change(queue: string, { paused, concurrency }: QueueChange): Promise<void> {
      const all = redis.multi();
      if (paused === null) all.hdel(keys.pauses(queue), 'operator');
      else if (paused !== undefined) {
        const pause = { reason: 'operator', since: clock.now(), detail: paused, state: 'paused' };
        all.hset(keys.pauses(queue), 'operator', JSON.stringify(pause));
      }
      if (concurrency === null) all.hdel(keys.concurrency, queue);
      else if (concurrency !== undefined) all.hset(keys.concurrency, queue, concurrency);
      all.publish(keys.settings, queue);
      for (const [error] of (await all.exec()) ?? []) if (error) throw error;
    },
  };
}
