import type { Redis } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import type { LastingWrite } from '../layout/lasting-write.ts';

/** A job that may have been paid for already, and since when it waits for a decision, in ms since 1970. */
export interface Suspect {
  id: string;
  since: number;
}

export type Suspects = ReturnType<typeof createSuspects>;

/** For so long at the most anybody asks for a task, also where no worker runs for days. */
const TASKS_ASKED_FOR_MS = 30 * 24 * 3600_000;

/** Jobs whose call may have been made and forgotten: none of them begins until somebody has decided. */
export function createSuspects(redis: Redis, keys: Pick<Keys, 'suspects' | 'restored' | 'due'>, lasting: LastingWrite) {
  return {
    /**
     * Ids of live jobs, some at a time, for whoever looks for suspects among them. Jobs move in that list with all that happens to them: each that
     * is there all the time comes, maybe twice.
     */
    async *liveIds(pageSize = 500): AsyncGenerator<string[]> {
      for (let cursor: string | null = '0'; cursor !== null; ) {
        const [next, flat]: [string, string[]] = await redis.zscan(keys.due, cursor, 'COUNT', pageSize);
        const ids = flat.filter((_, i) => i % 2 === 0);
        if (ids.length > 0) yield ids;
        cursor = next === '0' ? null : next;
      }
    },

    /** Holds these from now on. One that is held already keeps its time; answers how many were not. */
    async hold(ids: readonly string[], now: number): Promise<number> {
      if (ids.length === 0) return 0;
      return Number(await lasting(() => redis.zadd(keys.suspects, 'NX', ...ids.flatMap((id) => [now, id]))));
    },

    /** From now on a job whose task was submitted before is held where that fails and it would be called again: it may have been already. */
    async restored(now: number): Promise<void> {
      await lasting(() => redis.set(keys.restored, now, 'PX', TASKS_ASKED_FOR_MS));
    },

    /** They are decided on, or have ended otherwise. */
    async release(ids: readonly string[]): Promise<void> {
      if (ids.length > 0) await lasting(() => redis.zrem(keys.suspects, ...ids));
    },

    /** Which of these are held. */
    async heldOf(ids: readonly string[]): Promise<string[]> {
      if (ids.length === 0) return [];
      const since = await Promise.all(ids.map((id) => redis.zrevrank(keys.suspects, id)));
      return ids.filter((_, i) => since[i] !== null);
    },

    count: (): Promise<number> => redis.zcard(keys.suspects),

    /** The first `limit` of those that wait longest, but `skip`. */
    async list(o: { skip: number; limit: number }): Promise<Suspect[]> {
      const flat = await redis.zrange(keys.suspects, String(o.skip), String(o.skip + o.limit - 1), 'WITHSCORES');
      return Array.from({ length: flat.length / 2 }, (_, i) => ({ id: flat[2 * i] ?? '', since: Number(flat[2 * i + 1]) }));
    },
  };
}
