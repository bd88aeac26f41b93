import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';

/** What an operator changes of one queue; what is left out stays. */
export interface QueueChange {
  /** Stops the queue, for the text given, or takes that back with `null`. Other reasons to be paused are not touched. */
  paused?: string | null;
  /** Entries at once in each worker process; `null`: as each is configured. */
  concurrency?: number | null;
}

const changeQueue = defineScript({
  lua: new URL('./queue-change.lua', import.meta.url),
  keys: ['pauses', 'concurrency'],
  args: ['queue', 'channel', 'pause?', 'limit?'],
  whenFull: 'runs',
  lasts: true,
});

export type QueueSettings = ReturnType<typeof createQueueSettings>;

/** What operators set for queues, in Redis so that it holds for workers that start later as well. A full Redis takes it too. */
export function createQueueSettings(
  redis: Redis,
  run: RunScript,
  keys: { pauses(queue: string): string; readonly concurrency: string; readonly settings: string },
  clock: { now(): number },
) {
  return {
    /** The concurrency of each queue that has one from an operator. */
    async concurrency(): Promise<Record<string, number>> {
      return Object.fromEntries(Object.entries(await redis.hgetall(keys.concurrency)).map(([queue, n]) => [queue, Number(n)]));
    },

    /** Writes all of a change at once and notifies the workers, which also check by themselves in case they miss it. */
    async change(queue: string, { paused, concurrency }: QueueChange): Promise<void> {
      const pauseOf = (detail: string) => JSON.stringify({ reason: 'operator', since: clock.now(), detail, state: 'paused' });
      const changed = <T>(value: T | null | undefined, text: (value: T) => string | number) =>
        value === undefined ? null : value === null ? '-' : text(value);
      await run(
        changeQueue,
        { pauses: keys.pauses(queue), concurrency: keys.concurrency },
        { queue, channel: keys.settings, pause: changed(paused, pauseOf), limit: changed(concurrency, (n) => n) },
      );
    },
  };
}
