import type { Depth, EntryListState, EntryPage } from '@grsai-jobs/queue';
import { dueOf, listed } from '@grsai-jobs/queue/port';
import type { SimulatedClient } from '../redis/client/client.ts';
import type { QueueKeys } from './scripts.ts';

/** Reads what stands in a queue, and changes nothing. */
export interface Listing {
  counts(): Promise<Record<string, number>>;
  depth(): Promise<Depth>;
  page(o: { state: EntryListState; from: number; limit: number }): Promise<EntryPage>;
}

const SCORE_OF_PRIORITY = 2 ** 32;
/** As for BullMQ's queues (depth.ts): the oldest is among the first few, or among the first of those with a low priority. */
const LOOK_AT = 50;
const LOW_FROM = 10_000;

/** States that are one sorted set, and whether the list begins at its end. */
const SETS = { active: false, delayed: false, failed: true } as const satisfies Partial<Record<EntryListState, boolean>>;

export function createListing(redis: SimulatedClient, keys: QueueKeys): Listing {
  const range = async (key: string, from: number, to: number, ...options: string[]): Promise<string[]> =>
    await redis.zrange(key, from, to, ...options);

  async function idsInLine(from: number, to: number): Promise<string[]> {
    const before: number = await redis.zcard(keys.wait);
    const first = await range(keys.wait, from, to);
    return [...first, ...(to < before ? [] : await range(keys.prioritized, Math.max(0, from - before), to - before))];
  }

  const held = async (id: string): Promise<Record<string, string>> => await redis.hgetall(keys.entry + id);

  return {
    async counts() {
      const count = async (key: string): Promise<number> => await redis.zcard(key);
      const { wait, active, delayed, prioritized } = keys;
      const counts = await Promise.all([wait, active, delayed, prioritized].map(count));
      return Object.fromEntries(['wait', 'active', 'delayed', 'prioritized'].map((state, i) => [state, counts[i] ?? 0]));
    },
    async depth() {
      const { wait = 0, prioritized = 0, active = 0, delayed = 0 } = await this.counts();
      const low: string[] = await redis.zrange(
        ...[keys.prioritized, LOW_FROM * SCORE_OF_PRIORITY, '+inf', 'BYSCORE', 'LIMIT', 0, LOOK_AT],
      );
      const looked = [...(await range(keys.wait, 0, 0)), ...(await range(keys.prioritized, 0, LOOK_AT - 1)), ...low];
      const added = (await Promise.all(looked.map(held))).flatMap(({ added: at }) => (at === undefined ? [] : Number(at)));
      const due = (await range(keys.delayed, 0, 0, 'WITHSCORES'))[1];
      return {
        waiting: wait + prioritized,
        active,
        delayed,
        oldest_at: added.length === 0 ? null : Math.min(...added),
        next_due_at: due === undefined ? null : dueOf(due),
      };
    },
    async page({ state, from, limit }) {
      const to = from + limit;
      const newestFirst = state !== 'waiting' && SETS[state] ? ['REV'] : [];
      const ids = state === 'waiting' ? await idsInLine(from, to) : await range(keys[state], from, to, ...newestFirst);
      const page = ids.slice(0, limit);
      const entries = await Promise.all(
        page.map(async (id) => {
          const { name, data = '{}', added, taken = '0', failure = '' } = await held(id);
          if (name === undefined) return [];
          const score: string | null = state === 'delayed' ? await redis.zscore(keys.delayed, id) : null;
          const fields = { id, name, attemptsStarted: Number(taken), timestamp: Number(added) };
          return [listed({ ...fields, data: JSON.parse(data), failedReason: failure }, score)];
        }),
      );
      return { entries: entries.flat(), next: ids.length > limit ? to : null };
    },
  };
}
