import type { Redis, RunScript } from '@grsai-jobs/redis';
import { redisTime } from '../server/redis-time.ts';
import { setField } from './set-field.ts';

/** What a worker process says of itself. */
export interface WorkerInfo {
  /** Made anew by each process. */
  id: string;
  host: string;
  pid: number;
  version: string;
  /** Milliseconds since 1970. */
  started_at: number;
  /** By queue: entries at once now, as configured, and those open at this moment. */
  queues: Record<string, { concurrency: number; configured: number; open: number }>;
}

export interface SeenWorker extends WorkerInfo {
  seen_at: number;
}

/** A worker that has said nothing for this long is taken for dead; it speaks every {@link ANNOUNCE_EVERY_MS}. */
const ALIVE_MS = 15_000;
const FORGET_MS = 10 * 60_000;
export const ANNOUNCE_EVERY_MS = 5000;

export type Workers = ReturnType<typeof createWorkers>;

/** Who works, by what the processes say themselves. Times are those of Redis, so that clocks of hosts may differ. */
export function createWorkers(redis: Redis, run: RunScript, keys: { readonly workers: string }) {
  const time = async (): Promise<number> => Math.floor(await redisTime(redis));
  const all = async (): Promise<SeenWorker[]> =>
    (await redis.hvals(keys.workers)).map((text) => JSON.parse(text) as SeenWorker).sort((a, b) => a.started_at - b.started_at);

  return {
    /** Says that this worker lives, on a full Redis too, and forgets those that have not for long. */
    async announce(worker: WorkerInfo): Promise<void> {
      const now = await time();
      const seen: SeenWorker = { ...worker, seen_at: now };
      await run(setField, { hash: keys.workers }, { field: worker.id, text: JSON.stringify(seen), only_new: null });
      const dead = (await all()).filter((each) => now - each.seen_at > FORGET_MS);
      if (dead.length > 0) await redis.hdel(keys.workers, ...dead.map(({ id }) => id));
    },

    /** A worker that stops says so. */
    async leave(id: string): Promise<void> {
      await redis.hdel(keys.workers, id);
    },

    /** Those that have spoken within `silentMs` and have not left, the oldest first. */
    async alive(silentMs = ALIVE_MS): Promise<SeenWorker[]> {
      const [now, workers] = await Promise.all([time(), all()]);
      return workers.filter((each) => now - each.seen_at <= silentMs);
    },
  };
}
