import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { dueOf } from './list-entries.ts';

/** What stands in one queue. Times in ms since 1970. */
export interface Depth {
  /** Could be taken now. */
  waiting: number;
  active: number;
  /** Wait for a time of their own: polls of living tasks, retries, webhook attempts. */
  delayed: number;
  /** When the oldest of the entries that are next in line was added; `null`: none waits. */
  oldest_at: number | null;
  /** When the delayed entry that is due first is due; in the past when nobody takes it. */
  next_due_at: number | null;
}

/**
 * Entries in line by turn are not sorted by age. Turns follow time within a tenant and a priority, so the oldest is
 * among the first few, or among the first of those with the handicap of a low priority.
 */
const LOOK_AT = 50;
const LOW_FROM = 10_000;
/** BullMQ packs priority and counter into one score (*read in its source*, bullmq 6.7). */
const SCORE_OF_PRIORITY = 2 ** 32;

export async function depthOf(queue: Queue, redis: Redis): Promise<Depth> {
  const low = redis.zrange(queue.toKey('prioritized'), LOW_FROM * SCORE_OF_PRIORITY, '+inf', 'BYSCORE', 'LIMIT', 0, LOOK_AT);
  const [counts, waiting, first, lowIds, delayed] = await Promise.all([
    queue.getJobCounts('wait', 'prioritized', 'active', 'delayed'),
    queue.getWaiting(0, 0),
    queue.getPrioritized(0, LOOK_AT - 1),
    low,
    redis.zrange(queue.toKey('delayed'), '0', '0', 'WITHSCORES'),
  ]);
  const lowFirst = await Promise.all(lowIds.map((id) => queue.getJob(id)));
  const added = [...waiting, ...first, ...lowFirst].flatMap((job) => job?.timestamp ?? []);
  const due = delayed[1];
  return {
    waiting: (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0),
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    oldest_at: added.length === 0 ? null : Math.min(...added),
    next_due_at: due === undefined ? null : dueOf(due),
  };
}
