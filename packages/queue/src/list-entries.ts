import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { parseEntry } from './entries.ts';

/** What an entry waits for. `waiting` are those that a free worker takes next, also while their queue is paused. */
export const ENTRY_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
export type EntryListState = (typeof ENTRY_STATES)[number];

/** One entry of a queue, as operators see it. Times in ms since 1970. */
export interface ListedEntry {
  id: string;
  /** The periodic task of an entry in `maintain`; elsewhere the name of the queue. */
  name: string;
  /** How often a worker has taken it. */
  attempts: number;
  added_at: number;
  /** When a delayed entry is due. */
  due_at: number | null;
  /** Ids and the step: nothing that a caller sent. */
  data: Record<string, string | number>;
  /** Why it failed. */
  failure: string | null;
}

export interface EntryPage {
  entries: ListedEntry[];
  /** Where the next page begins; `null`: nothing follows. */
  next: number | null;
}

/** The only fields of an entry that are shown: an entry of another version may hold more. */
const SHOWN_FIELDS = ['job_id', 'delivery_id', 'batch_id', 'endpoint', 'step'] as const;

function shownData(id: string, data: unknown): Record<string, string | number> {
  const held = heldIn(id, data);
  return Object.fromEntries(
    SHOWN_FIELDS.flatMap((field): [string, string | number][] => {
      const value = held[field];
      return typeof value === 'string' || typeof value === 'number' ? [[field, value]] : [];
    }),
  );
}

/** The parts by name; what an entry of this version says of its job stands in its id. */
function heldIn(id: string, data: unknown): Record<string, unknown> {
  const held = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  if (held['v'] !== 2) return held;
  try {
    const { id: job_id, step, batch_id } = parseEntry({ id, data });
    return { job_id, step, batch_id };
  } catch {
    return {};
  }
}

/** BullMQ takes what has no priority first. */
async function idsInLine(queue: Queue, from: number, limit: number): Promise<string[]> {
  const [unranked, ranked] = await Promise.all([
    queue.getRanges(['wait'], from, from + limit - 1, true),
    queue.getJobCountByTypes('wait').then((before) => {
      const start = Math.max(0, from - before);
      return queue.getRanges(['prioritized'], start, start + limit - 1, true);
    }),
  ]);
  return [...unranked, ...ranked].slice(0, limit);
}

const idsOf = (queue: Queue, state: EntryListState, from: number, limit: number): Promise<string[]> =>
  state === 'waiting' ? idsInLine(queue, from, limit) : queue.getRanges([state], from, from + limit - 1, state !== 'failed');

/**
 * A page of entries: waiting and delayed ones in the order in which they will be taken, failed ones from the newest. The queue
 * moves on between two pages, so an entry may be on both or on neither.
 */
export async function listEntries(
  queue: Queue,
  redis: Redis,
  o: { state: EntryListState; from: number; limit: number },
): Promise<EntryPage> {
  const ids = await idsOf(queue, o.state, o.from, o.limit + 1);
  const page = ids.slice(0, o.limit);
  const [jobs, scores] = await Promise.all([
    Promise.all(page.map((id) => queue.getJob(id))),
    o.state === 'delayed' && page.length > 0 ? redis.zmscore(queue.toKey('delayed'), ...page) : [],
  ]);
  return {
    entries: jobs.flatMap((job, i) => (job === undefined ? [] : [listed(job as Job & { id: string }, scores[i] ?? null)])),
    next: ids.length > o.limit ? o.from + o.limit : null,
  };
}

/** What is shown of an entry. */
export const listed = (
  job: Pick<Job, 'name' | 'attemptsStarted' | 'timestamp' | 'data' | 'failedReason'> & { id: string },
  score: string | null,
): ListedEntry => ({
  id: job.id,
  name: job.name,
  attempts: job.attemptsStarted,
  added_at: job.timestamp,
  due_at: score === null ? null : dueOf(score),
  data: shownData(job.id, job.data),
  failure: job.failedReason || null,
});

/** The score of a delayed entry is its time in ms, times 4096, and a counter. */
export const dueOf = (score: string): number => Math.floor(Number(score) / 4096);
